package tracking

import (
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
)

// TestRemoveSpecks: masks that are too small are removed from a result, and no others.
func TestRemoveSpecks(t *testing.T) {
	const w, h = 200, 100 // five pixels are enough, four are not
	result := func(pixels ...int) *car.Result {
		r := &car.Result{W: w, H: h, Labels: make([]uint16, w*h)}
		at := 0
		for q, n := range pixels {
			f := car.Found{Query: q, Mask: make([]uint8, w*h), Probability: make([]float32, w*h), Stats: car.Stats{Area: n}}
			for range n {
				f.Mask[at], f.Probability[at], r.Labels[at] = 1, .9, uint16(q+1)
				at++
			}
			r.Found = append(r.Found, f)
			r.Verdicts = append(r.Verdicts, car.Verdict{Query: q})
		}
		return r
	}
	r := result(5, 4, 0, 300)
	// A pixel of the speck's mask that has the label of another query.
	r.Found[1].Mask[0] = 1
	removeSpecks(r, defaultParams.MinArea)
	for q, want := range []int{5, 0, 0, 300} {
		f := r.Found[q]
		mask, shown := 0, 0
		for i := range r.Labels {
			mask += int(f.Mask[i])
			if int(r.Labels[i]) == q+1 {
				shown++
			}
		}
		if f.Area != want || mask != want || shown != want {
			t.Errorf("query %d has an area of %d, a mask of %d and %d labels; want %d", q, f.Area, mask, shown, want)
		}
	}
	if slices.Max(r.Found[1].Probability) != 0 || r.Verdicts[1].Reason != car.NoPixels || r.Verdicts[0].Reason == car.NoPixels {
		t.Errorf("the speck: probability %g, verdicts %+v", slices.Max(r.Found[1].Probability), r.Verdicts)
	}
}
