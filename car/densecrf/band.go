package densecrf

// Where neighbours have numbers close to each other, as on the lattice of
// distance alone, the steps of a filter need not each go through all of the
// memory: several of them are done in one go, each a little behind the one
// before it, on values that are still in the cache.
//
// The vertices are divided into segments. In the first step each segment is
// done as far as its own values allow, which is less far for every blur; the
// second step does the gaps that are left around the borders.

// bandStep is by how many vertices the first blur of a segment advances.
const bandStep = 512

// measure finds reach, the largest distance of two neighbours' numbers, and how
// many segments are worth while: none if neighbours lie anywhere.
func (l *lattice) measure(threads int) {
	l.reach = 1
	for j := range l.d + 1 {
		for v, n := range l.near[j][:l.vertices+1] {
			if n.b != 0 {
				l.reach = max(l.reach, int(n.b)-v, v-int(n.b))
			}
		}
	}
	// More segments than threads, in case one thread is slower. A gap must not
	// take up more than a good part of a segment.
	l.segments = min(4*threads, l.vertices/(8*(l.d+1)*l.reach))
	if threads == 1 {
		l.segments = min(1, l.segments)
	}
}

// border is where segment i begins.
func (l *lattice) border(i int) int { return 1 + l.vertices*i/l.segments }

// stage does, for a run of vertices, the splat (stage 0) or the blur along
// axis s-1 (stage s). Stages write src and dst in turn.
func (c *CRF) stage(s, from, to int) {
	k, b := c.on, c.block
	if from >= to {
		return
	}
	switch {
	case s == 0:
		inner.splat(b.width, c.src, k.start, k.point, k.share, b.q, from, to)
	case s%2 == 1:
		inner.blur(b.width, c.dst, c.src, k.near[s-1], from, to)
	default:
		inner.blur(b.width, c.src, c.dst, k.near[s-1], from, to)
	}
}

// segmentStep does segment i. A stage may go as far as the one before it less
// the reach; by then nobody needs what it overwrites.
func (c *CRF) segmentStep(i int) {
	k := c.on
	from, to := k.border(i), k.border(i+1)
	var done [maxDim + 2]int
	for s := range k.d + 2 {
		done[s] = from
		if i > 0 {
			done[s] += s * k.reach
		}
	}
	for done[0] < to && !c.crew.stopped() {
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

// gapStep does what is left around the border of segments i and i+1.
func (c *CRF) gapStep(i int) {
	k := c.on
	for s := 1; s < k.d+2; s++ {
		c.stage(s, k.border(i+1)-s*k.reach, k.border(i+1)+s*k.reach)
	}
}
