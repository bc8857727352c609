package score

import (
	"math"
	"math/bits"

	"github.com/carve-video/carve/internal/annotation"
)

// A Boundary measures how well two outlines agree.
type Boundary struct {
	Precision float64 // share of the result's outline that is near the truth's
	Recall    float64 // share of the truth's outline that is near the result's
}

// F returns the harmonic mean of both, or 0 if both are 0.
func (b Boundary) F() float64 {
	if b.Precision+b.Recall == 0 {
		return 0
	}
	return 2 * b.Precision * b.Recall / (b.Precision + b.Recall)
}

// boundaryShare is the largest distance that counts as near, as a share of the image's
// diagonal. It is DAVIS's value: 8 pixels at 854×480.
const boundaryShare = 0.008

// Near returns how many pixels two outlines may be apart in a w×h image.
func Near(w, h int) int { return int(math.Ceil(boundaryShare * math.Hypot(float64(w), float64(h)))) }

// Boundaries compares outlines of masks of one size. It reuses memory between calls and
// is for one goroutine.
type Boundaries struct {
	near                        int
	result, truth               *annotation.Mask // without void
	resultOutline, truthOutline *annotation.Mask
	dilated                     *annotation.Mask
	disk                        []int
	row, next                   []uint64
}

// NewBoundaries returns one for images of w×h.
func NewBoundaries(w, h int) *Boundaries {
	b := &Boundaries{near: Near(w, h)}
	for _, m := range []**annotation.Mask{&b.result, &b.truth, &b.resultOutline, &b.truthOutline, &b.dilated} {
		*m = annotation.NewMask(w, h)
	}
	b.disk = halfWidths(b.near)
	b.row, b.next = make([]uint64, b.dilated.Stride), make([]uint64, b.dilated.Stride)
	return b
}

// Compare returns the agreement of two masks' outlines. Void pixels are removed from
// both masks first. If only the result has no outline, precision is 1 and recall 0; if
// only the truth has none, the other way round; if neither has one, both are 1.
func (b *Boundaries) Compare(result, truth, void *annotation.Mask) Boundary {
	n := outline(b.resultOutline, without(b.result, result, void))
	m := outline(b.truthOutline, without(b.truth, truth, void))
	switch {
	case n == 0 && m == 0:
		return Boundary{1, 1}
	case n == 0:
		return Boundary{1, 0}
	case m == 0:
		return Boundary{0, 1}
	}
	b.dilate(b.truthOutline)
	hits, _ := Overlap(b.resultOutline, b.dilated, nil)
	b.dilate(b.resultOutline)
	found, _ := Overlap(b.truthOutline, b.dilated, nil)
	return Boundary{ratio(hits, n), ratio(found, m)}
}

// without returns m minus void. It uses scratch if anything has to be removed.
func without(scratch, m, void *annotation.Mask) *annotation.Mask {
	if m == nil || void == nil {
		return m
	}
	for i, w := range m.Bits {
		scratch.Bits[i] = w &^ void.Bits[i]
	}
	return scratch
}

// outline sets the pixels of m that differ from their neighbour to the right, below, or
// diagonally right below, and counts them. So the line runs along the upper left side
// of a change. Pixels in the last column compare only with the one below, those in the
// last row only with the one to the right, and the last pixel with none.
func outline(dst, m *annotation.Mask) (n int) {
	if m == nil {
		clear(dst.Bits)
		return 0
	}
	last := m.Stride - 1
	edge := uint64(1) << ((m.W - 1) & 63) // the last column
	for y := range m.H {
		here, out := m.Row(y), dst.Row(y)
		below := here // for the last row: itself, so that there is no change
		if y+1 < m.H {
			below = m.Row(y + 1)
		}
		for k, s := range here {
			east, south := s>>1, below[k]
			southeast := south >> 1
			if k < last {
				east |= here[k+1] << 63
				southeast |= below[k+1] << 63
			} else {
				east |= s & edge
				southeast = southeast&^edge | s&edge
			}
			w := (s ^ east) | (s ^ south)
			if y+1 < m.H {
				w |= s ^ southeast
			}
			out[k] = w
			n += bits.OnesCount64(w)
		}
	}
	return n
}

// halfWidths describes a disk: row ±d of it extends halfWidths(r)[d] pixels to either
// side, the largest x with x²+d² ≤ r².
func halfWidths(r int) []int {
	half := make([]int, r+1)
	x := r
	for d := range half {
		for x*x+d*d > r*r {
			x--
		}
		half[d] = x
	}
	return half
}

// dilate sets in b.dilated all pixels within b.near of a pixel of m. A row of the disk
// is an interval that widens towards the centre. So each row of m is widened step by
// step, 64 pixels at a time, and merged into the two result rows for its present width.
func (b *Boundaries) dilate(m *annotation.Mask) {
	clear(b.dilated.Bits)
	reach := (b.near + 63) / 64 // words that a row may grow into on either side
	for y := range m.H {
		src := m.Row(y)
		lo, hi := 0, len(src)
		for lo < hi && src[lo] == 0 {
			lo++
		}
		if lo == hi {
			continue
		}
		for src[hi-1] == 0 {
			hi--
		}
		lo, hi = max(lo-reach, 0), min(hi+reach, len(src))
		row, next := b.row[lo:hi], b.next[lo:hi]
		copy(row, src[lo:hi])
		width := 0
		for d := b.near; d >= 0; d-- {
			for ; width < b.disk[d]; width++ {
				widen(next, row)
				row, next = next, row
			}
			if y-d >= 0 {
				orInto(b.dilated.Row(y - d)[lo:hi], row)
			}
			if d > 0 && y+d < m.H {
				orInto(b.dilated.Row(y + d)[lo:hi], row)
			}
		}
	}
	if tail := m.W & 63; tail != 0 { // clear what grew beyond the image
		for y := range m.H {
			b.dilated.Row(y)[m.Stride-1] &= 1<<tail - 1
		}
	}
}

// widen adds to every pixel its two neighbours in the row.
func widen(dst, row []uint64) {
	before := uint64(0)
	for k, w := range row {
		after := uint64(0)
		if k+1 < len(row) {
			after = row[k+1]
		}
		dst[k] = w | w<<1 | w>>1 | before>>63 | after<<63
		before = w
	}
}

func orInto(dst, row []uint64) {
	for k, w := range row {
		dst[k] |= w
	}
}
