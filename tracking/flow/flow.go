// Package flow says where everything in a picture was one picture earlier: dense
// optical flow, at a low resolution, in a few milliseconds.
//
// The method is that of Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow
// using Dense Inverse Search" (ECCV 2016), without its variational refinement:
// small patches are followed by themselves, from a coarse level of a pyramid to
// a fine one, each by the inverse compositional search of Lucas and Kanade, whose
// derivatives are taken once a patch; then every pixel takes the mean of what the
// patches over it found, weighted by how well each explains that very pixel.
// Means are taken out of patches before they are compared, so that a change of
// light is no motion.
//
// A [Field] points backwards: from a pixel of the newer picture to where it was in
// the older one, which is the way in which masks are carried (every pixel of the
// new mask is looked up in the old one, none is left without). What cannot be
// looked up, because it was hidden or not there at all, shows in [Field.Unknown].
package flow

import (
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// The search. Patches of 8×8 stand 4 apart, so that every pixel lies under four.
const (
	patch      = 8
	stride     = 4
	iterations = 8
	coarsest   = 20   // the shorter side of the smallest level, at least
	still      = 0.03 // a step that is shorter ends the search, in pixels
	ridge      = 30   // added to the diagonal of a patch's Hessian: nothing moves where nothing is
)

// A Field is the flow from one picture back to an earlier one.
type Field struct {
	W, H   int
	Factor int // of the pictures' size: one pixel of the field is so many of theirs

	// The pixel x, y of the newer picture was at x+U, y+V of the older, in pixels of
	// the field.
	U, V []float32

	// Unknown is how little the older picture explains each pixel, 0..1: the
	// difference that is left after the motion, and after a change of the light of
	// the whole picture, against the noise.
	Occlusion []float32

	// Surprise is the share of the picture that is unknown.
	OccludedShare float32

	// Off is the mean difference that is left, of 255, and Rest the share of it in the
	// contrast of the newer picture: near 0 where motion and light explain it, be it a
	// fade, and up to 1 where it is another picture altogether.
	MeanResidual, RelativeResidual float32

	// Gain is by what the contrast of the whole picture has grown.
	ContrastGain float32
}

// An Estimator computes flow. It keeps its memory, and is for one goroutine.
type Estimator struct {
	// Threads bounds its goroutines, 0 and 1 standing for none.
	Threads int

	coarse, fine motion
	patches      []float32 // u, v of the patches of a level
	warped       []float32
}

// motion is u and v of every pixel of a level.
type motion struct {
	w, h int
	u, v []float32
}

func (m *motion) resize(w, h int) {
	m.w, m.h = w, h
	if cap(m.u) < w*h {
		m.u, m.v = make([]float32, w*h), make([]float32, w*h)
	}
	m.u, m.v = m.u[:w*h], m.v[:w*h]
}

// Between computes the flow from a newer picture to an older one of the same
// size, into f, whose memory is used again. factor is what [Size] says.
func (e *Estimator) Between(newer, older *Pyramid, factor int, f *Field) {
	n := len(newer.levels)
	for l := n - 1; l >= 0; l-- {
		a, b := &newer.levels[l], &older.levels[l]
		e.fine.resize(a.w, a.h)
		var before *motion
		if l < n-1 {
			before = &e.coarse
		}
		e.estimateLevel(a, b, before)
		e.coarse, e.fine = e.fine, e.coarse
	}
	top := &e.coarse
	f.W, f.H, f.Factor = top.w, top.h, factor
	f.U, f.V = append(f.U[:0], top.u...), append(f.V[:0], top.v...)
	e.findOcclusion(&newer.levels[0], &older.levels[0], f)
}

// level follows the patches of one level, from what the coarser one found, and
// makes a field of them.
func (e *Estimator) estimateLevel(a, b *plane, before *motion) {
	cols, rows := patchCount(a.w), patchCount(a.h)
	if cap(e.patches) < 2*cols*rows {
		e.patches = make([]float32, 2*cols*rows)
	}
	found := e.patches[:2*cols*rows]
	parallel.Do(e.Threads, rows, func(_, from, to int) {
		var s search
		for r := from; r < to; r++ {
			y := patchStart(r, a.h)
			// A patch may begin where its neighbour to the left ended: what is found by
			// one spreads over the thing that it is of. Not from row to row: those
			// are other goroutines'.
			var left [2]float32
			for c := range cols {
				x := patchStart(c, a.w)
				s.setTemplate(a, b, x, y)
				u, v := float32(0), float32(0)
				if before != nil {
					i := min((y+patch/2)/2, before.h-1)*before.w + min((x+patch/2)/2, before.w-1)
					u, v = 2*before.u[i], 2*before.v[i]
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

// places is how many patches lie along a side; the last one may be nearer to the
// one before than a stride.
func patchCount(side int) int { return max(1, (side-patch+stride-1)/stride+1) }

func patchStart(i, side int) int { return max(0, min(i*stride, side-patch)) }

// A search is for one patch of the newer picture.
type search struct {
	b        *plane
	x, y     int
	w, h     int // of the patch: smaller than usual only where the picture is
	template [patch * patch]float32
	gx, gy   [patch * patch]float32 // without their means
	inverse  [3]float32             // of the Hessian: xx, xy, yy
	mean     float32
	sample   [patch * patch]float32
}

// take reads the template, with its derivatives and its Hessian.
func (s *search) setTemplate(a, b *plane, x, y int) {
	s.b, s.x, s.y = b, x, y
	s.w, s.h = min(patch, a.w-x), min(patch, a.h-y)
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

// look samples the older picture under the moved patch, its mean taken out. It is
// linear between pixels, and outside the picture the same as at its edge.
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

// cost is the sum of squares of what differs.
func (s *search) cost(u, v float32) float32 {
	s.warp(u, v)
	var sum float32
	for k := range s.w * s.h {
		d := s.sample[k] - s.template[k]
		sum += d * d
	}
	return sum
}

// descend goes down to the nearest minimum, and stays where it began if that is
// farther than a patch: then it has lost its way.
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
		if abs(u-u0) > patch || abs(v-v0) > patch {
			return u0, v0
		}
		if du*du+dv*dv < still*still {
			break
		}
	}
	return u, v
}

func abs(v float32) float32 { return float32(math.Abs(float64(v))) }

// densify gives every pixel the mean motion of the patches over it, weighted by
// how well each explains this pixel.
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

// over are the first and the last patch along a side that cover a pixel.
func patchesOver(p, side, n int) (first, last int) {
	first = max(0, (p-patch)/stride+1)
	if p < patch {
		first = 0
	}
	last = min(n-1, p/stride)
	if patchStart(n-1, side) <= p { // the last one may stand off the grid
		last = n - 1
	}
	return min(first, last), last
}
