package tracking

import (
	"context"

	"github.com/carve-video/carve/internal/parallel"
	"github.com/carve-video/carve/tracking/flow"
)

// A path leads from every pixel of a frame to where it was in the key frame before, or will
// be in the key frame after. It is composed of the flows between neighbouring frames, at
// their resolution. Masks are warped along it in one step, because warping them from frame
// to frame would blur them each time.
type path struct {
	w, h, factor int       // as of flow.Field
	u, v         []float32 // displacement of each pixel, in pixels of the flow
	// confidence is how well the flow explains each pixel all along the path, 0..1.
	confidence []float32

	u2, v2, confidence2 []float32 // memory for the next path
}

// reset makes p the path from a frame to itself.
func (p *path) reset(w, h, factor int) {
	p.w, p.h, p.factor = w, h, factor
	n := w * h
	for _, s := range []*[]float32{&p.u, &p.v, &p.confidence, &p.u2, &p.v2, &p.confidence2} {
		if cap(*s) < n {
			*s = make([]float32, n)
		}
		*s = (*s)[:n]
	}
	clear(p.u)
	clear(p.v)
	for i := range p.confidence {
		p.confidence[i] = 1
	}
}

// extend prepends the flow m, which leads from the next frame to the one that p starts in.
func (p *path) extend(m *flow.Field) {
	for y := range p.h {
		for x := range p.w {
			i := y*p.w + x
			fx, fy := float32(x)+m.U[i], float32(y)+m.V[i]
			u, v, confidence := p.at(fx, fy)
			p.u2[i], p.v2[i] = m.U[i]+u, m.V[i]+v
			p.confidence2[i] = min(confidence, 1-m.Occlusion[i])
		}
	}
	p.u, p.u2 = p.u2, p.u
	p.v, p.v2 = p.v2, p.v
	p.confidence, p.confidence2 = p.confidence2, p.confidence
}

// at interpolates the path between pixels. Outside the frame the confidence is 0.
func (p *path) at(x, y float32) (u, v, confidence float32) {
	if x < -1 || y < -1 || x > float32(p.w) || y > float32(p.h) {
		i := clampRound(y, p.h)*p.w + clampRound(x, p.w)
		return p.u[i], p.v[i], 0
	}
	a, b, c, d, wx, wy := corners(x, y, p.w, p.h)
	interpolate := func(s []float32) float32 {
		top, low := s[a]+(s[b]-s[a])*wx, s[c]+(s[d]-s[c])*wx
		return top + (low-top)*wy
	}
	return interpolate(p.u), interpolate(p.v), interpolate(p.confidence)
}

// corners returns the indices of the four pixels around x, y, and the weights of the right
// and the lower ones. A position outside the frame is moved to its edge.
func corners(x, y float32, w, h int) (a, b, c, d int, wx, wy float32) {
	x, y = min(max(x, 0), float32(w-1)), min(max(y, 0), float32(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	return y0*w + x0, y0*w + x1, y1*w + x0, y1*w + x1, x - float32(x0), y - float32(y0)
}

// warpPlanes warps planes of the key frame, w×h at the video's resolution, along the path
// into dst, and writes the confidence of each pixel.
func (p *path) warpPlanes(ctx context.Context, planes, dst [][]float32, confidence []float32, w, h, threads int) {
	f := float32(p.factor)
	parallel.Do(threads, h, func(_, from, to int) {
		for y := from; y < to && ctx.Err() == nil; y++ {
			py := (float32(y)+.5)/f - .5
			for x := range w {
				u, v, c := p.at((float32(x)+.5)/f-.5, py)
				fx, fy := float32(x)+u*f, float32(y)+v*f
				i := y*w + x
				confidence[i] = c
				i00, i10, i01, i11, wx, wy := corners(fx, fy, w, h)
				for k, m := range planes {
					top, low := m[i00]+(m[i10]-m[i00])*wx, m[i01]+(m[i11]-m[i01])*wx
					dst[k][i] = top + (low-top)*wy
				}
			}
		}
	})
}

// warpMask warps a mask of the path's resolution from the key frame into dst, whose memory
// it reuses. It takes the nearest pixel.
func (p *path) warpMask(mask, dst []byte) []byte {
	dst = resizedSlice(dst, len(mask))
	for y := range p.h {
		for x := range p.w {
			i := y*p.w + x
			dst[i] = mask[clampRound(float32(y)+p.v[i], p.h)*p.w+clampRound(float32(x)+p.u[i], p.w)]
		}
	}
	return dst
}

// warpLuma warps brightness as warpMask does a mask, but interpolates between pixels.
func (p *path) warpLuma(plane, dst []byte) []byte {
	dst = resizedSlice(dst, len(plane))
	for y := range p.h {
		for x := range p.w {
			i := y*p.w + x
			a, b, c, d, wx, wy := corners(float32(x)+p.u[i], float32(y)+p.v[i], p.w, p.h)
			top := float32(plane[a]) + (float32(plane[b])-float32(plane[a]))*wx
			low := float32(plane[c]) + (float32(plane[d])-float32(plane[c]))*wx
			dst[i] = byte(top + (low-top)*wy + .5)
		}
	}
	return dst
}
