package tracking

import (
	"bytes"
	"math"
	"testing"

	"github.com/carve-video/carve/tracking/flow"
)

// even is a motion of all pixels alike.
func even(w, h int, u, v float32) *flow.Field {
	f := &flow.Field{W: w, H: h, Factor: 1, U: make([]float32, w*h), V: make([]float32, w*h), Occlusion: make([]float32, w*h)}
	for i := range f.U {
		f.U[i], f.V[i] = u, v
	}
	return f
}

// Steps add up, and what they lead out of is not sure.
func TestPath(t *testing.T) {
	const w, h = 20, 12
	var p path
	p.reset(w, h, 1)
	p.extend(even(w, h, 2, 0))
	p.extend(even(w, h, 1, -1))
	u, v, sure := p.at(5, 6)
	if u != 3 || v != -1 || sure != 1 {
		t.Errorf("the path leads by %g, %g, and is sure by %g", u, v, sure)
	}
	p.extend(even(w, h, w, 0))
	if _, _, sure := p.at(5, 6); sure != 0 {
		t.Errorf("a path out of the picture is sure by %g", sure)
	}
	// What is unknown on the way stays so.
	p.reset(w, h, 1)
	m := even(w, h, 0, 0)
	m.Occlusion[6*w+5] = .75
	p.extend(m)
	p.extend(even(w, h, 0, 0))
	if _, _, sure := p.at(5, 6); sure != .25 {
		t.Errorf("sure by %g, want .25", sure)
	}
}

// Masks are taken along at the picture's own resolution.
func TestCarryAlongPath(t *testing.T) {
	const factor, w, h = 2, 40, 24
	var p path
	p.reset(w/factor, h/factor, factor)
	p.extend(even(w/factor, h/factor, 2, 1)) // four pixels to the right, two down
	mask, dst, sure := make([]float32, w*h), make([]float32, w*h), make([]float32, w*h)
	mask[10*w+20] = 1
	p.warpPlanes(t.Context(), [][]float32{mask}, [][]float32{dst}, sure, w, h, 3)
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

// What is of the path's own resolution is taken along pixel by pixel, or between
// them, and at the edge from the edge.
func TestAlongPath(t *testing.T) {
	const w, h = 4, 2
	var p path
	p.reset(w, h, 1)
	plane := []byte{0, 10, 20, 30, 100, 110, 120, 130}
	if got := p.warpLuma(plane, nil); !bytes.Equal(got, plane) {
		t.Errorf("a path to itself: %v", got)
	}
	p.extend(even(w, h, 1, 0))
	if got, want := p.warpMask(plane, nil), []byte{10, 20, 30, 30, 110, 120, 130, 130}; !bytes.Equal(got, want) {
		t.Errorf("from one to the right: %v", got)
	}
	p.reset(w, h, 1)
	p.extend(even(w, h, .25, .5))
	if got, want := p.warpMask(plane, nil), []byte{100, 110, 120, 130, 100, 110, 120, 130}; !bytes.Equal(got, want) {
		t.Errorf("nearest to a quarter to the right, half down: %v", got)
	}
	if got, want := p.warpLuma(plane, make([]byte, 99)), []byte{53, 63, 73, 80, 103, 113, 123, 130}; !bytes.Equal(got, want) {
		t.Errorf("between: %v", got)
	}
}

func TestBlend(t *testing.T) {
	a, b := []float32{1, 1, 1}, []float32{0, 0, 0}
	blend(a, []float32{1, 0, 1}, .5, b, []float32{1, 1, 0}, .5)
	if a[0] != .5 || a[1] > .02 || a[2] < .98 {
		t.Errorf("%v", a)
	}
	a = []float32{1}
	if blend(a, []float32{1}, .75, b[:1], []float32{1}, .25); math.Abs(float64(a[0])-.75) > 1e-6 {
		t.Errorf("nearer by three: %g", a[0])
	}
}
