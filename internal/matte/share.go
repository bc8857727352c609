package matte

import (
	"encoding/binary"

	"github.com/carve-video/carve/internal/parallel"
)

// alone reports whether at most one mask has any of the eight pixels from i on.
func alone(masks [][]uint8, i int) bool {
	n := 0
	for _, m := range masks {
		if binary.LittleEndian.Uint64(m[i:]) != 0 {
			n++
		}
	}
	return n <= 1
}

// Share makes the masks of an image exclusive: where they add up to more than 255, each
// is scaled by the same factor. threads is as in [Enlarger.Threads].
func Share(masks [][]uint8, threads int) {
	if len(masks) < 2 {
		return
	}
	parallel.Do(threads, len(masks[0]), func(_, from, to int) {
		for i := from; i < to; i++ {
			if i+8 <= to && alone(masks, i) {
				i += 7
				continue
			}
			sum := 0
			for _, m := range masks {
				sum += int(m[i])
			}
			if sum <= 255 {
				continue
			}
			for _, m := range masks {
				m[i] = uint8(int(m[i]) * 255 / sum)
			}
		}
	})
}
