package shape

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// A disc is the element that dilates and erodes.
type disc struct {
	radius float64
	reach  int // how far pixels above 0 reach others

	// full is the largest squared distance within the radius. The squared distances
	// between it and those of radius + 1 have a weight in weights: the first is of
	// full + 1, and those from len(weights) on are 0.
	full    int
	weights []float64

	// How far the disc reaches to the sides in row 0, ±1, ±2…: inner without the pixels
	// that have a weight, outer with them.
	inner, outer []int
	ring         []ringPixel // the offsets with a weight, the nearest first
}

type ringPixel struct {
	dx, dy int
	weight float64
}

func newDisc(radius float64) disc {
	d := disc{radius: radius, full: int(radius * radius)}
	d.reach = int(math.Ceil(radius))
	for n := d.full + 1; ; n++ {
		weight := 1 + radius - math.Sqrt(float64(n))
		if weight <= 0 {
			break
		}
		d.weights = append(d.weights, weight)
	}
	d.inner, d.outer = halfWidths(d.full), halfWidths(d.full+len(d.weights))
	for dy := -d.reach; dy <= d.reach; dy++ {
		for dx := -d.reach; dx <= d.reach; dx++ {
			if n := dx*dx + dy*dy - d.full - 1; n >= 0 && n < len(d.weights) {
				d.ring = append(d.ring, ringPixel{dx, dy, d.weights[n]})
			}
		}
	}
	slices.SortStableFunc(d.ring, func(a, b ringPixel) int { return cmp.Compare(b.weight, a.weight) })
	return d
}

// halfWidths returns how far the offsets of a squared length of up to n reach to the
// sides, in row 0, ±1, ±2…
func halfWidths(n int) (widths []int) {
	for dy := 0; dy*dy <= n; dy++ {
		widths = append(widths, int(math.Sqrt(float64(n-dy*dy))))
	}
	return widths
}

// dilation is the memory of [Shaper.dilate]. The slices are of the pixels in the box.
type dilation struct {
	view *view
	disc *disc
	flip uint8
	w, h int

	top    uint8   // the highest value
	soft   bool    // there are values between 0 and top
	src    []uint8 // the mask before
	column [2][]uint16
	// maxima[k] is the highest value among the 2^k of src from a pixel to the right. Where
	// the row ends before that it has any value.
	maxima [][]uint8

	rows []dilationRow // for each goroutine
}

type dilationRow struct {
	envelope
	top, any []int32 // squared distances to the pixels of value top, and to those above 0
	highest  uint8
	soft     bool
}

// dilate dilates a mask; with flip 255 it dilates the inverse, which erodes the mask.
func (s *Shaper) dilate(v *view, element *disc, flip uint8) {
	if v.box.Empty() {
		return
	}
	d := &s.dilation
	d.view, d.disc, d.flip, d.w, d.h = v, element, flip, v.box.Dx(), v.box.Dy()
	n := d.w * d.h
	d.src = grown(d.src, n)
	d.rows = grown(d.rows, max(s.Threads, 1))
	for i := range d.rows {
		d.rows[i].highest = 0
	}
	s.each(d.h, (*Shaper).copyRows)
	d.top = 0
	for i := range d.rows {
		d.top = max(d.top, d.rows[i].highest)
	}
	if d.top == 0 {
		return
	}
	for i := range d.rows {
		d.rows[i].soft = false
	}
	if d.soft = s.options.Soft; d.soft {
		s.each(d.h, (*Shaper).findSoft)
		d.soft = slices.ContainsFunc(d.rows, func(r dilationRow) bool { return r.soft })
	}

	d.column[0] = grown(d.column[0], n)
	if d.soft {
		d.column[1] = grown(d.column[1], n)
		levels := bits.Len(uint(2*d.disc.outer[0] + 1))
		for len(d.maxima) < levels {
			d.maxima = append(d.maxima, nil)
		}
		for k := 1; k < levels; k++ {
			d.maxima[k] = grown(d.maxima[k], n)
		}
		d.maxima[0] = d.src
		s.each(d.h, (*Shaper).findMaxima)
	}
	s.each(d.w, (*Shaper).dilateColumns)
	s.each(d.h, (*Shaper).dilateRows)
}

