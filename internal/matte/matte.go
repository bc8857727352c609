// Package matte enlarges soft masks from the size of the model's image to that of the
// video, along the video's own edges.
//
// A mask of 640 pixels scaled to an image of 3840 has stair-shaped edges. Blurring
// hides them but loses the edge. The guided filter (He, Sun and Tang, "Guided Image
// Filtering", 2013; its fast form: He and Sun, 2015) expresses the mask, in every small
// window, as a linear function of the image's brightness, and applies that function to
// the image at full size: where the image has an edge the mask gets the same one. The
// functions are computed at the mask's size, so the cost at full size is one
// multiplication and addition a pixel.
package matte

import (
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// radius of a window, in mask pixels: wide enough to reach from a slightly misplaced
// outline to the true edge.
const radius = 3

// epsilon is the variance of brightness (0..1, squared) below which a window counts as
// flat: its mask is then a plain mean.
const epsilon = 4e-4

// gain steepens the result around one half. Values clearly inside or outside become
// exactly 1 or 0, so that pixels of no concept stay unchanged.
const gain = 2.5

// An Enlarger is for images of one size. It reuses its memory and is for one goroutine.
type Enlarger struct {
	// Threads bounds the goroutines that share the rows of an image; 0 and 1 mean none.
	// The result does not depend on it.
	Threads int

	w, h   int // full size
	lw, lh int // size of the masks

	luma []byte // the image at full size, as given

	guide, mean, variance []float32 // at the masks' size
	a, b, tmp, sum        []float32
	rows                  []float32 // two for each goroutine
	x0                    []int32
	fx                    []float32
}

// New returns an Enlarger from masks of lw×lh to images of w×h.
func New(w, h, lw, lh int) *Enlarger {
	n := lw * lh
	e := &Enlarger{w: w, h: h, lw: lw, lh: lh}
	for _, s := range []*[]float32{&e.guide, &e.mean, &e.variance, &e.a, &e.b, &e.tmp, &e.sum} {
		*s = make([]float32, n)
	}
	e.x0, e.fx = make([]int32, w), make([]float32, w)
	for x := range w {
		i, f := position(x, w, lw)
		e.x0[x], e.fx[x] = int32(i), f
	}
	return e
}

// position maps sample i of n to its position among m samples, by half-pixel centres:
// it is between j and j+1, at f.
func position(i, n, m int) (j int, f float32) {
	p := (float64(i)+0.5)*float64(m)/float64(n) - 0.5
	p = min(max(p, 0), float64(m-1))
	j = min(int(p), max(m-2, 0))
	return j, float32(p - float64(j))
}

// Guide sets the image whose edges masks follow: w×h samples of brightness. The slice
// is kept, not copied, until the next call.
func (e *Enlarger) Guide(luma []byte) {
	e.luma = luma[:e.w*e.h]
	if e.direct() {
		return
	}
	// The mean over the source pixels that a mask pixel covers.
	parallel.Do(e.Threads, e.lh, func(_, from, to int) {
		for y := from; y < to; y++ {
			top, bottom := y*e.h/e.lh, max((y+1)*e.h/e.lh, y*e.h/e.lh+1)
			for x := range e.lw {
				left, right := x*e.w/e.lw, max((x+1)*e.w/e.lw, x*e.w/e.lw+1)
				sum := 0
				for v := top; v < bottom; v++ {
					for _, s := range e.luma[v*e.w+left : v*e.w+right] {
						sum += int(s)
					}
				}
				e.guide[y*e.lw+x] = float32(sum) / float32((right-left)*(bottom-top)*255)
			}
		}
	})
	e.box(e.mean, e.guide)
	for i, g := range e.guide {
		e.variance[i] = g * g
	}
	e.box(e.variance, e.variance)
	for i, m := range e.mean {
		e.variance[i] = max(e.variance[i]-m*m, 0)
	}
}

// direct tells whether masks have the size of the image already.
func (e *Enlarger) direct() bool { return e.w == e.lw && e.h == e.lh }

// Enlarge scales a mask of probabilities, 0..1, to the image's size and 0..255. Where
// the mask is 0 or 1 throughout a window the result is exactly 0 or 255.
func (e *Enlarger) Enlarge(mask []float32, dst []uint8) {
	if e.direct() {
		for i, p := range mask[:e.w*e.h] {
			dst[i] = quantise(p)
		}
		return
	}
	// a = cov(I, p) / (var(I) + eps), b = mean(p) - a·mean(I); then the mean of
	// both over the windows that a pixel lies in.
	for i, p := range mask[:e.lw*e.lh] {
		e.a[i] = e.guide[i] * p
	}
	e.box(e.a, e.a)
	e.box(e.b, mask)
	for i := range e.a {
		p, m := e.b[i], e.mean[i]
		a := (e.a[i] - m*p) / (e.variance[i] + epsilon)
		e.a[i], e.b[i] = a, p-a*m
	}
	e.box(e.a, e.a)
	e.box(e.b, e.b)

	if n := 2 * e.lw * max(e.Threads, 1); len(e.rows) < n {
		e.rows = make([]float32, n)
	}
	parallel.Do(e.Threads, e.h, func(worker, from, to int) {
		ra, rb := e.rows[2*worker*e.lw:][:e.lw], e.rows[(2*worker+1)*e.lw:][:e.lw]
		for y := from; y < to; y++ {
			e.row(y, dst[y*e.w:(y+1)*e.w], ra, rb)
		}
	})
}

// row computes one row of [Enlarger.Enlarge]; ra and rb are buffers for a mask's row.
func (e *Enlarger) row(y int, out []uint8, ra, rb []float32) {
	j, f := position(y, e.h, e.lh)
	next := min(j+1, e.lh-1)
	a0, a1 := e.a[j*e.lw:(j+1)*e.lw], e.a[next*e.lw:(next+1)*e.lw]
	b0, b1 := e.b[j*e.lw:(j+1)*e.lw], e.b[next*e.lw:(next+1)*e.lw]
	empty := true
	for x := range ra {
		ra[x] = a0[x] + (a1[x]-a0[x])*f
		rb[x] = b0[x] + (b1[x]-b0[x])*f
		empty = empty && abs(ra[x])+abs(rb[x]) < 1e-3
	}
	if empty {
		clear(out)
		return
	}
	luma := e.luma[y*e.w : (y+1)*e.w]
	for x := range out {
		i := e.x0[x]
		k := min(i+1, int32(e.lw-1))
		t := e.fx[x]
		a := ra[i] + (ra[k]-ra[i])*t
		b := rb[i] + (rb[k]-rb[i])*t
		out[x] = quantise(a*float32(luma[x])*(1.0/255) + b)
	}
}

func quantise(p float32) uint8 {
	p = (p-0.5)*gain + 0.5
	return uint8(min(max(p, 0), 1)*255 + 0.5)
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

// box writes to dst the mean of src over windows of 2·radius+1 in both directions,
// clipped at the border. dst and src may be the same.
func (e *Enlarger) box(dst, src []float32) {
	w, h := e.lw, e.lh
	for y := range h {
		in, out := src[y*w:(y+1)*w], e.tmp[y*w:(y+1)*w]
		sum, n := float64(0), 0
		for x := range min(radius, w) {
			sum += float64(in[x])
			n++
		}
		for x := range w {
			if r := x + radius; r < w {
				sum += float64(in[r])
				n++
			}
			if l := x - radius - 1; l >= 0 {
				sum -= float64(in[l])
				n--
			}
			out[x] = float32(sum / float64(n))
		}
	}
	sum := e.sum[:w]
	clear(sum)
	n := 0
	add := func(y int, sign float32) {
		for x, v := range e.tmp[y*w : (y+1)*w] {
			sum[x] += sign * v
		}
	}
	for y := range min(radius, h) {
		add(y, 1)
		n++
	}
	for y := range h {
		if r := y + radius; r < h {
			add(r, 1)
			n++
		}
		if l := y - radius - 1; l >= 0 {
			add(l, -1)
			n--
		}
		one := 1 / float32(n)
		out := dst[y*w : (y+1)*w]
		for x, v := range sum {
			out[x] = v * one
		}
	}
}

// Share makes the masks of an image exclusive: where they add up to more than 255, each
// is scaled by the same factor. threads is as in [Enlarger.Threads].
func Share(masks [][]uint8, threads int) {
	if len(masks) < 2 {
		return
	}
	parallel.Do(threads, len(masks[0]), func(_, from, to int) {
		for i := from; i < to; i++ {
			sum := 0
			for _, m := range masks {
				sum += int(m[i])
			}
			if sum <= 255 {
				continue
			}
			for _, m := range masks {
				m[i] = uint8(int(m[i]) * 255 / sum)
			}
		}
	})
}
