package light

import "math"

// ToSDR turns RGB images of 8 bits from HDR into BT.709, as an SDR display would show them:
// for models, which have learned from such images. It is for one goroutine.
type ToSDR struct {
	channel [256]float32       // light of a signal; for HLG, of the scene
	ootf    [steps + 1]float32 // of the scene's luminance, for HLG
	weights [3]float32         // of the luminance; 0 for other curves
	matrix  [3][3]float32      // to BT.709's primaries
	encoded [1<<16 + 1]uint8   // signal of light from 0 to brightest
}

const steps = 4096

// NewToSDR returns nil for frames that are not HDR.
func NewToSDR(transfer, primaries string) *ToSDR {
	if transfer != "smpte2084" && transfer != "arib-std-b67" {
		return nil
	}
	if _, known := primariesOf[primaries]; !known && primaries != "bt709" {
		primaries = "bt2020" // as in all HDR video
	}
	t := &ToSDR{}
	channel := decodePQ
	if transfer == "arib-std-b67" {
		channel = sceneHLG
		for i, w := range luminance(primaries) {
			t.weights[i] = float32(w)
		}
		for i := range t.ootf {
			t.ootf[i] = float32(ootfHLG(float64(i) / steps))
		}
	}
	for i := range t.channel {
		t.channel[i] = float32(channel(float64(i) / 255))
	}
	matrix, _ := ToBT709(primaries)
	for i, row := range matrix {
		for k, v := range row {
			t.matrix[i][k] = float32(v)
		}
	}
	for i := range t.encoded {
		v := brightest * float64(i) / float64(len(t.encoded)-1)
		if v > knee {
			v = knee + (1-knee)*(1-math.Exp((knee-v)/(1-knee)))
		}
		t.encoded[i] = uint8(encodeSDR(v)*255 + .5)
	}
	return t
}

const (
	// knee is the light up to which nothing changes. Brighter light is compressed, so that
	// clouds and lamps keep some of their drawing.
	knee = .75
	// brightest is the light from which on all is white.
	brightest = 2
)

// Map maps an image in place.
func (t *ToSDR) Map(pix []byte) {
	for ; len(pix) >= 3; pix = pix[3:] {
		r, g, b := t.channel[pix[0]], t.channel[pix[1]], t.channel[pix[2]]
		if t.weights[0] != 0 {
			f := t.ootf[int(min(t.weights[0]*r+t.weights[1]*g+t.weights[2]*b, 1)*steps+.5)]
			r, g, b = f*r, f*g, f*b
		}
		for i := range t.matrix {
			m := &t.matrix[i]
			pix[i] = t.encode(m[0]*r + m[1]*g + m[2]*b)
		}
	}
}

func (t *ToSDR) encode(v float32) uint8 {
	return t.encoded[int(min(max(v, 0), brightest)*float32(len(t.encoded)-1)/brightest+.5)]
}
