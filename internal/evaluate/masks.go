package evaluate

import (
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
)

// frameOf copies the masks of some queries of a result, scaled to w×h.
func frameOf(result *car.Result, queries []int, w, h int) *annotation.Frame {
	f := &annotation.Frame{W: w, H: h, Masks: make([]*annotation.Mask, len(queries))}
	at := nearest(result.W, result.H, w, h)
	for k, q := range queries {
		found := result.Lookup(q)
		if found == nil || found.Area == 0 {
			continue
		}
		m := annotation.NewMask(w, h)
		for p := range w * h {
			if found.Mask[at(p)] != 0 {
				m.Set(p%w, p/w)
			}
		}
		f.Masks[k] = m
	}
	return f
}

// nearest maps a pixel of a w×h image to the nearest one of sw×sh, by pixel centres.
func nearest(sw, sh, w, h int) func(i int) int {
	return func(i int) int { return (2*(i/w)+1)*sh/(2*h)*sw + (2*(i%w)+1)*sw/(2*w) }
}
