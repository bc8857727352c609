package car

import "math"

// A boxFinder finds the boxes inside which a heat map may spread by affinity. It
// reuses its memory.
type boxFinder struct {
	hot   []bool
	queue []int32
}

// mark sets inside to 1 in the union of the boxes of a heat map of rows×cols values
// in 0..1, and to 0 elsewhere (docs/algorithm.md 3.6). The boxes are the bounding rectangles of
// the 8-connected components of the values above lambda times the maximum.
//
// With cut, a rectangle that touches the right or bottom edge loses its last
// column or row, as in the reference.
func (b *boxFinder) mark(heat []float32, rows, cols int, lambda float32, cut bool, inside []float32) {
	n := rows * cols
	if cap(b.hot) < n {
		b.hot = make([]bool, n)
	}
	b.hot = b.hot[:n]
	clear(inside[:n])
	high := 0
	for _, v := range heat[:n] {
		high = max(high, int(255*v))
	}
	any := false
	// Rounded, so that lambda is the decimal number that the reference has: 0.7 of
	// 250 is 175, and not one less.
	for l := math.Round(float64(lambda)*1e6) / 1e6; ; l -= 0.1 {
		threshold := int(l * float64(high))
		for i, v := range heat[:n] {
			b.hot[i] = int(255*v) > threshold
			any = any || b.hot[i]
		}
		if any || l <= 0 {
			break
		}
	}
	for start := range b.hot {
		if !b.hot[start] {
			continue
		}
		x0, y0, x1, y1 := b.component(start, rows, cols)
		x1, y1 = x1+1, y1+1
		if cut {
			x1, y1 = min(x1, cols-1), min(y1, rows-1)
		}
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				inside[y*cols+x] = 1
			}
		}
	}
}

// component clears the component that contains start and returns its bounds.
func (b *boxFinder) component(start, rows, cols int) (x0, y0, x1, y1 int) {
	x0, y0, x1, y1 = cols, rows, 0, 0
	b.queue = append(b.queue[:0], int32(start))
	b.hot[start] = false
	for len(b.queue) > 0 {
		i := int(b.queue[len(b.queue)-1])
		b.queue = b.queue[:len(b.queue)-1]
		x, y := i%cols, i/cols
		x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
		for v := max(y-1, 0); v <= min(y+1, rows-1); v++ {
			for u := max(x-1, 0); u <= min(x+1, cols-1); u++ {
				if j := v*cols + u; b.hot[j] {
					b.hot[j] = false
					b.queue = append(b.queue, int32(j))
				}
			}
		}
	}
	return x0, y0, x1, y1
}
