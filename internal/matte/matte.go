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
	"encoding/binary"
	"image"
	"slices"

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
	workers               []worker        // one for each goroutine
	reach                 image.Rectangle // where the functions of the mask at hand are not 0
	fx                    []float32
	first                 []int // by column of the mask: the first pixel that lies right of its centre
}

// New returns an Enlarger from masks of lw×lh to images of w×h.
func New(w, h, lw, lh int) *Enlarger {
	n := lw * lh
	e := &Enlarger{w: w, h: h, lw: lw, lh: lh}
	for _, s := range []*[]float32{&e.guide, &e.mean, &e.variance, &e.a, &e.b, &e.tmp, &e.sum} {
		*s = make([]float32, n)
	}
	e.fx, e.first = make([]float32, w), make([]int, lw+1)
	at := -1
	for x := range w {
		i, f := position(x, w, lw)
		for e.fx[x] = f; at < i; {
			at++
			e.first[at] = x
		}
	}
	for at++; at <= lw; at++ {
		e.first[at] = w
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
	e.hire()
	// The mean over the source pixels that a mask pixel covers.
	parallel.Do(e.Threads, e.lh, func(number, from, to int) {
		columns := e.workers[number].columns
		for y := from; y < to; y++ {
			top, bottom := y*e.h/e.lh, max((y+1)*e.h/e.lh, y*e.h/e.lh+1)
			sumColumns(columns, e.luma[top*e.w:bottom*e.w])
			for x := range e.lw {
				left, right := x*e.w/e.lw, max((x+1)*e.w/e.lw, x*e.w/e.lw+1)
				sum := uint32(0)
				for _, s := range columns[left:right] {
					sum += s
				}
				e.guide[y*e.lw+x] = float32(sum) / float32((right-left)*(bottom-top)*255)
			}
		}
	})
	whole := image.Rect(0, 0, e.lw, e.lh)
	e.box(e.mean, e.guide, whole)
	for i, g := range e.guide {
		e.variance[i] = g * g
	}
	e.box(e.variance, e.variance, whole)
	for i, m := range e.mean {
		e.variance[i] = max(e.variance[i]-m*m, 0)
	}
}

// sumColumns writes to sums the sum of each column of some rows.
func sumColumns(sums []uint32, rows []byte) {
	w := len(sums)
	x := 0
	if len(rows)/w <= 256 { // the highest number of bytes of which the sum fits 16 bits
		for ; x+8 <= w; x += 8 {
			const low = 0x00ff00ff00ff00ff // of each 16 bits
			var even, odd uint64           // sums of every second column, in 16 bits each
			for at := x; at < len(rows); at += w {
				v := binary.LittleEndian.Uint64(rows[at:])
				even, odd = even+v&low, odd+v>>8&low
			}
			s := sums[x:][:8:8]
			for i := 0; i < 8; i += 2 {
				s[i], s[i+1] = uint32(even)&0xffff, uint32(odd)&0xffff
				even, odd = even>>16, odd>>16
			}
		}
	}
	for ; x < w; x++ {
		sums[x] = 0
		for at := x; at < len(rows); at += w {
			sums[x] += uint32(rows[at])
		}
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
	whole := image.Rect(0, 0, e.lw, e.lh)
	r := e.support(mask)
	if r.Empty() {
		clear(dst[:e.w*e.h])
		return
	}
	// Means reach beyond what they are of by a radius, and so do means of them.
	near, far := r.Inset(-radius).Intersect(whole), r.Inset(-2*radius).Intersect(whole)
	e.reach = far
	clear(e.a)
	clear(e.b)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from, to := y*e.lw+r.Min.X, y*e.lw+r.Max.X
		copy(e.b[from:to], mask[from:to])
		for i := from; i < to; i++ {
			e.a[i] = e.guide[i] * mask[i]
		}
	}
	// a = cov(I, p) / (var(I) + eps), b = mean(p) - a·mean(I); then the mean of
	// both over the windows that a pixel lies in.
	e.box(e.a, e.a, near)
	e.box(e.b, e.b, near)
	for y := near.Min.Y; y < near.Max.Y; y++ {
		for i := y*e.lw + near.Min.X; i < y*e.lw+near.Max.X; i++ {
			p, m := e.b[i], e.mean[i]
			a := (e.a[i] - m*p) / (e.variance[i] + epsilon)
			e.a[i], e.b[i] = a, p-a*m
		}
	}
	e.box(e.a, e.a, far)
	e.box(e.b, e.b, far)

	parallel.Do(e.Threads, e.h, func(number, from, to int) {
		k := &e.workers[number]
		k.between = -1
		for y := from; y < to; y++ {
			k.row(y, dst[y*e.w:(y+1)*e.w])
		}
	})
}

// support returns the smallest rectangle outside of which a mask is, to 8 bits, 0.
func (e *Enlarger) support(mask []float32) (r image.Rectangle) {
	const least = 1. / 512
	for y := range e.lh {
		row := mask[y*e.lw : (y+1)*e.lw]
		left := slices.IndexFunc(row, func(p float32) bool { return p >= least })
		if left < 0 {
			continue
		}
		right := len(row)
		for row[right-1] < least {
			right--
		}
		r = r.Union(image.Rect(left, y, right, y+1))
	}
	return r
}
