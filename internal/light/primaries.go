package light

// A Matrix leads from the light of some primaries to that of others.
type Matrix [3][3]float64

// Apply returns the product with red, green and blue.
func (m Matrix) Apply(light [3]float64) [3]float64 {
	return [3]float64{dot(m[0], light), dot(m[1], light), dot(m[2], light)}
}

// FromBT709 returns the matrix from BT.709's primaries to others, by FFmpeg's name; ok is
// false if these are BT.709's or not known.
func FromBT709(primaries string) (m Matrix, ok bool) {
	c, ok := primariesOf[primaries]
	if !ok {
		return Matrix{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, false
	}
	return multiply(invert(toXYZ(c)), toXYZ(bt709)), true
}

// ToBT709 returns the inverse of FromBT709.
func ToBT709(primaries string) (m Matrix, ok bool) {
	m, ok = FromBT709(primaries)
	if !ok {
		return m, false
	}
	return invert(m), true
}

// A chromaticity is x and y of red, green and blue.
type chromaticity [3][2]float64

// primariesOf has the primaries by FFmpeg's names (ITU-T H.273, table 2), except those of
// BT.709. White is D65 for all, so that it stays white in frames for DCI projectors too.
var primariesOf = map[string]chromaticity{
	"bt2020":    {{.708, .292}, {.170, .797}, {.131, .046}},
	"smpte431":  {{.680, .320}, {.265, .690}, {.150, .060}},
	"smpte432":  {{.680, .320}, {.265, .690}, {.150, .060}},
	"bt470bg":   {{.640, .330}, {.290, .600}, {.150, .060}},
	"smpte170m": {{.630, .340}, {.310, .595}, {.155, .070}},
	"smpte240m": {{.630, .340}, {.310, .595}, {.155, .070}},
	"ebu3213":   {{.630, .340}, {.295, .605}, {.155, .077}},
}

var bt709 = chromaticity{{.640, .330}, {.300, .600}, {.150, .060}}

// whiteX and whiteY are the chromaticity of D65.
const whiteX, whiteY = .3127, .3290

// luminance returns the weights of linear red, green and blue in the luminance; those of
// BT.2020, which HLG is made for, if the primaries are not known.
func luminance(primaries string) [3]float64 {
	c, ok := primariesOf[primaries]
	switch {
	case primaries == "bt709":
		c = bt709
	case !ok:
		c = primariesOf["bt2020"]
	}
	return toXYZ(c)[1]
}

// toXYZ returns the matrix from linear RGB to XYZ (SMPTE RP 177): columns are the primaries,
// each scaled so that 1, 1, 1 is white.
func toXYZ(c chromaticity) (m Matrix) {
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

func multiply(a, b Matrix) (m Matrix) {
	for i := range 3 {
		for j := range 3 {
			m[i][j] = a[i][0]*b[0][j] + a[i][1]*b[1][j] + a[i][2]*b[2][j]
		}
	}
	return m
}

// invert returns the inverse by Cramer's rule.
func invert(m Matrix) (inverse Matrix) {
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
