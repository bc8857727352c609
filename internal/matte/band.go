package matte

import (
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// The functions of brightness matter only in a band along the edges of a mask. The value of a
// pixel is the mean, over windows k that it lies in, of
//
//	mean(p) + a·(I - mean(I)), a = cov(I, p) / (var(I) + epsilon).
//
// If all p of a window are at least 1 - d, then |cov(I, p)| <= σ(I)·d/2 and so |a| <= σ(I)·d/2 /
// (σ(I)² + epsilon) <= d / (4·√epsilon) = 12.5·d. The value is at least 1 - 13.5·d, and what is
// above surely1 becomes 1. The same holds for 0.

// nearly is how far a value may be from 0 and from 1 outside the band: d above.
const nearly = 1. / 64

// A band is where the functions of a mask are computed, and what they are computed from.
type band struct {
	// Of the pixels between the centres of column x and the next one, and of row y and the
	// next one, these say that they may be other than 0, and other than 1.
	not0, not1 *bitmap
	// The functions are needed here, at the corners of what may be other than both. Each
	// part below is what the part above it needs.
	edge       *bitmap
	rows       *bitmap // sums along rows of the functions of windows
	windows    *bitmap // functions of windows
	windowRows *bitmap // sums along rows of pixels
	pixels     *bitmap // the brightness

	tmp0, tmp1 *bitmap
}

func newBand(w, h int) *band {
	var b band
	for _, p := range []**bitmap{&b.not0, &b.not1, &b.edge, &b.rows, &b.windows, &b.windowRows, &b.pixels, &b.tmp0, &b.tmp1} {
		*p = newBitmap(w, h)
	}
	return &b
}

// find finds the band of a mask.
func (b *band) find(mask []float32, threads int) {
	const far = 2 * radius
	w, h := b.edge.w, b.edge.h
	parallel.Do(threads, h, func(_, from, to int) {
		for y := from; y < to; y++ {
			split(mask[y*w:(y+1)*w], b.tmp0.row(y), b.tmp1.row(y))
		}
	})
	for y := range h { // the rest is little work
		b.tmp0.widen(b.tmp0.row(y), far)
		b.tmp1.widen(b.tmp1.row(y), far)
	}
	// Corners, and what lies between them.
	b.not0.gather(b.tmp0, far, far+1)
	b.not1.gather(b.tmp1, far, far+1)
	for y := range h {
		b.not0.toLeft(b.not0.row(y))
		b.not1.toLeft(b.not1.row(y))
	}
	for y := range h {
		edge := b.edge.row(y)
		clear(edge)
		for v := max(y-1, 0); v <= y; v++ {
			not0, not1 := b.not0.row(v), b.not1.row(v)
			for i := range edge {
				edge[i] |= not0[i] & not1[i]
			}
		}
		b.edge.toRight(edge)
	}
	b.rows.gather(b.edge, radius, radius)
	copy(b.windows.bits, b.rows.bits)
	for y := range h {
		b.windows.widen(b.windows.row(y), radius)
	}
	b.windowRows.gather(b.windows, radius, radius)
	copy(b.pixels.bits, b.windowRows.bits)
	for y := range h {
		b.pixels.widen(b.pixels.row(y), radius)
	}
}

// split sets the bits of values that are not nearly 0, and of those that are not nearly 1.
func split(values []float32, not0, not1 []uint64) {
	// Floats that are not negative are in the order of their bits.
	const sign = 1 << 31
	low, high := math.Float32bits(nearly), math.Float32bits(1-nearly)
	for i := range not0 {
		block := values[64*i : min(64*i+64, len(values))]
		var above, below uint32 // the highest bit is set if a value is above low, or below high
		for _, v := range block {
			n := math.Float32bits(v) &^ sign
			above, below = above|(low-n), below|(n-high)
		}
		var a, b uint64
		switch all := ^uint64(0) >> (64 - len(block)); {
		case above < sign:
			b = all
		case below < sign:
			a = all
		default:
			for k, v := range block {
				n := math.Float32bits(v) &^ sign
				a |= uint64((low-n)>>31) << k
				b |= uint64((n-high)>>31) << k
			}
		}
		not0[i], not1[i] = a, b
	}
}

// Sums of a pixel's window, first along its row and then all.
type sums struct{ i, ii, ip, p []float32 }

// filter computes the functions of a mask in its band.
func (e *Enlarger) filter(mask []float32) {
	b := e.band
	b.find(mask, e.Threads)
	e.rows(func(k *worker, y int) {
		for from, to := range b.pixels.runs(y) {
			k.brightness(y, from, to)
		}
		for from, to := range b.windowRows.runs(y) {
			k.sumPixels(mask, y, from, to)
		}
	})
	e.rows(func(k *worker, y int) {
		for from, to := range b.windows.runs(y) {
			k.functions(y, from, to)
		}
	})
	e.rows(func(_ *worker, y int) {
		for from, to := range b.rows.runs(y) {
			e.sumRow(e.sums.i, e.a, y, from, to)
			e.sumRow(e.sums.p, e.b, y, from, to)
		}
	})
	e.rows(func(k *worker, y int) {
		for from, to := range b.edge.runs(y) {
			k.column(e.a, e.sums.i, y, from, to)
			k.column(e.b, e.sums.p, y, from, to)
		}
	})
}

// rows has each row of the mask done by one of the goroutines.
func (e *Enlarger) rows(work func(k *worker, y int)) {
	parallel.Do(e.Threads, e.lh, func(number, from, to int) {
		for y := from; y < to; y++ {
			work(&e.workers[number], y)
		}
	})
}

// brightness computes some pixels of a row of the guide: means over the source pixels that
// they cover, 0..1.
func (k *worker) brightness(y, from, to int) {
	e := k.Enlarger
	top, bottom := y*e.h/e.lh, max((y+1)*e.h/e.lh, y*e.h/e.lh+1)
	left, right := e.cells[from].from, e.cells[to-1].to
	columns := k.columns[:right-left]
	sumColumns(columns, e.luma[top*e.stride+left:(bottom-1)*e.stride+right], e.stride)
	row := e.guide[y*e.lw+from : y*e.lw+to]
	one := 1 / float32((bottom-top)*255)
	for x, c := range e.cells[from:to] {
		sum := uint32(0)
		for _, s := range columns[c.from-left : c.to-left] {
			sum += s
		}
		row[x] = float32(sum) * one * c.one
	}
}

// sumPixels sums up the windows of some pixels along their row.
func (k *worker) sumPixels(mask []float32, y, from, to int) {
	e := k.Enlarger
	guide, values := e.guide[y*e.lw:(y+1)*e.lw], mask[y*e.lw:(y+1)*e.lw]
	row := y * e.lw
	var i, ii, ip, p float64
	add := func(x int, sign float64) {
		if x < 0 || x >= e.lw {
			return
		}
		g, v := float64(guide[x]), float64(values[x])*sign
		i, ii, ip, p = i+g*sign, ii+g*g*sign, ip+g*v, p+v
	}
	for x := from - radius; x < from+radius; x++ {
		add(x, 1)
	}
	for x := from; x < to; x++ {
		add(x+radius, 1)
		e.sums.i[row+x], e.sums.ii[row+x], e.sums.ip[row+x], e.sums.p[row+x] = float32(i), float32(ii), float32(ip), float32(p)
		add(x-radius, -1)
	}
}

// functions computes the functions of brightness of some windows in a row: a = cov(I, p) /
// (var(I) + epsilon), b = mean(p) - a·mean(I).
func (k *worker) functions(y, from, to int) {
	e := k.Enlarger
	k.total(k.sums.i, e.sums.i, y, from, to)
	k.total(k.sums.ii, e.sums.ii, y, from, to)
	k.total(k.sums.ip, e.sums.ip, y, from, to)
	k.total(k.sums.p, e.sums.p, y, from, to)
	for x := from; x < to; x++ {
		one := 1 / float32(clipped(x, e.lw)*clipped(y, e.lh))
		i, p := k.sums.i[x]*one, k.sums.p[x]*one
		a := (k.sums.ip[x]*one - i*p) / (max(k.sums.ii[x]*one-i*i, 0) + epsilon)
		e.a[y*e.lw+x], e.b[y*e.lw+x] = a, p-a*i
	}
}

// sumRow writes to out the sums of windows along a row.
func (e *Enlarger) sumRow(out, in []float32, y, from, to int) {
	row := in[y*e.lw : (y+1)*e.lw]
	sum := float64(0)
	for _, v := range row[max(from-radius, 0):min(from+radius, e.lw)] {
		sum += float64(v)
	}
	for x := from; x < to; x++ {
		if x+radius < e.lw {
			sum += float64(row[x+radius])
		}
		out[y*e.lw+x] = float32(sum)
		if x >= radius {
			sum -= float64(row[x-radius])
		}
	}
}

// column writes to out the means of windows, of which the sums along rows are given.
func (k *worker) column(out, in []float32, y, from, to int) {
	k.total(k.sums.i, in, y, from, to)
	for x := from; x < to; x++ {
		out[y*k.lw+x] = k.sums.i[x] / float32(clipped(x, k.lw)*clipped(y, k.lh))
	}
}

// total adds up the rows of the window around row y.
func (k *worker) total(out, in []float32, y, from, to int) {
	out = out[from:to]
	if n := len(out); y >= radius && y+radius < k.lh {
		at := func(v int) []float32 { return in[(y+v)*k.lw+from:][:n] }
		a, b, c, d, e, f, g := at(-3), at(-2), at(-1), at(0), at(1), at(2), at(3)
		for x := range out {
			out[x] = a[x] + b[x] + c[x] + d[x] + e[x] + f[x] + g[x]
		}
		return
	}
	clear(out)
	for v := max(y-radius, 0); v <= min(y+radius, k.lh-1); v++ {
		for x, s := range in[v*k.lw+from:][:len(out)] {
			out[x] += s
		}
	}
}

// clipped returns how many of n samples the window around sample i has.
func clipped(i, n int) int { return min(i+radius, n-1) - max(i-radius, 0) + 1 }
