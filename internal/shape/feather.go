package shape

import "math"

// The blur is three box filters in each direction, which together differ little from a
// Gaussian. The boxes are extended ones, whose outermost pixels have a smaller weight, so
// that any deviation can be had: Gwosdek, Grewenig, Bruhn and Weickert, "Theoretical
// Foundations of Gaussian Convolution by Extended Box Filtering", SSVM 2011. Sums are in
// integers: a running sum does not drift, and what is 0 or 255 all around stays so.

const boxes = 3

// A kernel is an extended box: 2·half + 1 pixels of weight inner, and one of weight outer
// on both sides. The weights add up to 1 << 32, or to 1 less.
type kernel struct {
	half         int
	inner, outer uint64
	reach        int // how far all boxes together reach
}

func newKernel(feather float64) kernel {
	if feather == 0 {
		return kernel{}
	}
	sigma := feather / 6
	variance := sigma * sigma / boxes // of one box
	half := math.Floor((math.Sqrt(12*variance+1) - 1) / 2)
	n := 2*half + 1
	outer := max(n*(half*(half+1)-3*variance)/(6*(variance-(half+1)*(half+1))), 0)
	k := kernel{half: int(half), reach: boxes * (int(half) + 1)}
	k.inner = uint64(math.Floor((1 << 32) / (n + 2*outer)))
	k.outer = (1<<32 - uint64(n)*k.inner) / 2
	return k
}

// value returns the filtered value: sum is of the inner pixels, ends of the outer two.
func (k *kernel) value(sum, ends uint32) uint16 {
	return uint16((uint64(sum)*k.inner + uint64(ends)*k.outer + 1<<31) >> 32)
}

// feather is the memory of [Shaper.soften]. Values are 0 to 65535.
type feather struct {
	view *view
	w, h int
	a, b []uint16 // the pixels of the box
	sums []uint32 // of the columns
	rows [][2][]uint16
}

// soften blurs the mask in its box. Pixels beyond the box are as the nearest one in it:
// at the border of the image that is what is meant, and elsewhere all are 0.
func (s *Shaper) soften(v *view) {
	if v.box.Empty() {
		return
	}
	f := &s.feather
	f.view, f.w, f.h = v, v.box.Dx(), v.box.Dy()
	n := f.w * f.h
	f.a, f.b, f.sums = grown(f.a, n), grown(f.b, n), grown(f.sums, f.w)
	f.rows = grown(f.rows, max(s.Threads, 1))
	s.each(f.h, (*Shaper).softenRows)
	s.each(f.w, (*Shaper).softenColumns)
}

func (s *Shaper) softenRows(worker, from, to int) {
	f := &s.feather
	r := &f.rows[worker]
	r[0], r[1] = grown(r[0], f.w), grown(r[1], f.w)
	for y := from; y < to; y++ {
		for x, p := range f.view.row(y) {
			r[0][x] = uint16(p) * 257
		}
		s.blur.row(r[1], r[0])
		s.blur.row(r[0], r[1])
		s.blur.row(f.a[y*f.w:(y+1)*f.w], r[0])
	}
}

// row filters src into dst.
func (k *kernel) row(dst, src []uint16) {
	last, half := len(src)-1, k.half
	var sum uint32
	for i := -half; i <= half; i++ {
		sum += uint32(src[min(max(i, 0), last)])
	}
	// For the pixels up to from, what leaves the sum is the border.
	from := min(half+1, len(src))
	border := uint32(src[0])
	for x := range from {
		next := uint32(src[min(x+half+1, last)])
		dst[x] = k.value(sum, border+next)
		sum += next - border
	}
	for x := from; x < len(src); x++ {
		next := uint32(src[min(x+half+1, last)])
		dst[x] = k.value(sum, uint32(src[x-half-1])+next)
		sum += next - uint32(src[x-half])
	}
}

func (s *Shaper) softenColumns(_, from, to int) {
	f := &s.feather
	s.blur.columns(f.b, f.a, f, from, to)
	s.blur.columns(f.a, f.b, f, from, to)
	s.blur.columns(f.b, f.a, f, from, to)
	for y := range f.h {
		out := f.view.row(y)[from:to]
		for x, p := range f.b[y*f.w+from : y*f.w+to] {
			out[x] = uint8((uint32(p) + 128) / 257)
		}
	}
}

// columns filters the columns from to to of src into dst.
func (k *kernel) columns(dst, src []uint16, f *feather, from, to int) {
	row := func(y int) []uint16 {
		y = min(max(y, 0), f.h-1)
		return src[y*f.w+from : y*f.w+to]
	}
	sums := f.sums[from:to]
	clear(sums)
	for y := -k.half; y <= k.half; y++ {
		for x, p := range row(y) {
			sums[x] += uint32(p)
		}
	}
	for y := range f.h {
		before, first, after := row(y-k.half-1), row(y-k.half), row(y+k.half+1)
		out := dst[y*f.w+from : y*f.w+to]
		for x, sum := range sums {
			next := uint32(after[x])
			out[x] = k.value(sum, uint32(before[x])+next)
			sums[x] = sum + next - uint32(first[x])
		}
	}
}
