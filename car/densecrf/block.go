package densecrf

import "math"

// A block is a group of lanes whose values are interleaved in memory, point by point
// and vertex by vertex: a row of them is one or two vector registers.
type block struct {
	first int // its first lane
	lanes int // in use; the rest of the width is padding
	width int // 1, 4, 8 or 16

	// Points × width. base is the unary part of the energies: -U of the lane's
	// label, or with pairs -U of the background minus that of the foreground.
	// q holds energies, and the marginals after the softmax.
	base, q []float32

	// The values of both kernels' lattices, vertices × width.
	value [2][]float32
}

// maxWidth is the largest width of a block: sixteen float32 are a cache line.
const maxWidth = 16

// blockWidth returns the width of the next block when so many lanes are left.
func blockWidth(left int) int {
	switch {
	case left > 12:
		return 16
	case left > 4:
		return 8
	case left > 1:
		return 4
	}
	return 1
}

// The base of unused lanes: it makes their marginals zero.
var (
	paddingLabel = float32(math.Inf(-1))
	paddingPair  = float32(math.Inf(1))
)

// arrangeBlocks divides the lanes into blocks. It keeps memory for later calls with
// another number of lanes.
func (c *CRF) arrangeBlocks(lanes int, pairs bool) {
	if c.lanes == lanes && c.pairs == pairs {
		return
	}
	c.lanes, c.pairs = lanes, pairs
	n := c.w * c.h
	count := 0
	for first := 0; first < lanes; count++ {
		if count == cap(c.blocks) {
			c.blocks = append(c.blocks[:count], block{})
		}
		c.blocks = c.blocks[:count+1]
		b := &c.blocks[count]
		b.first, b.width = first, blockWidth(lanes-first)
		b.lanes = min(lanes-first, b.width)
		b.base, b.q = grow(b.base, n*b.width), grow(b.q, n*b.width)
		first += b.lanes
	}
	c.blocks = c.blocks[:count]
}
