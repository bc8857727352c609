package densecrf

import "math"

// maxWidth is the largest width of a block: eight float32 are half a cache
// line and one vector register.
const maxWidth = 8

// padding is the energy of the lanes of a block that stand for no label.
const padding = -1e30

// chunkSize is how many pixels or vertices a goroutine takes at a time.
const chunkSize = 4096

func chunks(n int) int { return (n + chunkSize - 1) / chunkSize }

func chunk(i, n int) (from, to int) {
	return i * chunkSize, min((i+1)*chunkSize, n)
}

// loadChunk turns the caller's planes into energies.
func (c *CRF) loadChunk(i int) {
	n := c.w * c.h
	from, to := chunk(i, n)
	for p := from; p < to; p++ {
		c.rest[p] = -c.unary[p]
	}
	for b := range c.blocks {
		b := &c.blocks[b]
		for l := range b.width {
			if l >= b.labels {
				for p := from; p < to; p++ {
					b.minusU[p*b.width+l] = padding
				}
				continue
			}
			plane := c.unary[(b.first+l)*n:][:n]
			for p := from; p < to; p++ {
				b.minusU[p*b.width+l] = -plane[p]
			}
		}
		copy(b.q[from*b.width:to*b.width], b.minusU[from*b.width:])
	}
}

// storeChunk gives the marginals to the caller. The plane of label 0 comes
// from rest, where settleChunk left it.
func (c *CRF) storeChunk(i int) {
	n := c.w * c.h
	from, to := chunk(i, n)
	copy(c.result[from:to], c.rest[from:to])
	for b := range c.blocks {
		b := &c.blocks[b]
		for l := range b.labels {
			plane := c.result[(b.first+l)*n:][:n]
			for p := from; p < to; p++ {
				plane[p] = b.q[p*b.width+l]
			}
		}
	}
}

// splatChunk gathers, for a run of vertices, what the pixels give them.
func (c *CRF) splatChunk(i int) {
	k := c.on
	from, to := chunk(i, k.vertices)
	splat(c.block.width, k.value[0], k.start, k.point, k.share, c.block.q, from+1, to+1)
}

// blurChunk does new = old + (before + after)/2 along the current axis.
func (c *CRF) blurChunk(i int) {
	k := c.on
	from, to := chunk(i, k.vertices)
	blur(c.block.width, k.value[1], k.value[0], k.near[c.axis], from+1, to+1)
}

// gatherChunk replaces the block's marginals by energies: the unary ones and
// the messages of both kernels. What label 0 has not lost of its full message
// stays in rest.
func (c *CRF) gatherChunk(i int) {
	n := c.w * c.h
	from, to := chunk(i, n)
	if c.block == &c.blocks[0] {
		for p := from; p < to; p++ {
			c.rest[p] = c.full[p] - c.unary[p]
		}
	}
	g, b := &c.gaussian, &c.bilateral
	gather(c.block.width, c.block.q, c.block.minusU, c.rest,
		g.value[0], b.value[0], g.corner, b.corner, g.weight, b.weight,
		g.alpha()*g.compat, b.alpha()*b.compat, from, to)
}

// settleChunk is the softmax over all labels.
func (c *CRF) settleChunk(i int) {
	from, to := chunk(i, c.w*c.h)
	if len(c.blocks) == 1 && c.blocks[0].width == 1 {
		// Two labels: the logistic function of the difference.
		q := c.blocks[0].q
		for p := from; p < to; p++ {
			d := c.rest[p] - q[p]
			e := exp(-abs(d))
			s, t := 1/(1+e), e/(1+e)
			if d > 0 {
				s, t = t, s
			}
			q[p], c.rest[p] = s, t
		}
		return
	}
	for p := from; p < to; p++ {
		top := c.rest[p]
		for b := range c.blocks {
			b := &c.blocks[b]
			for _, e := range b.q[p*b.width : (p+1)*b.width] {
				top = max(top, e)
			}
		}
		first := exp(c.rest[p] - top)
		sum := first
		for b := range c.blocks {
			b := &c.blocks[b]
			row := b.q[p*b.width : (p+1)*b.width]
			for l, e := range row {
				e = exp(e - top)
				row[l] = e
				sum += e
			}
		}
		inv := 1 / sum
		c.rest[p] = first * inv
		for b := range c.blocks {
			b := &c.blocks[b]
			row := b.q[p*b.width : (p+1)*b.width]
			for l := range row {
				row[l] *= inv
			}
		}
	}
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

func rsqrt(v float32) float32 { return float32(1 / math.Sqrt(float64(v)+1e-20)) }

// exp is e^v for v ≤ 0, to about 1e-7 relative; below -87 it is 0. The
// argument is split into k·ln2 + r with |r| ≤ ln2/2, and e^r is a polynomial
// of degree 6 (Taylor: its first omitted term is below 1.2e-7).
func exp(v float32) float32 {
	if v < -87 {
		return 0
	}
	const (
		invLn2 = 1.44269504088896341
		ln2Hi  = 0.693359375 // few bits, so that k·ln2Hi is exact
		ln2Lo  = -2.12194440e-4
		magic  = 3 << 22
	)
	t := float32(v*invLn2) + magic
	k := t - magic
	r := v - k*ln2Hi - k*ln2Lo
	e := float32(1.0 / 720)
	e = e*r + 1.0/120
	e = e*r + 1.0/24
	e = e*r + 1.0/6
	e = e*r + 0.5
	e = e*r + 1
	e = e*r + 1
	return math.Float32frombits(math.Float32bits(e) + uint32(int32(k))<<23)
}
