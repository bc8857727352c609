package densecrf

// On the lattice of distance alone, neighbouring vertices have numbers close to each
// other. There, the steps of a filter do not each pass over all of the memory: they
// run interleaved, each a little behind the one before, on values that are still in
// the cache.
//
// The vertices are divided into segments. The first step computes each segment as far
// as its own values allow, which is less far with every blur; the second step computes
// the gaps that are left around the borders.

// bandStep is the number of vertices by which the splat of a segment advances at a
// time.
const bandStep = 512

// planSegments computes reach, the largest difference of two neighbours' numbers, and
// the number of segments: none if neighbours are too far apart.
func (l *lattice) planSegments(threads int) {
	l.reach = 1
	for j := range l.d + 1 {
		for v, n := range l.neighbours[j][:l.vertices+1] {
			if n.b != 0 {
				l.reach = max(l.reach, int(n.b)-v, v-int(n.b))
			}
		}
	}
	// More segments than threads, in case one thread is slower. A gap must be small
	// compared with a segment.
	l.segments = min(4*threads, l.vertices/(8*(l.d+1)*l.reach))
	if threads == 1 {
		l.segments = min(1, l.segments)
	}
}

// segmentStart is the first vertex of segment i.
func (l *lattice) segmentStart(i int) int { return 1 + l.vertices*i/l.segments }

// stage computes the splat (s = 0) or the blur along axis s-1 for a range of vertices.
// Stages write to src and dst in turn.
func (c *CRF) stage(s, from, to int) {
	k, b := c.kernel, c.block
	if from >= to {
		return
	}
	switch {
	case s == 0:
		inner.splat(b.width, c.src, k.start, k.point, k.pointWeight, b.q, from, to)
	case s%2 == 1:
		inner.blur(b.width, c.dst, c.src, k.neighbours[s-1], from, to)
	default:
		inner.blur(b.width, c.src, c.dst, k.neighbours[s-1], from, to)
	}
}

// segmentStep computes segment i. A stage may advance to the end of the one before it
// minus the reach; no stage needs the values that it overwrites.
func (c *CRF) segmentStep(i int) {
	k := c.kernel
	from, to := k.segmentStart(i), k.segmentStart(i+1)
	var done [maxDim + 2]int
	for s := range k.d + 2 {
		done[s] = from
		if i > 0 {
			done[s] += s * k.reach
		}
	}
	for done[0] < to && !c.pool.cancelled() {
		var end int
		for s := range k.d + 2 {
			switch {
			case s == 0:
				end = min(done[0]+bandStep, to)
			case done[0] < to || i < k.segments-1:
				end -= k.reach
			}
			c.stage(s, done[s], end)
			done[s] = max(done[s], end)
		}
	}
}

// gapStep computes the vertices that are left around the border of segments i and i+1.
func (c *CRF) gapStep(i int) {
	k := c.kernel
	for s := 1; s < k.d+2; s++ {
		c.stage(s, k.segmentStart(i+1)-s*k.reach, k.segmentStart(i+1)+s*k.reach)
	}
}
