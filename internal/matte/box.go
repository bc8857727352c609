package matte

import (
	"image"

	"github.com/carve-video/carve/internal/parallel"
)

// box writes to dst the mean of src over windows of 2·radius+1 in both directions, clipped
// at the border of the image. It reads and writes only inside r, outside of which src is 0.
// dst and src may be the same.
func (e *Enlarger) box(dst, src []float32, r image.Rectangle) {
	parallel.Do(e.Threads, r.Dy(), func(_, from, to int) {
		for y := r.Min.Y + from; y < r.Min.Y+to; y++ {
			e.boxRow(e.tmp[y*e.lw+r.Min.X:][:r.Dx()], src[y*e.lw+r.Min.X:][:r.Dx()], r.Min.X)
		}
	})
	// Down the columns, which the goroutines share.
	parallel.Do(e.Threads, r.Dx(), func(_, from, to int) {
		left, w := r.Min.X+from, to-from
		sum := e.sum[left:][:w]
		clear(sum)
		for y := r.Min.Y; y < min(r.Min.Y+radius, r.Max.Y); y++ {
			for x, v := range e.tmp[y*e.lw+left:][:w] {
				sum[x] += v
			}
		}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			if next := y + radius; next < r.Max.Y {
				for x, v := range e.tmp[next*e.lw+left:][:w] {
					sum[x] += v
				}
			}
			if last := y - radius - 1; last >= r.Min.Y {
				for x, v := range e.tmp[last*e.lw+left:][:w] {
					sum[x] -= v
				}
			}
			one := 1 / float32(clipped(y, e.lh))
			out := dst[y*e.lw+left:][:w]
			for x, v := range sum {
				out[x] = v * one
			}
		}
	})
}

// boxRow writes to out the means along a row, whose first sample is sample x0 of the image.
func (e *Enlarger) boxRow(out, in []float32, x0 int) {
	w := len(in)
	sum := float64(0)
	for _, v := range in[:min(radius, w)] {
		sum += float64(v)
	}
	edge := func(from, to int) {
		for x := from; x < to; x++ {
			if next := x + radius; next < w {
				sum += float64(in[next])
			}
			if last := x - radius - 1; last >= 0 {
				sum -= float64(in[last])
			}
			out[x] = float32(sum / float64(clipped(x0+x, e.lw)))
		}
	}
	// Between the edges all windows lie in the row, and in the image.
	first, last := min(radius+1, w), max(w-radius, min(radius+1, w))
	edge(0, first)
	const one = 1. / (2*radius + 1)
	if first < last {
		enter, leave, mid := in[first+radius:][:last-first], in[first-radius-1:][:last-first], out[first:last]
		for x := range mid {
			sum += float64(enter[x]) - float64(leave[x])
			mid[x] = float32(sum * one)
		}
	}
	edge(last, w)
}

// clipped returns how many of n samples the window around sample i has.
func clipped(i, n int) int { return min(i+radius, n-1) - max(i-radius, 0) + 1 }
