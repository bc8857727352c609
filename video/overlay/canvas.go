package overlay

import (
	"slices"
	"sort"
)

// A canvas holds what is laid over a frame: premultiplied RGBA with 8 bits. Rows are lists of
// spans, because most pixels have the colour of their neighbours. Different rows may be drawn
// on by different goroutines.
type canvas struct {
	w, h int
	rows []canvasRow
}

// A canvasRow is one row of a canvas. Between its spans nothing is drawn.
type canvasRow struct {
	spans []span  // from left to right
	pix   []uint8 // the pixels of mixed spans
}

// A span is the columns [x0, x1) of a row. They have one colour, or if the span is mixed,
// those in the row's pix from an index on.
type span struct {
	x0, x1 int
	mixed  bool
	colour rgba
	at     int
}

func (c *canvas) init(w, h int) { c.w, c.h, c.rows = w, h, make([]canvasRow, h) }

// clear empties the canvas.
func (c *canvas) clear() {
	for y := range c.rows {
		r := &c.rows[y]
		r.spans, r.pix = r.spans[:0], r.pix[:0]
	}
}

// pixels returns the pixels of a mixed span between two columns.
func (r *canvasRow) pixels(s *span, x0, x1 int) []uint8 {
	return r.pix[s.at+4*(x0-s.x0) : s.at+4*(x1-s.x0)]
}

// split splits span i at a column.
func (r *canvasRow) split(i, x int) {
	r.spans = slices.Insert(r.spans, i+1, r.spans[i])
	left, right := &r.spans[i], &r.spans[i+1]
	left.x1, right.x0 = x, x
	right.at += 4 * (x - left.x0)
}

// cut returns the indices of the spans between two columns: from i to j. It cuts those that
// reach beyond, and puts transparent ones where there are none.
func (r *canvasRow) cut(x0, x1 int) (i, j int) {
	i = len(r.spans)
	if i > 0 && r.spans[i-1].x1 > x0 {
		i = r.find(x0)
	}
	if i < len(r.spans) && r.spans[i].x0 < x0 {
		r.split(i, x0)
		i++
	}
	j = i
	for x := x0; x < x1; j++ {
		switch {
		case j == len(r.spans) || r.spans[j].x0 >= x1:
			r.spans = slices.Insert(r.spans, j, span{x0: x, x1: x1})
		case r.spans[j].x0 > x:
			r.spans = slices.Insert(r.spans, j, span{x0: x, x1: r.spans[j].x0})
		case r.spans[j].x1 > x1:
			r.split(j, x1)
		}
		x = r.spans[j].x1
	}
	return i, j
}

// find returns the index of the first span that ends right of a column.
func (r *canvasRow) find(x int) int {
	return sort.Search(len(r.spans), func(i int) bool { return r.spans[i].x1 > x })
}

// fill draws a colour with an opacity of 0..255 over the pixels of row y between two columns.
func (c *canvas) fill(y, x0, x1 int, n ink, opacity uint32) {
	if x0 >= x1 || opacity == 0 {
		return
	}
	r := &c.rows[y]
	i, j := r.cut(x0, x1)
	for k := i; k < j; k++ {
		s := &r.spans[k]
		if !s.mixed {
			s.colour = s.colour.over(n, opacity)
			continue
		}
		pix := r.pixels(s, s.x0, s.x1)
		for x := 0; x < len(pix); x += 4 {
			load(pix[x:]).over(n, opacity).store(pix[x:])
		}
	}
}

// mix returns the pixels of row y between two columns, to be drawn on one by one.
func (c *canvas) mix(y, x0, x1 int) []uint8 {
	if x0 >= x1 {
		return nil
	}
	r := &c.rows[y]
	i, j := r.cut(x0, x1)
	all := span{x0: x0, x1: x1, mixed: true, at: len(r.pix)}
	if j == i+1 && r.spans[i].mixed {
		return r.pixels(&r.spans[i], x0, x1)
	}
	if len(r.pix) >= 4*c.w {
		r.compact()
		all.at = len(r.pix)
	}
	r.pix = slices.Grow(r.pix, 4*(x1-x0))[:len(r.pix)+4*(x1-x0)]
	for k := i; k < j; k++ {
		s := &r.spans[k]
		pix := r.pixels(&all, s.x0, s.x1)
		switch {
		case s.mixed:
			copy(pix, r.pixels(s, s.x0, s.x1))
		case s.colour == 0:
			clear(pix)
		default:
			for x := 0; x < len(pix); x += 4 {
				s.colour.store(pix[x:])
			}
		}
	}
	r.spans[i] = all
	r.spans = slices.Delete(r.spans, i+1, j)
	return r.pixels(&all, x0, x1)
}

// compact drops the pixels that no span has any more, so that many layers over each other
// take no more memory than two rows.
func (r *canvasRow) compact() {
	var pix []uint8
	for i := range r.spans {
		if s := &r.spans[i]; s.mixed {
			from := len(pix)
			pix = append(pix, r.pixels(s, s.x0, s.x1)...)
			s.at = from
		}
	}
	r.pix = append(r.pix[:0], pix...)
}

// lay draws premultiplied pixels over those of row y from a column on.
func (c *canvas) lay(y, x int, line []rgba) {
	for from := 0; from < len(line); {
		// Panels have many pixels of one colour beside each other, letters have not.
		to := from
		n := 0 // of the last run
		for to < len(line) && n < leastPlain {
			for n = 1; to+n < len(line) && line[to+n] == line[to]; {
				n++
			}
			to += n
		}
		if n >= leastPlain {
			to -= n
		} else {
			n = 0
		}
		pix := c.mix(y, x+from, x+to)
		for i, q := range line[from:to] {
			if k, opacity := q.straight(); opacity != 0 {
				load(pix[4*i:]).over(k, opacity).store(pix[4*i:])
			}
		}
		if n > 0 {
			k, opacity := line[to].straight()
			c.fill(y, x+to, x+to+n, k, opacity)
		}
		from = to + n
	}
}

// at returns the colour of a pixel.
func (c *canvas) at(x, y int) rgba {
	r := &c.rows[y]
	i := r.find(x)
	switch {
	case i == len(r.spans) || r.spans[i].x0 > x:
		return 0
	case r.spans[i].mixed:
		return load(r.pixels(&r.spans[i], x, x+1))
	}
	return r.spans[i].colour
}
