package densecrf

import "math"

// A block is a run of lanes whose values lie side by side in memory, point by
// point and vertex by vertex: a row of them is one or two vector registers.
type block struct {
	first int // its first lane
	lanes int // in use; the rest of the width is padding
	width int // 1, 4, 8 or 16

	// Points × width. base is what the energies start from: -U of the lane's
	// label, or with pairs -U of the background less that of the foreground.
	// q is the marginals, and energies until they settle.
	base, q []float32

	// The values of both kernels' lattices, vertices × width.
	value [2][]float32
}

// maxWidth is the largest width of a block: sixteen float32 are a cache line.
const maxWidth = 16

// blockWidth is the width that suits the first block of the lanes that are
// left.
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

// The base of lanes that stand for nothing: their marginals are zero.
var (
	paddingLabel = float32(math.Inf(-1))
	paddingPair  = float32(math.Inf(1))
)

// arrange splits the lanes into blocks. Memory once had is kept for another
// number of lanes.
func (c *CRF) arrange(lanes int, pairs bool) {
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
