package annotation

import (
	"fmt"
	"math/bits"
)

// A Mask is a set of pixels of a w×h picture, one bit a pixel: comparing two
// masks of 854×480 touches 51 kB each instead of 410.
//
// A nil *Mask is an empty one for all methods that only read.
type Mask struct {
	W, H int

	// Stride is the number of words that a row takes: W/64, rounded up.
	Stride int

	// Bits has row after row; bit x%64 of word x/64 is pixel x. The bits of a
	// row's last word that lie beyond W are 0, always.
	Bits []uint64
}

// NewMask returns an empty mask.
func NewMask(w, h int) *Mask {
	stride := (w + 63) / 64
	return &Mask{W: w, H: h, Stride: stride, Bits: make([]uint64, stride*h)}
}

// Row returns the words of row y.
func (m *Mask) Row(y int) []uint64 { return m.Bits[y*m.Stride : (y+1)*m.Stride : (y+1)*m.Stride] }

// At tells whether the pixel is in the mask.
func (m *Mask) At(x, y int) bool {
	return m != nil && m.Bits[y*m.Stride+x>>6]>>(x&63)&1 != 0
}

// Set puts a pixel into the mask.
func (m *Mask) Set(x, y int) { m.Bits[y*m.Stride+x>>6] |= 1 << (x & 63) }

// Area is the number of pixels in the mask.
func (m *Mask) Area() int {
	if m == nil {
		return 0
	}
	n := 0
	for _, w := range m.Bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Empty tells whether there is nothing in the mask.
func (m *Mask) Empty() bool {
	if m == nil {
		return true
	}
	for _, w := range m.Bits {
		if w != 0 {
			return false
		}
	}
	return true
}

// Add puts all pixels of another mask of the same size into this one.
func (m *Mask) Add(other *Mask) {
	if other == nil {
		return
	}
	for i, w := range other.Bits {
		m.Bits[i] |= w
	}
}

// Remove takes all pixels of another mask of the same size out of this one.
func (m *Mask) Remove(other *Mask) {
	if m == nil || other == nil {
		return
	}
	for i, w := range other.Bits {
		m.Bits[i] &^= w
	}
}

// maxPixels bounds what is believed of a file that says how large its pictures
// are: 16384×16384, four times what cameras of today film. A mask of that takes
// 32 MB.
const maxPixels = 1 << 28

// maxFrame bounds the masks of one frame together, in bytes: a thousand objects
// in a picture of 4096×2160. A few bytes of run lengths can ask for a mask.
const maxFrame = 1 << 30

// tooMuch tells that so many masks of a size are too many.
func tooMuch(masks, w, h int) error {
	if each := int64((w+63)/64) * int64(h) * 8; int64(masks) > maxFrame/each {
		return fmt.Errorf("%d masks of %dx%d take too much memory", masks, w, h)
	}
	return nil
}

// plausible tells whether a picture may be of this size.
func plausible(w, h int) bool { return w > 0 && h > 0 && w <= maxPixels/h }
