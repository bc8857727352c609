package matte

import "math/bits"

// A bitmap has one bit for each pixel of a mask. Rows begin at words.
type bitmap struct {
	w, h, stride int
	bits         []uint64
}

func newBitmap(w, h int) *bitmap {
	stride := (w + 63) / 64
	return &bitmap{w, h, stride, make([]uint64, stride*h)}
}

func (b *bitmap) row(y int) []uint64 { return b.bits[y*b.stride:][:b.stride] }

// widen sets what lies within by bits to the left and to the right of a bit of the row that
// is set.
func (b *bitmap) widen(row []uint64, by int) {
	for range by {
		left := uint64(0) // the word to the left, as it was
		for i, v := range row {
			row[i] = v | v<<1 | left>>63 | v>>1
			if i+1 < len(row) {
				row[i] |= row[i+1] << 63
			}
			left = v
		}
	}
	b.trim(row)
}

// toLeft sets the bits to the left of those of the row that are set.
func (b *bitmap) toLeft(row []uint64) {
	for i, v := range row {
		row[i] = v | v>>1
		if i+1 < len(row) {
			row[i] |= row[i+1] << 63
		}
	}
}

// toRight sets the bits to the right of those of the row that are set.
func (b *bitmap) toRight(row []uint64) {
	left := uint64(0)
	for i, v := range row {
		row[i] = v | v<<1 | left>>63
		left = v
	}
	b.trim(row)
}

// trim clears the bits beyond the last column.
func (b *bitmap) trim(row []uint64) {
	if rest := b.w % 64; rest != 0 {
		row[len(row)-1] &= 1<<rest - 1
	}
}

// gather sets what is set in other in at least one row that is at most above rows further up
// or below rows further down.
func (b *bitmap) gather(other *bitmap, above, below int) {
	copy(b.bits, other.bits)
	// With each step, rows have what is set in up to twice as many.
	for have := 1; have <= below; {
		n := min(have, below+1-have)
		for i, word := range b.bits[min(n*b.stride, len(b.bits)):] {
			b.bits[i] |= word
		}
		have += n
	}
	for have := 1; have <= above; {
		n := min(have, above+1-have) * b.stride
		for i := len(b.bits) - 1; i >= n; i-- {
			b.bits[i] |= b.bits[i-n]
		}
		have += n / b.stride
	}
}

// next returns the first bit of a row from x on that is set, or is not set, and at most n.
func next(row []uint64, x, n int, set bool) int {
	for x < n {
		word := row[x/64]
		if !set {
			word = ^word
		}
		if word >>= x % 64; word != 0 {
			return min(x+bits.TrailingZeros64(word), n)
		}
		x = x/64*64 + 64
	}
	return n
}

// runs yields the ranges of bits that are set in row y.
func (b *bitmap) runs(y int) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		row := b.row(y)
		for x := next(row, 0, b.w, true); x < b.w; {
			end := next(row, x, b.w, false)
			if !yield(x, end) {
				return
			}
			x = next(row, end, b.w, true)
		}
	}
}
