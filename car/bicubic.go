package car

import (
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// A resizer resizes images like PIL's bicubic filter, bit by bit (docs/algorithm.md 3.1):
// separable, horizontal pass first, antialiased when it shrinks, weights of 22
// fraction bits, 8-bit samples between the passes. It reuses its memory and is for
// one goroutine.
type resizer struct {
	horizontal Image // between the passes
	taps       map[[2]int]*taps
}

// resize writes img, resized to w×h, to dst, which it returns.
func (r *resizer) resize(img *Image, w, h int, dst *Image, threads int) *Image {
	dst.resize(w, h)
	if img.W == w && img.H == h {
		copy(dst.Pix, img.Pix)
		return dst
	}
	src := img
	if w != img.W {
		half := &r.horizontal
		half.resize(w, img.H)
		t := r.tapsFor(img.W, w)
		parallel.Do(threads, img.H, func(_, from, to int) {
			for y := from; y < to; y++ {
				resampleRow(half.Pix[3*w*y:3*w*(y+1)], img.Pix[3*img.W*y:3*img.W*(y+1)], t)
			}
		})
		src = half
	}
	if h == img.H {
		copy(dst.Pix, src.Pix)
		return dst
	}
	t := r.tapsFor(img.H, h)
	parallel.Do(threads, h, func(_, from, to int) { resampleColumns(dst, src, t, from, to) })
	return dst
}

func resampleRow(dst, src []uint8, t *taps) {
	for x := range len(dst) / 3 {
		weights := t.weights[t.size*x:][:t.count[x]]
		r, g, b := int32(1<<21), int32(1<<21), int32(1<<21)
		p := src[3*t.from[x]:][:3*len(weights)]
		for _, w := range weights {
			r += w * int32(p[0])
			g += w * int32(p[1])
			b += w * int32(p[2])
			p = p[3:]
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = clip22(r), clip22(g), clip22(b)
	}
}

// resampleColumns makes the rows from ≤ y < to.
func resampleColumns(dst, src *Image, t *taps, from, to int) {
	stride := 3 * dst.W
	for y := from; y < to; y++ {
		out := dst.Pix[stride*y : stride*(y+1)]
		weights := t.weights[t.size*y:][:t.count[y]]
		rows := src.Pix[stride*t.from[y]:]
		if len(weights) == 4 { // enlarging, away from the edges
			w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
			r0, r1, r2, r3 := rows[:stride], rows[stride:2*stride], rows[2*stride:3*stride], rows[3*stride:4*stride]
			r0, r1, r2, r3 = r0[:len(out)], r1[:len(out)], r2[:len(out)], r3[:len(out)]
			for x := range out {
				out[x] = clip22(1<<21 + w0*int32(r0[x]) + w1*int32(r1[x]) + w2*int32(r2[x]) + w3*int32(r3[x]))
			}
			continue
		}
		for x := range out {
			sum := int32(1 << 21)
			p := rows[x:]
			for k, w := range weights {
				sum += w * int32(p[k*stride])
			}
			out[x] = clip22(sum)
		}
	}
}

func clip22(v int32) uint8 { return uint8(min(max(v>>22, 0), 255)) }

// resize gives the image another size; its content is lost.
func (img *Image) resize(w, h int) {
	n := 3 * w * h
	if cap(img.Pix) < n {
		img.Pix = make([]uint8, n)
	}
	img.Pix, img.W, img.H = img.Pix[:n], w, h
}

// taps are the weights of a resampling: output i is the weighted sum of count[i]
// inputs from from[i] on.
type taps struct {
	size    int // weights that each output has room for
	from    []int
	count   []int
	weights []int32
}

// tapsFor is bicubicTaps with a cache.
func (r *resizer) tapsFor(in, out int) *taps {
	t := r.taps[[2]int{in, out}]
	if t == nil {
		if len(r.taps) > 64 || r.taps == nil { // windows are of many sizes
			r.taps = make(map[[2]int]*taps)
		}
		t = bicubicTaps(in, out)
		r.taps[[2]int{in, out}] = t
	}
	return t
}

// bicubicTaps returns the weights that resize a side of in samples to out samples:
// the Keys cubic with a = -0.5, stretched by the scale when that is above 1.
func bicubicTaps(in, out int) *taps {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := 2 * stretch
	t := &taps{size: int(math.Ceil(support))*2 + 1}
	weights := make([]float64, t.size)
	for i := range out {
		centre := (float64(i) + 0.5) * scale
		from := max(0, int(centre-support+0.5))
		to := min(in, int(centre+support+0.5))
		sum := 0.0
		for j := from; j < to; j++ {
			weights[j-from] = cubic((float64(j) - centre + 0.5) / stretch)
			sum += weights[j-from]
		}
		t.from, t.count = append(t.from, from), append(t.count, to-from)
		for k := range t.size {
			var q int32
			if k < to-from {
				q = int32(math.Round(weights[k] / sum * (1 << 22))) // half away from zero
			}
			t.weights = append(t.weights, q)
		}
	}
	return t
}

func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}
