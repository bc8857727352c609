package matte

// A worker enlarges rows for one goroutine.
type worker struct {
	*Enlarger
	columns []uint32  // sums of columns, see Guide
	a, b    []float32 // the functions of one row of pixels, by column of the mask
	between int       // the row of the mask above the pixels, which spans are for; -1 for none
	spans   []span
}

// A span is a range of columns of a mask, the pixels right of whose centres are alike.
type span struct {
	from, to int
	kind     spanKind
}

type spanKind uint8

const (
	outside spanKind = iota
	inside
	mixed
)

// hire makes as many workers as there may be goroutines.
func (e *Enlarger) hire() {
	for len(e.workers) < max(e.Threads, 1) {
		e.workers = append(e.workers, worker{Enlarger: e, columns: make([]uint32, e.w), a: make([]float32, e.lw), b: make([]float32, e.lw)})
	}
}

// plan finds the spans between row j of the mask and the next one. A value is linear in
// brightness and between rows and columns, so that it lies between those of black and white
// in the four corners.
func (k *worker) plan(j, next int) {
	k.between, k.spans = j, k.spans[:0]
	at := func(i int) (low, high float32) {
		p, q := j*k.lw+i, next*k.lw+i
		above, below := k.Enlarger.b[p], k.Enlarger.b[q] // for black
		brightAbove, brightBelow := above+k.Enlarger.a[p], below+k.Enlarger.a[q]
		return min(above, below, brightAbove, brightBelow), max(above, below, brightAbove, brightBelow)
	}
	// Outside the mask's reach all is 0.
	from, to := max(k.reach.Min.X-1, 0), k.reach.Max.X
	if next < k.reach.Min.Y || j >= k.reach.Max.Y {
		from, to = k.lw, k.lw
	}
	k.add(span{0, from, outside})
	if from < to {
		low, high := at(from)
		for i := from; i < to; i++ {
			nextLow, nextHigh := at(min(i+1, k.lw-1))
			kind := mixed
			if max(high, nextHigh) < surely0 {
				kind = outside
			} else if min(low, nextLow) > surely1 {
				kind = inside
			}
			k.add(span{i, i + 1, kind})
			low, high = nextLow, nextHigh
		}
	}
	k.add(span{to, k.lw, outside})
}

// add adds a span after the last one, of which it becomes a part if they are alike.
func (k *worker) add(s span) {
	if s.from == s.to {
		return
	}
	if n := len(k.spans); n > 0 && k.spans[n-1].kind == s.kind {
		k.spans[n-1].to = s.to
		return
	}
	k.spans = append(k.spans, s)
}

// row computes one row of [Enlarger.Enlarge].
func (k *worker) row(y int, out []uint8) {
	e := k.Enlarger
	j, f := position(y, e.h, e.lh)
	next := min(j+1, e.lh-1)
	if j != k.between {
		k.plan(j, next)
	}
	for _, s := range k.spans {
		switch pixels := out[e.first[s.from]:e.first[s.to]]; s.kind {
		case outside:
			clear(pixels)
		case inside:
			fill(pixels)
		default:
			for x := s.from; x <= min(s.to, e.lw-1); x++ {
				p, q := j*e.lw+x, next*e.lw+x
				k.a[x], k.b[x] = e.a[p]+(e.a[q]-e.a[p])*f, e.b[p]+(e.b[q]-e.b[p])*f
			}
			k.mix(y, s, out)
		}
	}
}

// mix computes the pixels of a mixed span one by one.
func (k *worker) mix(y int, s span, out []uint8) {
	e := k.Enlarger
	luma := e.luma[y*e.w : (y+1)*e.w]
	for i := s.from; i < s.to; i++ {
		next := min(i+1, e.lw-1)
		a, b := k.a[i], k.b[i]
		da, db := k.a[next]-a, k.b[next]-b
		for x := e.first[i]; x < e.first[i+1]; x++ {
			t := e.fx[x]
			out[x] = quantise((a+da*t)*float32(luma[x])*(1.0/255) + b + db*t)
		}
	}
}

// Values below surely0 become 0, and those above surely1 become 255, whatever the rounding.
const (
	surely0 = 0.5 - 0.5/gain - 0.001
	surely1 = 0.5 + 0.5/gain + 0.001
)

// fill makes pixels lie inside.
func fill(pixels []uint8) {
	for i := range pixels {
		pixels[i] = 255
	}
}

func quantise(p float32) uint8 {
	p = (p-0.5)*gain + 0.5
	return uint8(min(max(p, 0), 1)*255 + 0.5)
}
