// Package flow computes dense optical flow from a frame back to an earlier one, at a low
// resolution, in a few milliseconds.
//
// The method is that of Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow
// using Dense Inverse Search" (ECCV 2016), without its variational refinement. Small
// patches are tracked one by one, from the coarsest level of a pyramid to the finest, by
// the inverse compositional search of Lucas and Kanade, which computes the derivatives
// once per patch. The flow of a pixel is the mean of the flows of the patches over it,
// weighted by how well each explains that pixel. Patches are compared without their
// means, so that a change of light is not taken for motion.
//
// A [Field] points backwards: from a pixel of the newer frame to where it was in the
// older one. Masks are propagated that way, because every pixel of the new mask then has
// a source in the old one. [Field.Occlusion] marks the pixels that have no source, since
// they were hidden or not there.
package flow

import (
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// The parameters of the search. Every pixel lies under four patches. Lengths are in pixels
// of the level at hand.
const (
	patchSize    = 8
	patchStride  = 4
	iterations   = 8
	minLevelSide = 20   // the coarsest level's shorter side is at least this long
	minStep      = 0.03 // a shorter step ends the search
	ridge        = 30   // added to the diagonal of a patch's Hessian, so that flat patches don't move
)

// A Field is the flow from one frame back to an earlier one.
type Field struct {
	W, H   int
	Factor int // the side of a field pixel, in pixels of the frame

	// U and V lead from every pixel of the newer frame to the older one: x, y was at
	// x+U, y+V. They are in pixels of the field.
	U, V []float32

	// Occlusion is how badly the older frame explains each pixel, 0..1: the residual,
	// after motion and after a change of light of the whole frame, relative to the noise.
	Occlusion []float32

	// OccludedShare is the share of the frame whose Occlusion is above 0.5.
	OccludedShare float32

	// MeanResidual is the mean difference that is left after motion and light, of 255.
	// RelativeResidual is its share of the newer frame's contrast: near 0 where motion and
	// light explain the frame, also in a fade, and up to 1 for an unrelated frame.
	MeanResidual, RelativeResidual float32

	// ContrastGain is the factor by which the contrast of the whole frame grew.
	ContrastGain float32
}

// An Estimator computes flow. It reuses its memory, and is for one goroutine.
type Estimator struct {
	// Threads bounds its goroutines; 0 and 1 start none.
	Threads int

	coarse, fine levelFlow
	patches      []float32 // u, v of the patches of a level
	warped       []float32
}

// levelFlow is u and v of every pixel of a level.
type levelFlow struct {
	w, h int
	u, v []float32
}

func (m *levelFlow) resize(w, h int) {
	m.w, m.h = w, h
	if cap(m.u) < w*h {
		m.u, m.v = make([]float32, w*h), make([]float32, w*h)
	}
	m.u, m.v = m.u[:w*h], m.v[:w*h]
}

// Between computes the flow from a newer frame to an older one of the same size, into f,
// whose memory it reuses. factor is that of [Size].
func (e *Estimator) Between(newer, older *Pyramid, factor int, f *Field) {
	n := len(newer.levels)
	for l := n - 1; l >= 0; l-- {
		a, b := &newer.levels[l], &older.levels[l]
		e.fine.resize(a.w, a.h)
		var coarser *levelFlow
		if l < n-1 {
			coarser = &e.coarse
		}
		e.estimateLevel(a, b, coarser)
		e.coarse, e.fine = e.fine, e.coarse
	}
	top := &e.coarse
	f.W, f.H, f.Factor = top.w, top.h, factor
	f.U, f.V = append(f.U[:0], top.u...), append(f.V[:0], top.v...)
	e.findOcclusion(&newer.levels[0], &older.levels[0], f)
}

// estimateLevel computes the flow of one level, starting from that of the coarser one,
// which is nil for the coarsest.
func (e *Estimator) estimateLevel(a, b *plane, coarser *levelFlow) {
	cols, rows := patchCount(a.w), patchCount(a.h)
	if cap(e.patches) < 2*cols*rows {
		e.patches = make([]float32, 2*cols*rows)
	}
	found := e.patches[:2*cols*rows]
	parallel.Do(e.Threads, rows, func(_, from, to int) {
		var s search
		for r := from; r < to; r++ {
			y := patchStart(r, a.h)
			// A patch may start from the flow of its left neighbour, so that the flow of
			// one patch spreads over the object. It doesn't spread from row to row: other
			// goroutines compute those.
			var left [2]float32
			for c := range cols {
				x := patchStart(c, a.w)
				s.setTemplate(a, b, x, y)
				u, v := float32(0), float32(0)
				if coarser != nil {
					i := min((y+patchSize/2)/2, coarser.h-1)*coarser.w + min((x+patchSize/2)/2, coarser.w-1)
					u, v = 2*coarser.u[i], 2*coarser.v[i]
				}
				best := s.cost(u, v)
				if u != 0 || v != 0 {
					if d := s.cost(0, 0); d <= best {
						u, v, best = 0, 0, d
					}
				}
				if c > 0 && (left[0] != u || left[1] != v) {
					if d := s.cost(left[0], left[1]); d < best {
						u, v = left[0], left[1]
					}
				}
				left[0], left[1] = s.descend(u, v)
				found[2*(r*cols+c)], found[2*(r*cols+c)+1] = left[0], left[1]
			}
		}
	})
	e.densify(a, b, found, cols, rows)
}

// patchCount is the number of patches along a side. The last one may be nearer than a
// stride to the one before.
func patchCount(side int) int { return max(1, (side-patchSize+patchStride-1)/patchStride+1) }

func patchStart(i, side int) int { return max(0, min(i*patchStride, side-patchSize)) }

// A search finds the flow of one patch of the newer frame.
type search struct {
	b        *plane // the older frame
	x, y     int
	w, h     int // of the patch: smaller than patchSize only if the level is
	template [patchSize * patchSize]float32
	gx, gy   [patchSize * patchSize]float32 // derivatives, without their means
	inverse  [3]float32                     // of the Hessian: xx, xy, yy
	mean     float32
	sample   [patchSize * patchSize]float32
}

// setTemplate reads the patch at x, y of a, and computes its derivatives and Hessian.
func (s *search) setTemplate(a, b *plane, x, y int) {
	s.b, s.x, s.y = b, x, y
	s.w, s.h = min(patchSize, a.w-x), min(patchSize, a.h-y)
	n := float32(s.w * s.h)
	var sum, sx, sy float32
	i := 0
	for dy := range s.h {
		yy := y + dy
		row := a.pix[yy*a.w:]
		up, down := a.pix[max(yy-1, 0)*a.w:], a.pix[min(yy+1, a.h-1)*a.w:]
		for dx := range s.w {
			xx := x + dx
			v := row[xx]
			gx := (row[min(xx+1, a.w-1)] - row[max(xx-1, 0)]) / 2
			gy := (down[xx] - up[xx]) / 2
			s.template[i], s.gx[i], s.gy[i] = v, gx, gy
			sum, sx, sy = sum+v, sx+gx, sy+gy
			i++
		}
	}
	s.mean, sx, sy = sum/n, sx/n, sy/n
	var xx, xy, yy float32
	for k := range i {
		s.template[k] -= s.mean
		s.gx[k] -= sx
		s.gy[k] -= sy
		xx += s.gx[k] * s.gx[k]
		xy += s.gx[k] * s.gy[k]
		yy += s.gy[k] * s.gy[k]
	}
	xx, yy = xx+ridge, yy+ridge
	d := xx*yy - xy*xy
	s.inverse = [3]float32{yy / d, -xy / d, xx / d}
}

// warp samples the older frame under the patch moved by u, v, and subtracts the mean. It
// interpolates linearly between pixels, and repeats the edge outside the frame.
func (s *search) warp(u, v float32) {
	fx, fy := float32(s.x)+u, float32(s.y)+v
	x0, y0 := int(math.Floor(float64(fx))), int(math.Floor(float64(fy)))
	wx, wy := fx-float32(x0), fy-float32(y0)
	b := s.b
	var sum float32
	i := 0
	inside := x0 >= 0 && y0 >= 0 && x0+s.w < b.w && y0+s.h < b.h
	for dy := range s.h {
		ra, rb := clamp(y0+dy, b.h)*b.w, clamp(y0+dy+1, b.h)*b.w
		if inside {
			p, q := b.pix[ra+x0:ra+x0+s.w+1], b.pix[rb+x0:rb+x0+s.w+1]
			last := p[0]*(1-wy) + q[0]*wy
			for dx := range s.w {
				next := p[dx+1]*(1-wy) + q[dx+1]*wy
				val := last + (next-last)*wx
				s.sample[i] = val
				sum += val
				last = next
				i++
			}
			continue
		}
		for dx := range s.w {
			xa, xb := clamp(x0+dx, b.w), clamp(x0+dx+1, b.w)
			top := b.pix[ra+xa] + (b.pix[ra+xb]-b.pix[ra+xa])*wx
			low := b.pix[rb+xa] + (b.pix[rb+xb]-b.pix[rb+xa])*wx
			s.sample[i] = top + (low-top)*wy
			sum += s.sample[i]
			i++
		}
	}
	mean := sum / float32(i)
	for k := range i {
		s.sample[k] -= mean
	}
}

func clamp(v, n int) int { return min(max(v, 0), n-1) }

// cost is the sum of squared differences of the patch moved by u, v.
func (s *search) cost(u, v float32) float32 {
	s.warp(u, v)
	var sum float32
	for k := range s.w * s.h {
		d := s.sample[k] - s.template[k]
		sum += d * d
	}
	return sum
}

// descend searches the minimum of the cost near u, v. It returns u, v themselves if the
// minimum is farther away than a patch, since the search has then diverged.
func (s *search) descend(u, v float32) (float32, float32) {
	u0, v0 := u, v
	for range iterations {
		s.warp(u, v)
		var bx, by float32
		for k := range s.w * s.h {
			d := s.sample[k] - s.template[k]
			bx += s.gx[k] * d
			by += s.gy[k] * d
		}
		du := s.inverse[0]*bx + s.inverse[1]*by
		dv := s.inverse[1]*bx + s.inverse[2]*by
		u, v = u-du, v-dv
		if !(abs(u-u0) <= patchSize && abs(v-v0) <= patchSize) { // or not a number
			return u0, v0
		}
		if du*du+dv*dv < minStep*minStep {
			break
		}
	}
	return u, v
}

func abs(v float32) float32 { return float32(math.Abs(float64(v))) }

// densify gives every pixel the mean flow of the patches over it, weighted by how well
// each explains that pixel.
func (e *Estimator) densify(a, b *plane, found []float32, cols, rows int) {
	m := &e.fine
	parallel.Do(e.Threads, a.h, func(_, from, to int) {
		for y := from; y < to; y++ {
			r0, r1 := patchesOver(y, a.h, rows)
			for x := range a.w {
				c0, c1 := patchesOver(x, a.w, cols)
				var su, sv, sw float32
				for r := r0; r <= r1; r++ {
					for c := c0; c <= c1; c++ {
						u, v := found[2*(r*cols+c)], found[2*(r*cols+c)+1]
						d := b.at(float32(x)+u, float32(y)+v) - a.pix[y*a.w+x]
						w := 1 / max(1, d*d)
						su, sv, sw = su+w*u, sv+w*v, sw+w
					}
				}
				m.u[y*a.w+x], m.v[y*a.w+x] = su/sw, sv/sw
			}
		}
	})
}

// patchesOver returns the first and the last of the n patches along a side that cover
// pixel p.
func patchesOver(p, side, n int) (first, last int) {
	first = max(0, (p-patchSize)/patchStride+1)
	if p < patchSize {
		first = 0
	}
	last = min(n-1, p/patchStride)
	if patchStart(n-1, side) <= p { // the last patch may lie off the grid
		last = n - 1
	}
	return min(first, last), last
}
