package matte

import (
	"bytes"
	"image"
)

// A worker enlarges rows for one goroutine.
type worker struct {
	*Enlarger
	columns []uint32  // sums of columns of pixels
	sums    sums      // of a row of windows
	a, b    []float32 // the functions of one row of pixels, by column of the mask
	between int       // the row of the mask above the pixels, which spans are for; -1 for none
	spans   []span
	extent  image.Rectangle // of the pixels that may be other than 0
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
		k := worker{Enlarger: e, columns: make([]uint32, e.w)}
		for _, s := range []*[]float32{&k.a, &k.b, &k.sums.i, &k.sums.ii, &k.sums.ip, &k.sums.p} {
			*s = make([]float32, e.lw)
		}
		e.workers = append(e.workers, k)
	}
}

// plan finds the spans between row j of the mask and the row below.
func (k *worker) plan(j, below int) {
	k.between, k.spans = j, k.spans[:0]
	not0, not1 := k.band.not0.row(j), k.band.not1.row(j)
	for x := 0; x < k.lw; {
		// The next column of each kind is this one, or tells how far this one's kind goes.
		if end := next(not0, x, k.lw, true); end > x {
			k.add(span{x, end, outside})
			x = end
		} else if end = next(not1, x, k.lw, true); end > x {
			k.add(span{x, end, inside})
			x = end
		} else {
			end = min(next(not0, x, k.lw, false), next(not1, x, k.lw, false))
			k.bound(j, below, x, end)
			x = end
		}
	}
}

// bound adds spans in the band. A value is linear in brightness and between rows and columns,
// so that it lies between those of black and white in the four corners.
func (k *worker) bound(j, below, from, to int) {
	at := func(i int) (low, high float32) {
		p, q := j*k.lw+i, below*k.lw+i
		above, under := k.Enlarger.b[p], k.Enlarger.b[q] // for black
		brightAbove, brightUnder := above+k.Enlarger.a[p], under+k.Enlarger.a[q]
		return min(above, under, brightAbove, brightUnder), max(above, under, brightAbove, brightUnder)
	}
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
	below := min(j+1, e.lh-1)
	if j != k.between {
		k.plan(j, below)
	}
	if n := len(k.spans); n > 1 || k.spans[0].kind != outside {
		first, last := k.spans[0], k.spans[n-1]
		if first.kind == outside {
			first = k.spans[1]
		}
		if last.kind == outside {
			last = k.spans[n-2]
		}
		k.extent = k.extent.Union(image.Rect(e.first[first.from], y, e.first[last.to], y+1))
	}
	for _, s := range k.spans {
		switch pixels := out[e.first[s.from]:e.first[s.to]]; s.kind {
		case outside: // they are 0
		case inside:
			fill(pixels)
		default:
			for x := s.from; x <= min(s.to, e.lw-1); x++ {
				p, q := j*e.lw+x, below*e.lw+x
				a, b := e.a[p]+(e.a[q]-e.a[p])*f, e.b[p]+(e.b[q]-e.b[p])*f
				// The same functions, of samples and with samples as values (see quantise).
				k.a[x], k.b[x] = a*gain, ((b-0.5)*gain+0.5)*255+0.5
			}
			k.mix(y, s, out)
		}
	}
}

// mix computes the pixels of a mixed span one by one.
func (k *worker) mix(y int, s span, out []uint8) {
	e := k.Enlarger
	luma := e.luma[y*e.stride:][:e.w]
	for i := s.from; i < s.to; i++ {
		next := min(i+1, e.lw-1)
		a, b := k.a[i], k.b[i]
		da, db := k.a[next]-a, k.b[next]-b
		first, end := e.first[i], e.first[i+1]
		bright, pixels := luma[first:end], out[first:end]
		for x, t := range e.fx[first:end] {
			v := int32((a+da*t)*float32(bright[x]) + b + db*t)
			pixels[x] = uint8(min(max(v, 0), 255))
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
	for len(pixels) > 0 {
		pixels = pixels[copy(pixels, full[:]):]
	}
}

var full = [256]uint8(bytes.Repeat([]byte{255}, 256))

func quantise(p float32) uint8 {
	p = (p-0.5)*gain + 0.5
	return uint8(min(max(p, 0), 1)*255 + 0.5)
}
