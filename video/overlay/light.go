package overlay

import "github.com/carve-video/carve/internal/light"

// A signal turns colours into the signal of the frames; nil leaves them as they are.
//
// Colours of layers and letters are BT.709 signals. In frames of another transfer function
// or of other primaries the same numbers are other colours: in PQ 255 is 10,000 cd/m². So
// colours are turned into light, and the light into the frames' signal.
type signal struct {
	matrix light.Matrix // from BT.709's primaries
	curve  light.Curve
	known  map[[3]uint8][3]uint8
}

// signal returns nil if the colours of the frames are BT.709's or not known.
func (f *Format) signal() *signal {
	matrix, other := light.FromBT709(f.Primaries)
	curve, hdr := light.CurveOf(f.Transfer, f.Primaries)
	if !other && !hdr {
		return nil
	}
	return &signal{matrix, curve, make(map[[3]uint8][3]uint8)}
}

// of returns the signal of a colour.
func (s *signal) of(c [3]uint8) [3]uint8 {
	if s == nil {
		return c
	}
	if out, ok := s.known[c]; ok {
		return out
	}
	mixed := s.matrix.Apply(light.SDR.Decode([3]float64{float64(c[0]) / 255, float64(c[1]) / 255, float64(c[2]) / 255}))
	for i, v := range mixed {
		// Rounding, and primaries that are narrower than BT.709's, lead out of 0..1.
		mixed[i] = min(max(v, 0), 1)
	}
	var out [3]uint8
	for i, v := range s.curve.Encode(mixed) {
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
