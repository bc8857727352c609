package tracking

import (
	"bytes"
	"math"
	"testing"

	"github.com/carve-video/carve/tracking/flow"
)

// uniformFlow is a flow that is the same in all pixels.
func uniformFlow(w, h int, u, v float32) *flow.Field {
	f := &flow.Field{W: w, H: h, Factor: 1, U: make([]float32, w*h), V: make([]float32, w*h), Occlusion: make([]float32, w*h)}
	for i := range f.U {
		f.U[i], f.V[i] = u, v
	}
	return f
}

// TestPath: flows add up, and the confidence is 0 outside the frame.
func TestPath(t *testing.T) {
	const w, h = 20, 12
	var p path
	p.reset(w, h, 1)
	p.extend(uniformFlow(w, h, 2, 0))
	p.extend(uniformFlow(w, h, 1, -1))
	u, v, confidence := p.at(5, 6)
	if u != 3 || v != -1 || confidence != 1 {
		t.Errorf("the path leads by %g, %g, with a confidence of %g", u, v, confidence)
	}
	p.extend(uniformFlow(w, h, w, 0))
	if _, _, confidence := p.at(5, 6); confidence != 0 {
		t.Errorf("a path out of the frame has a confidence of %g", confidence)
	}
	// An occlusion on the way lowers the confidence of the whole path.
	p.reset(w, h, 1)
	m := uniformFlow(w, h, 0, 0)
	m.Occlusion[6*w+5] = .75
	p.extend(m)
	p.extend(uniformFlow(w, h, 0, 0))
	if _, _, confidence := p.at(5, 6); confidence != .25 {
		t.Errorf("confidence %g, want .25", confidence)
	}
}

// TestWarpPlanes: masks are warped at the video's resolution.
func TestWarpPlanes(t *testing.T) {
	const factor, w, h = 2, 40, 24
	var p path
	p.reset(w/factor, h/factor, factor)
	p.extend(uniformFlow(w/factor, h/factor, 2, 1)) // four pixels to the right, two down
	mask, dst, confidence := make([]float32, w*h), make([]float32, w*h), make([]float32, w*h)
	mask[10*w+20] = 1
	p.warpPlanes(t.Context(), [][]float32{mask}, [][]float32{dst}, confidence, w, h, 3)
	for i, v := range dst {
		want := float32(0)
		if i == 8*w+16 {
			want = 1
		}
		if math.Abs(float64(v-want)) > 1e-6 {
			t.Errorf("pixel %d,%d is %g", i%w, i/w, v)
		}
	}
}

// TestWarpMaskAndLuma: planes of the path's resolution are warped to the nearest pixel, or
// interpolated. The edge is repeated.
func TestWarpMaskAndLuma(t *testing.T) {
	const w, h = 4, 2
	var p path
	p.reset(w, h, 1)
	plane := []byte{0, 10, 20, 30, 100, 110, 120, 130}
	if got := p.warpLuma(plane, nil); !bytes.Equal(got, plane) {
		t.Errorf("a path from a frame to itself: %v", got)
	}
	p.extend(uniformFlow(w, h, 1, 0))
	if got, want := p.warpMask(plane, nil), []byte{10, 20, 30, 30, 110, 120, 130, 130}; !bytes.Equal(got, want) {
		t.Errorf("from one to the right: %v", got)
	}
	p.reset(w, h, 1)
	p.extend(uniformFlow(w, h, .25, .5))
	if got, want := p.warpMask(plane, nil), []byte{100, 110, 120, 130, 100, 110, 120, 130}; !bytes.Equal(got, want) {
		t.Errorf("nearest to a quarter to the right, half down: %v", got)
	}
	if got, want := p.warpLuma(plane, make([]byte, 99)), []byte{53, 63, 73, 80, 103, 113, 123, 130}; !bytes.Equal(got, want) {
		t.Errorf("interpolated: %v", got)
	}
}

// TestBlend: masks weigh by their weight and by the confidence of each pixel.
func TestBlend(t *testing.T) {
	a, b := []float32{1, 1, 1}, []float32{0, 0, 0}
	blend(a, []float32{1, 0, 1}, .5, b, []float32{1, 1, 0}, .5)
	if a[0] != .5 || a[1] > .02 || a[2] < .98 {
		t.Errorf("%v", a)
	}
	a = []float32{1}
	if blend(a, []float32{1}, .75, b[:1], []float32{1}, .25); math.Abs(float64(a[0])-.75) > 1e-6 {
		t.Errorf("a weight of 3/4: %g", a[0])
	}
}
