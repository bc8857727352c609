package densecrf

import "sync/atomic"

// A progress is that of one random field of a call: of one lane with pairs, else of all lanes.
type progress struct {
	// What the latest step has done: how many pixels changed their label, and how many have
	// another label than the first.
	changed, inside atomic.Int64

	state fieldState
}

// A fieldState says how far a field is.
type fieldState uint8

const (
	iterates  fieldState = iota
	finishes             // the marginals of this step are the result
	hasResult            // they are stored
)

// begin prepares the fields of a call.
func (c *CRF) begin() {
	n, count := 1, 1
	if c.pairs {
		n, count = c.lanes, len(c.blocks)
	}
	if cap(c.fields) < n {
		c.fields = make([]progress, n)
	}
	c.fields = c.fields[:n]
	for i := range c.fields {
		c.fields[i].state = iterates
	}
	for c.params.Settled > 0 && len(c.labels) < count {
		c.labels = append(c.labels, make([]uint16, c.w*c.h))
	}
}

// proceed is called before each step: the loading of energies, which is step 0, and the
// iterations. It decides for which fields this is the last step, and returns false if all
// have their result.
func (c *CRF) proceed(step int) bool {
	left := false
	for k := range c.fields {
		f := &c.fields[k]
		switch {
		case f.state != iterates:
			f.state = hasResult
		case step == c.params.Iterations, step > 1 && c.settled(f):
			f.state = finishes
		}
		left = left || f.state != hasResult
		f.changed.Store(0)
		f.inside.Store(0)
	}
	return left
}

// over reports whether all fields of a block have their result.
func (c *CRF) over(b *block) bool {
	if !c.pairs {
		return c.fields[0].state == hasResult
	}
	for l := range b.lanes {
		if c.fields[b.first+l].state != hasResult {
			return false
		}
	}
	return true
}

// settled reports whether the labels of a field stand still.
func (c *CRF) settled(f *progress) bool {
	return c.params.Settled > 0 && float32(f.changed.Load()) <= c.params.Settled*float32(f.inside.Load())
}

// watch compares the labels of a range of points of a field with those of the step before.
func (c *CRF) watch(from, to int) {
	if c.params.Settled == 0 {
		return
	}
	labels := c.labels[0][from:to]
	best := c.top[from:to] // which is not needed any more
	copy(best, c.rest[from:to])
	changed, inside := 0, 0
	for p := range labels {
		label := 0
		for i := range c.blocks {
			b := &c.blocks[i]
			for l, q := range b.q[(from+p)*b.width:][:b.lanes] {
				if q > best[p] {
					best[p], label = q, b.first+l+1
				}
			}
		}
		if label != 0 {
			inside++
		}
		if uint16(label) != labels[p] {
			changed++
		}
		labels[p] = uint16(label)
	}
	c.fields[0].changed.Add(int64(changed))
	c.fields[0].inside.Add(int64(inside))
}

// watchPairs is watch for the fields of a block.
func (c *CRF) watchPairs(i, from, to int) {
	if c.params.Settled == 0 {
		return
	}
	b, labels := &c.blocks[i], c.labels[i]
	var changed, inside [maxWidth]int64
	for p := from; p < to; p++ {
		now := uint16(0)
		for l, q := range b.q[p*b.width:][:b.lanes] {
			if q > 0.5 {
				now |= 1 << l
				inside[l]++
			}
		}
		for l, was := 0, labels[p]^now; was != 0; l, was = l+1, was>>1 {
			changed[l] += int64(was & 1)
		}
		labels[p] = now
	}
	for l := range b.lanes {
		f := &c.fields[b.first+l]
		f.changed.Add(changed[l])
		f.inside.Add(inside[l])
	}
}
