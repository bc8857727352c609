package shape

import (
	"encoding/binary"
	"image"
)

// A view is a mask and the box of it that matters: outside the box all pixels are 0.
type view struct {
	pix        []uint8
	w          int // of a row of pix
	frame, box image.Rectangle
}

// row returns row y of the box, counted from the top of the box.
func (v *view) row(y int) []uint8 {
	at := (v.box.Min.Y+y)*v.w + v.box.Min.X
	return v.pix[at : at+v.box.Dx()]
}

// extend enlarges the box by n pixels on all sides, inside the frame.
func (v *view) extend(n int) {
	if !v.box.Empty() {
		v.box = v.box.Inset(-n).Intersect(v.frame)
	}
}

// trim reduces the box to the smallest that holds all pixels above 0.
func (v *view) trim() {
	left, right, top, bottom := v.box.Dx(), 0, -1, 0
	for y := range v.box.Dy() {
		row := v.row(y)
		first := leadingZeros(row)
		if first == len(row) {
			continue
		}
		if top < 0 {
			top = y
		}
		bottom = y + 1
		left = min(left, first)
		right = max(right, len(row)-trailingZeros(row[right:]))
	}
	if top < 0 {
		v.box = image.Rectangle{}
		return
	}
	v.box = image.Rect(left, top, right, bottom).Add(v.box.Min)
}

// leadingZeros returns how many values at the start of row are 0.
func leadingZeros(row []uint8) int {
	n := 0
	for n+8 <= len(row) && binary.NativeEndian.Uint64(row[n:]) == 0 {
		n += 8
	}
	for n < len(row) && row[n] == 0 {
		n++
	}
	return n
}

// trailingZeros returns how many values at the end of row are 0.
func trailingZeros(row []uint8) int {
	end := len(row)
	for end >= 8 && binary.NativeEndian.Uint64(row[end-8:]) == 0 {
		end -= 8
	}
	for end > 0 && row[end-1] == 0 {
		end--
	}
	return len(row) - end
}

// binarise sets pixels to 0 below 50 %, and to 255 from there.
func (v *view) binarise() {
	for y := range v.box.Dy() {
		row := v.row(y)
		for x, p := range row {
			row[x] = uint8(int8(p) >> 7) // the sign is the highest bit: 128 and above
		}
	}
}

// grown returns a slice of n items, in the memory of s if it is large enough. The items
// have any value.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
