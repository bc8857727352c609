package overlay

import "math"

// Colours of layers and letters are BT.709 signals for a display of BT.1886. In frames of
// another transfer function or of other primaries the same numbers are other colours: in PQ
// 255 is 10,000 cd/m². So colours are turned into light, and the light into the frames'
// signal.
//
// In HDR frames white is graphics white, 203 cd/m² (ITU-R BT.2408-7, table 1): 58 % of a PQ
// signal and 75 % of an HLG signal.
const (
	graphicsWhite = 203   // cd/m²
	pqPeak        = 10000 // cd/m² of a full PQ signal
	hlgPeak       = 1000  // cd/m² of a full HLG signal on the display of BT.2100, table 5
	hlgGamma      = 1.2   // of the OOTF of that display
	displayGamma  = 2.4   // of BT.1886, for a black of 0; BT.2087-0, section 2, uses it too
)

// A signal turns colours into the signal of the frames; nil leaves them as they are.
type signal struct {
	toPrimaries [3][3]float64 // from light of BT.709's primaries
	encode      func(light [3]float64) [3]float64
	known       map[[3]uint8][3]uint8
}

// signal returns nil if the colours of the frames are BT.709's or not known.
func (f *Format) signal() *signal {
	s := &signal{toPrimaries: [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, known: make(map[[3]uint8][3]uint8)}
	primaries, wide := primariesOf[f.Primaries]
	if wide {
		s.toPrimaries = multiply(invert(toXYZ(primaries)), toXYZ(bt709Primaries))
	}
	switch f.Transfer {
	case "smpte2084":
		s.encode = encodePQ
	case "arib-std-b67":
		s.encode = encodeHLG(luminance(primaries))
	case "linear":
		s.encode = func(light [3]float64) [3]float64 { return light }
	default:
		if !wide {
			return nil
		}
		s.encode = func(light [3]float64) [3]float64 {
			return each(light, func(v float64) float64 { return math.Pow(v, 1/displayGamma) })
		}
	}
	return s
}

// of returns the signal of a colour.
func (s *signal) of(c [3]uint8) [3]uint8 {
	if s == nil {
		return c
	}
	if out, ok := s.known[c]; ok {
		return out
	}
	var light, mixed [3]float64 // 1 is graphics white
	for i, v := range c {
		light[i] = math.Pow(float64(v)/255, displayGamma)
	}
	for i, row := range s.toPrimaries {
		// Rounding, and primaries that are narrower than BT.709's, lead out of 0..1.
		mixed[i] = min(max(row[0]*light[0]+row[1]*light[1]+row[2]*light[2], 0), 1)
	}
	var out [3]uint8
	for i, v := range s.encode(mixed) {
		out[i] = uint8(min(max(v, 0), 1)*255 + .5)
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[c] = out
	return out
}

// maxKnown bounds the colours that are kept.
const maxKnown = 256

// encodePQ is the inverse EOTF of PQ (ITU-R BT.2100-3, table 4).
func encodePQ(light [3]float64) [3]float64 {
	const (
		m1 = 2610. / 16384
		m2 = 2523. / 4096 * 128
		c1 = 3424. / 4096
		c2 = 2413. / 4096 * 32
		c3 = 2392. / 4096 * 32
	)
	return each(light, func(v float64) float64 {
		y := math.Pow(v*graphicsWhite/pqPeak, m1)
		return math.Pow((c1+c2*y)/(1+c3*y), m2)
	})
}

// encodeHLG returns the inverse of HLG's OOTF, followed by its OETF (ITU-R BT.2100-3, table
// 5). weights are those of red, green and blue in the luminance.
func encodeHLG(weights [3]float64) func(light [3]float64) [3]float64 {
	const (
		a = 0.17883277
		b = 1 - 4*a
		c = 0.55991073 // 0.5 - a·ln(4a)
	)
	return func(light [3]float64) [3]float64 {
		y := 0.
		for i, v := range light {
			light[i] = v * graphicsWhite / hlgPeak
			y += weights[i] * light[i]
		}
		if y == 0 {
			return light
		}
		scene := math.Pow(y, (1-hlgGamma)/hlgGamma)
		return each(light, func(v float64) float64 {
			if v *= scene; v <= 1./12 {
				return math.Sqrt(3 * v)
			}
			return a*math.Log(12*v-b) + c
		})
	}
}

func each(v [3]float64, do func(float64) float64) [3]float64 {
	return [3]float64{do(v[0]), do(v[1]), do(v[2])}
}

// A chromaticity is x and y of red, green and blue.
type chromaticity [3][2]float64

// primariesOf has the primaries by FFmpeg's names (ITU-T H.273, table 2), except those of
// BT.709. White is D65 for all: white of the overlay is white of the frames, also of those
// for DCI projectors.
var primariesOf = map[string]chromaticity{
	"bt2020":    {{.708, .292}, {.170, .797}, {.131, .046}},
	"smpte431":  {{.680, .320}, {.265, .690}, {.150, .060}},
	"smpte432":  {{.680, .320}, {.265, .690}, {.150, .060}},
	"bt470bg":   {{.640, .330}, {.290, .600}, {.150, .060}},
	"smpte170m": {{.630, .340}, {.310, .595}, {.155, .070}},
	"smpte240m": {{.630, .340}, {.310, .595}, {.155, .070}},
	"ebu3213":   {{.630, .340}, {.295, .605}, {.155, .077}},
}

var bt709Primaries = chromaticity{{.640, .330}, {.300, .600}, {.150, .060}}

// whiteX and whiteY are the chromaticity of D65.
const whiteX, whiteY = .3127, .3290

// luminance returns the weights of linear red, green and blue in the luminance; those of
// BT.2020, which HLG is made for, if the primaries are not known.
func luminance(c chromaticity) [3]float64 {
	if c == (chromaticity{}) {
		c = primariesOf["bt2020"]
	}
	return toXYZ(c)[1]
}

// toXYZ returns the matrix from linear RGB to XYZ (SMPTE RP 177): columns are the primaries,
// each scaled so that 1, 1, 1 is white.
func toXYZ(c chromaticity) (m [3][3]float64) {
	for i, p := range c {
		m[0][i], m[1][i], m[2][i] = p[0]/p[1], 1, (1-p[0]-p[1])/p[1]
	}
	white := [3]float64{whiteX / whiteY, 1, (1 - whiteX - whiteY) / whiteY}
	inverse := invert(m)
	for i := range 3 {
		scale := inverse[i][0]*white[0] + inverse[i][1]*white[1] + inverse[i][2]*white[2]
		for row := range 3 {
			m[row][i] *= scale
		}
	}
	return m
}

func multiply(a, b [3][3]float64) (m [3][3]float64) {
	for i := range 3 {
		for j := range 3 {
			m[i][j] = a[i][0]*b[0][j] + a[i][1]*b[1][j] + a[i][2]*b[2][j]
		}
	}
	return m
}

// invert returns the inverse by Cramer's rule.
func invert(m [3][3]float64) (inverse [3][3]float64) {
	minor := func(i, j int) float64 { // of the cyclic cofactor, which has its sign
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	determinant := m[0][0]*minor(0, 0) + m[0][1]*minor(0, 1) + m[0][2]*minor(0, 2)
	for i := range 3 {
		for j := range 3 {
			inverse[j][i] = minor(i, j) / determinant
		}
	}
	return inverse
}
