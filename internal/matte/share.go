package matte

import (
	"encoding/binary"
	"image"

	"github.com/carve-video/carve/internal/parallel"
)

// A Mask has one byte per pixel of an image. Outside of Extent it is 0.
type Mask struct {
	Pix    []uint8
	Extent image.Rectangle
}

// Clear makes the mask of an image of width w 0.
func (m *Mask) Clear(w int) {
	for y := m.Extent.Min.Y; y < m.Extent.Max.Y; y++ {
		clear(m.Pix[y*w+m.Extent.Min.X : y*w+m.Extent.Max.X])
	}
	m.Extent = image.Rectangle{}
}

// alone reports whether at most one mask has any of the eight pixels from i on.
func alone(masks []Mask, i int) bool {
	n := 0
	for _, m := range masks {
		if binary.LittleEndian.Uint64(m.Pix[i:]) != 0 {
			n++
		}
	}
	return n <= 1
}

// Share makes the masks of an image exclusive: where they add up to more than 255, each
// is scaled by the same factor. w is the width of the image; threads is as in
// [Enlarger.Threads].
func Share(masks []Mask, w, threads int) {
	var all image.Rectangle // where extents of masks overlap
	for i, m := range masks {
		for _, other := range masks[:i] {
			all = all.Union(m.Extent.Intersect(other.Extent))
		}
	}
	parallel.Do(threads, all.Dy(), func(_, from, to int) {
		for y := all.Min.Y + from; y < all.Min.Y+to; y++ {
			shareRow(masks, y*w+all.Min.X, y*w+all.Max.X)
		}
	})
}

func shareRow(masks []Mask, from, to int) {
	for i := from; i < to; i++ {
		if i+8 <= to && alone(masks, i) {
			i += 7
			continue
		}
		sum := 0
		for _, m := range masks {
			sum += int(m.Pix[i])
		}
		if sum <= 255 {
			continue
		}
		for _, m := range masks {
			m.Pix[i] = uint8(int(m.Pix[i]) * 255 / sum)
		}
	}
}
