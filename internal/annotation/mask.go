package annotation

import (
	"fmt"
	"math/bits"
)

// A Mask is a set of pixels of a w×h image, one bit a pixel: comparing two masks of
// 854×480 touches 51 kB each instead of 410.
//
// A nil *Mask is an empty mask for all methods that only read.
type Mask struct {
	W, H int

	// Stride is the number of words that a row takes: W/64, rounded up.
	Stride int

	// Bits holds the rows one after the other; bit x%64 of word x/64 is pixel x. In the
	// last word of a row the bits beyond W are always 0.
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

// Area returns the number of pixels in the mask.
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

// Empty tells whether the mask has no pixels.
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

// maxPixels bounds the image size that a file may claim: 16384×16384, four times the
// video of today's cameras. A mask of that size takes 32 MB.
const maxPixels = 1 << 28

// maxFrame bounds the masks of one frame together, in bytes: a thousand objects in an
// image of 4096×2160. In run lengths a mask of any size takes only a few bytes.
const maxFrame = 1 << 30

// checkMemory returns an error if this many masks of this size take too much memory.
func checkMemory(masks, w, h int) error {
	if each := int64((w+63)/64) * int64(h) * 8; int64(masks) > maxFrame/each {
		return fmt.Errorf("%d masks of %dx%d take too much memory", masks, w, h)
	}
	return nil
}

// plausible tells whether an image may have this size.
func plausible(w, h int) bool { return w > 0 && h > 0 && w <= maxPixels/h }
