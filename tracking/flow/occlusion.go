package flow

import (
	"math"
	"slices"
)

// What differs by less than slack times the usual difference is noise, or motion
// that is a little off; what differs by twice that is not the same thing.
const (
	slack    = 4
	noise    = 2  // the usual difference is taken to be at least this, of 255
	surprise = .5 // above which a pixel is unknown
)

// unknown finds what the older picture does not explain.
func (e *Estimator) findOcclusion(a, b *plane, f *Field) {
	n := a.w * a.h
	if cap(e.warped) < 2*n {
		e.warped = make([]float32, 2*n)
	}
	warped, sorted := e.warped[:n], e.warped[n:2*n]
	for y := range a.h {
		for x := range a.w {
			i := y*a.w + x
			warped[i] = b.at(float32(x)+f.U[i], float32(y)+f.V[i])
		}
	}
	gain, offset := fitLight(a.pix, warped)
	f.ContrastGain = gain
	for i, v := range a.pix {
		warped[i] = abs(v - gain*warped[i] - offset)
	}
	var mean, off, contrast float64
	for _, v := range a.pix {
		mean += float64(v) / float64(n)
	}
	for i, v := range a.pix {
		off += float64(warped[i])
		contrast += math.Abs(float64(v) - mean)
	}
	f.MeanResidual, f.RelativeResidual = float32(off/float64(n)), float32(off/max(contrast, 1))
	copy(sorted, warped)
	slices.Sort(sorted)
	usual := max(sorted[n/2], noise)
	f.Occlusion = append(f.Occlusion[:0], warped...)
	count := 0
	for i, d := range f.Occlusion {
		u := min(max((d/usual-slack)/slack, 0), 1)
		f.Occlusion[i] = u
		if u > surprise {
			count++
		}
	}
	f.OccludedShare = float32(count) / float32(n)
}

// light fits a ≈ gain·b + offset by least squares, and once more without the
// pixels that the first fit is wrong about: a lamp that is switched on changes
// all of a picture, a thing that appears only some of it.
func fitLight(a, b []float32) (gain, offset float32) {
	gain, offset = 1, 0
	limit := float32(1e9)
	for range 2 {
		var n, sa, sb, sab, sbb, rest float64
		for i, v := range a {
			if abs(v-gain*b[i]-offset) > limit {
				continue
			}
			x, y := float64(b[i]), float64(v)
			n, sa, sb, sab, sbb = n+1, sa+y, sb+x, sab+x*y, sbb+x*x
		}
		d := n*sbb - sb*sb
		if n < 16 || d < n*n*4 { // too few, or all of one brightness
			return 1, 0
		}
		g := (n*sab - sa*sb) / d
		gain, offset = float32(min(max(g, .25), 4)), 0
		offset = float32((sa - float64(gain)*sb) / n)
		for i, v := range a {
			rest += float64(abs(v - gain*b[i] - offset))
		}
		limit = float32(3 * rest / float64(len(a)))
	}
	return gain, offset
}