func (s *Shaper) copyRows(worker, from, to int) {
	d := &s.dilation
	highest := d.rows[worker].highest
	for y := from; y < to; y++ {
		out := d.src[y*d.w : (y+1)*d.w]
		for x, p := range d.view.row(y) {
			p ^= d.flip
			out[x] = p
			highest = max(highest, p)
		}
	}
	d.rows[worker].highest = highest
}

func (s *Shaper) findSoft(worker, from, to int) {
	d := &s.dilation
	d.rows[worker].soft = slices.ContainsFunc(d.src[from*d.w:to*d.w], func(p uint8) bool { return p > 0 && p < d.top })
}

func (s *Shaper) findMaxima(_, from, to int) {
	d := &s.dilation
	for k := 1; k < bits.Len(uint(2*d.disc.outer[0]+1)); k++ {
		step := 1 << (k - 1)
		for y := from; y < to; y++ {
			below, out := d.maxima[k-1][y*d.w:(y+1)*d.w], d.maxima[k][y*d.w:(y+1)*d.w]
			for x := range max(d.w-step, 0) {
				out[x] = max(below[x], below[x+step])
			}
		}
	}
}

func (s *Shaper) dilateColumns(_, from, to int) {
	d := &s.dilation
	limit := uint16(d.disc.reach + 1)
	columnDistances(d.column[0], d.src, d.w, d.h, from, to, d.top, limit)
	if d.soft {
		columnDistances(d.column[1], d.src, d.w, d.h, from, to, 1, limit)
	}
}

func (s *Shaper) dilateRows(worker, from, to int) {
	d := &s.dilation
	r := &d.rows[worker]
	r.top, r.any = grown(r.top, d.w), grown(r.any, d.w)
	limit := uint16(d.disc.reach + 1)
	full, partial := int32(d.disc.full), int32(d.disc.full)
	if s.options.Soft {
		partial += int32(len(d.disc.weights))
	}
	for y := from; y < to; y++ {
		r.rowDistances(r.top, d.column[0][y*d.w:(y+1)*d.w], limit)
		any := r.top
		if d.soft {
			any = r.any
			r.rowDistances(any, d.column[1][y*d.w:(y+1)*d.w], limit)
		}
		out := d.view.row(y)
		for x, n := range r.top {
			var p uint8
			switch {
			case n <= full:
				p = d.top
			case any[x] > partial:
			case d.soft:
				p = d.softPixel(x, y)
			default:
				p = uint8(float64(d.top)*d.disc.weights[n-full-1] + 0.5)
			}
			out[x] = p ^ d.flip
		}
	}
}

// softPixel computes a pixel from all values that the disc reaches from it.
func (d *dilation) softPixel(x, y int) uint8 {
	// The highest value within the radius counts in full. Of higher values further out,
	// what is above it counts by its weight.
	level, highest := d.highest(x, y, d.disc.inner), d.highest(x, y, d.disc.outer)
	sum := float64(level)
	for i := 0; level < highest; i++ {
		o := &d.disc.ring[i]
		u, v := x+o.dx, y+o.dy
		if uint(u) >= uint(d.w) || uint(v) >= uint(d.h) {
			continue
		}
		if p := d.src[v*d.w+u]; p > level {
			sum += float64(p-level) * o.weight
			level = p
		}
	}
	return uint8(sum + 0.5)
}

// highest returns the highest value in reach of a pixel.
func (d *dilation) highest(x, y int, half []int) uint8 {
	var level uint8
	reach := len(half) - 1
	for v := max(y-reach, 0); v <= min(y+reach, d.h-1); v++ {
		half := half[max(v-y, y-v)]
		left, right := max(x-half, 0), min(x+half, d.w-1)
		k := bits.Len(uint(right-left+1)) - 1
		row := d.maxima[k][v*d.w : (v+1)*d.w]
		level = max(level, row[left], row[right+1-1<<k])
	}
	return level
}
