package car

import (
	"math"
	"testing"
)

// FuzzBoxes: for any map, boxes lie inside it and cover the hottest patch, and those
// of the released code lie inside ours.
func FuzzBoxes(f *testing.F) {
	f.Add([]byte{0}, uint16(1), float32(0.4))
	f.Add([]byte{255}, uint16(1), float32(1))
	f.Add([]byte{0, 255, 0, 0, 255}, uint16(5), float32(0))
	f.Add([]byte{0, 255, 0, 0, 255}, uint16(1), float32(0.7))
	f.Add([]byte{9, 9, 9, 9, 9, 9}, uint16(2), float32(0.999))
	f.Add(make([]byte, 400), uint16(200), float32(0.5))
	f.Fuzz(func(t *testing.T, values []byte, width uint16, lambda float32) {
		cols := min(max(int(width), 1), max(len(values), 1))
		rows := len(values) / cols
		if rows == 0 || rows*cols > 1<<14 || !(lambda >= 0 && lambda <= 1) {
			t.Skip()
		}
		heat := make([]float32, rows*cols)
		top := float32(0)
		for i := range heat {
			heat[i] = float32(values[i]) / 255
			top = max(top, heat[i])
		}
		var b boxFinder
		ours, theirs := make([]float32, rows*cols), make([]float32, rows*cols)
		for i := range ours {
			ours[i], theirs[i] = float32(math.NaN()), 7 // old values must be overwritten
		}
		b.mark(heat, rows, cols, lambda, false, ours)
		b.mark(heat, rows, cols, lambda, true, theirs)
		inside := 0
		for i := range ours {
			if ours[i] != 0 && ours[i] != 1 || theirs[i] != 0 && theirs[i] != 1 {
				t.Fatalf("patch %d is %g and %g", i, ours[i], theirs[i])
			}
			if theirs[i] > ours[i] {
				t.Errorf("patch %d is in the released code's box only", i)
			}
			if heat[i] == top && top > 0 && lambda < 0.99 && ours[i] == 0 {
				t.Errorf("the hottest patch, %d, is in no box", i)
			}
			inside += int(ours[i])
		}
		if top == 0 && inside > 0 {
			t.Errorf("%d patches of a cold map are in boxes", inside)
		}
	})
}

// TestBoxesAtEdges: a box that touches the right or bottom edge is whole, and
// loses its last column or row in the released code.
func TestBoxesAtEdges(t *testing.T) {
	const rows, cols = 5, 6
	heat := make([]float32, rows*cols)
	for _, i := range []int{3*cols + 4, 3*cols + 5, 4*cols + 5} {
		heat[i] = 1
	}
	count := func(cut bool) (n int) {
		inside := make([]float32, rows*cols)
		new(boxFinder).mark(heat, rows, cols, 0.5, cut, inside)
		for _, v := range inside {
			n += int(v)
		}
		return n
	}
	if whole, cut := count(false), count(true); whole != 4 || cut != 1 {
		t.Errorf("%d patches in the box, %d in the released code's; want 4 and 1", whole, cut)
	}
}
