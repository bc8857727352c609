package flow

import (
	"math"
	"slices"
)

// The thresholds of occlusion. A residual up to noiseFactor times the median one is noise,
// or motion that is slightly wrong: its occlusion is 0. From twice that on it is 1.
const (
	noiseFactor   = 4
	minResidual   = 2  // the least value of the median residual, of 255
	occludedAbove = .5 // the occlusion from which a pixel counts as occluded
)

// findOcclusion fills in all of f but the flow: what b, the older frame, doesn't explain
// of a, the newer one.
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
	var mean, residual, contrast float64
	for _, v := range a.pix {
		mean += float64(v) / float64(n)
	}
	for i, v := range a.pix {
		residual += float64(warped[i])
		contrast += math.Abs(float64(v) - mean)
	}
	f.MeanResidual, f.RelativeResidual = float32(residual/float64(n)), float32(residual/max(contrast, 1))
	copy(sorted, warped)
	slices.Sort(sorted)
	typical := max(sorted[n/2], minResidual)
	f.Occlusion = append(f.Occlusion[:0], warped...)
	count := 0
	for i, d := range f.Occlusion {
		o := min(max((d/typical-noiseFactor)/noiseFactor, 0), 1)
		f.Occlusion[i] = o
		if o > occludedAbove {
			count++
		}
	}
	f.OccludedShare = float32(count) / float32(n)
}

// fitLight fits a ≈ gain·b + offset by least squares, and fits it again without the
// outliers of the first fit: a lamp that is switched on changes all of a frame, an object
// that appears only a part of it.
func fitLight(a, b []float32) (gain, offset float32) {
	gain, offset = 1, 0
	limit := float32(1e9)
	for range 2 {
		var n, sa, sb, sab, sbb, residual float64
		for i, v := range a {
			if abs(v-gain*b[i]-offset) > limit {
				continue
			}
			x, y := float64(b[i]), float64(v)
			n, sa, sb, sab, sbb = n+1, sa+y, sb+x, sab+x*y, sbb+x*x
		}
		d := n*sbb - sb*sb
		if n < 16 || d < n*n*4 { // too few pixels, or all of one brightness
			return 1, 0
		}
		g := (n*sab - sa*sb) / d
		gain, offset = float32(min(max(g, .25), 4)), 0
		offset = float32((sa - float64(gain)*sb) / n)
		for i, v := range a {
			residual += float64(abs(v - gain*b[i] - offset))
		}
		limit = float32(3 * residual / float64(len(a)))
	}
	return gain, offset
}
