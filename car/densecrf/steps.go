package densecrf

// chunkSize is the number of points or vertices that a goroutine handles at a time. The
// rows of a chunk stay in the core's cache from one loop to the next.
const chunkSize = 512

func chunks(n int) int { return (n + chunkSize - 1) / chunkSize }

func chunk(i, n int) (from, to int) {
	return i * chunkSize, min((i+1)*chunkSize, n)
}

// loadChunk computes the initial energies from the caller's planes.
func (c *CRF) loadChunk(i int) {
	n := c.w * c.h
	from, to := chunk(i, n)
	if !c.pairs {
		for p, e := range c.unary[from:to] {
			c.minus0[from+p] = -e
		}
		copy(c.rest[from:to], c.minus0[from:to])
		copy(c.top[from:to], c.minus0[from:to])
	}
	for b := range c.blocks {
		b := &c.blocks[b]
		base := b.base[from*b.width : to*b.width]
		for l := range b.width {
			lane := base[l:]
			switch {
			case l >= b.lanes && c.pairs:
				for p := range to - from {
					lane[p*b.width] = paddingPair
				}
			case l >= b.lanes:
				for p := range to - from {
					lane[p*b.width] = paddingLabel
				}
			case c.pairs:
				back := c.unary[2*(b.first+l)*n:][from:to]
				fore := c.unary[(2*(b.first+l)+1)*n:][from:to]
				for p, e := range back {
					lane[p*b.width] = fore[p] - e
				}
			default:
				top := c.top[from:to]
				for p, e := range c.unary[(b.first+l+1)*n:][from:to] {
					lane[p*b.width] = -e
					top[p] = larger(-e, top[p])
				}
			}
		}
		copy(b.q[from*b.width:], base)
	}
	c.finish(from, to)
}

// splatChunk computes, for a range of vertices, the weighted sum of their points.
func (c *CRF) splatChunk(i int) {
	k := c.kernel
	from, to := chunk(i, k.vertices)
	inner.splat(c.block.width, c.dst, k.start, k.point, k.pointWeight, c.block.q, from+1, to+1)
}

// blurChunk computes new = old + (before + after)/2 along the current axis.
func (c *CRF) blurChunk(i int) {
	k := c.kernel
	from, to := chunk(i, k.vertices)
	inner.blur(c.block.width, c.dst, c.src, k.neighbours[c.axis], from+1, to+1)
}

// gatherChunk replaces marginals by energies: the unary energies plus the messages of
// both kernels. The energy of label 0 is in rest: its full message minus the messages to
// the other labels.
func (c *CRF) gatherChunk(i int) {
	from, to := chunk(i, c.w*c.h)
	g, b := &c.gaussian, &c.bilateral
	m := messages{
		corner: [2][]int32{g.corner, b.corner},
		weight: [2][]float32{g.weight, b.weight},
		gain:   [2]float32{g.gain, b.gain},
	}
	if c.pairs {
		for i := range c.blocks {
			b := &c.blocks[i]
			if c.over(b) {
				continue
			}
			m.value = b.value
			inner.gatherPairs(b.width, b.q, b.base, c.full, m, from, to)
		}
	} else {
		for p := from; p < to; p++ {
			c.rest[p] = c.full[p] + c.minus0[p]
			c.top[p] = paddingLabel
		}
		for i := range c.blocks {
			b := &c.blocks[i]
			m.value = b.value
			inner.gather(b.width, b.q, b.base, c.rest, c.top, m, from, to)
		}
		for p := from; p < to; p++ {
			c.top[p] = larger(c.rest[p], c.top[p])
		}
	}
	c.finish(from, to)
}

// finish computes the marginals of a range of points from their energies, for the next
// step or for the caller.
func (c *CRF) finish(from, to int) {
	if !c.pairs {
		c.softmax(from, to)
		if c.fields[0].state == finishes {
			c.store(from, to)
			return
		}
		c.watch(from, to)
		return
	}
	for i := range c.blocks {
		b := &c.blocks[i]
		iterating := false
		for l := range b.lanes {
			switch c.fields[b.first+l].state {
			case finishes:
				c.storePair(b, l, from, to)
			case iterates:
				iterating = true
			}
		}
		if iterating {
			inner.logistic(b.q[from*b.width : to*b.width])
			c.watchPairs(i, from, to)
		}
	}
}

// softmax is the softmax over all labels.
func (c *CRF) softmax(from, to int) {
	inner.expRest(c.rest[from:to], c.top[from:to], c.sum[from:to])
	for i := range c.blocks {
		b := &c.blocks[i]
		inner.expLanes(b.width, b.q, c.top, c.sum, from, to)
	}
	inner.invertSums(c.rest[from:to], c.sum[from:to])
	for i := range c.blocks {
		b := &c.blocks[i]
		inner.scaleLanes(b.width, b.q, c.sum, from, to)
	}
}

// store writes marginals to the caller's planes.
func (c *CRF) store(from, to int) {
	n := c.w * c.h
	copy(c.result[from:to], c.rest[from:to])
	for b := range c.blocks {
		b := &c.blocks[b]
		for l := range b.lanes {
			lane := b.q[from*b.width+l : to*b.width]
			plane := c.result[(b.first+l+1)*n:][from:to]
			for p := range plane {
				plane[p] = lane[p*b.width]
			}
		}
	}
}

// storePair writes both marginals of a field to the caller's planes. Each is computed from
// the difference of energies, not as 1 minus the other, so that small probabilities keep
// their precision.
func (c *CRF) storePair(b *block, lane, from, to int) {
	n := c.w * c.h
	planes := c.result[2*(b.first+lane)*n:][:2*n]
	back, fore := planes[from:to], planes[n+from:n+to]
	for p := range fore {
		d := b.q[(from+p)*b.width+lane]
		fore[p], back[p] = d, -d
	}
	inner.logistic(fore)
	inner.logistic(back)
}
