package score

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
)

// drawn makes a mask from rows of letters: x is inside, anything else outside.
func drawn(rows ...string) *annotation.Mask {
	m := annotation.NewMask(len(rows[0]), len(rows))
	for y, row := range rows {
		for x, c := range row {
			if c == 'x' {
				m.Set(x, y)
			}
		}
	}
	return m
}

// square is a mask of w×h with the pixels from (x0,y0) up to, but excluding, (x1,y1).
func square(w, h, x0, y0, x1, y1 int) *annotation.Mask {
	m := annotation.NewMask(w, h)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			m.Set(x, y)
		}
	}
	return m
}

// scattered is a random mask of blocks and single pixels.
func scattered(r *rand.Rand, w, h int) *annotation.Mask {
	m := annotation.NewMask(w, h)
	for range r.IntN(4) {
		x0, y0 := r.IntN(w), r.IntN(h)
		m.Add(square(w, h, x0, y0, min(w, x0+1+r.IntN(w)), min(h, y0+1+r.IntN(h))))
	}
	for range r.IntN(5) {
		m.Set(r.IntN(w), r.IntN(h))
	}
	return m
}

// strip makes a sequence of 10×10 images. Each row has an object's area in every frame:
// "0 5 .5" is nothing, then 5 pixels, then 5 pixels in a frame that is ignored. The
// pixels lie in image rows of the object's own.
func strip(objects []annotation.Object, areas ...string) *annotation.Sequence {
	const side = 10
	n := len(strings.Fields(areas[0]))
	frames := make([]*annotation.Frame, n)
	for i := range frames {
		f := &annotation.Frame{W: side, H: side, Masks: make([]*annotation.Mask, len(objects)), Ignored: make([]bool, len(objects))}
		for k, row := range areas {
			of := strings.Fields(row)[i]
			of, f.Ignored[k] = strings.CutPrefix(of, ".")
			area := 0
			for _, c := range of {
				area = 10*area + int(c-'0')
			}
			m := annotation.NewMask(side, side)
			for p := range area {
				m.Set(p%side, (k*side/len(areas) + p/side))
			}
			if area > 0 {
				f.Masks[k] = m
			}
		}
		frames[i] = f
	}
	return annotation.New(side, side, n, objects, func(i int) (*annotation.Frame, error) { return frames[i], nil })
}

var dog = []annotation.Object{{ID: 1, Name: "dog"}}

// tracked returns the track of the one object of two strips.
func tracked(t *testing.T, truth, result string) *Track {
	t.Helper()
	return follow(t, strip(dog, truth), strip(dog, result), Pair{dog[0], 0, 0})
}
