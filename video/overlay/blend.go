package overlay

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/carve-video/carve/internal/parallel"
)

// A blender draws a canvas over the planes of frames. It keeps its memory.
type blender struct {
	parts  []samples   // the components that are drawn on
	tables [][3]tables // of each goroutine and component
}

func (b *blender) init(f *Format) {
	b.tables = nil
	n := min(len(f.Components), 3)
	if len(f.Components) == 2 {
		n = 1 // grey and alpha
	}
	b.parts = make([]samples, n)
	mixes := f.mixes()
	for i := range b.parts {
		comp := f.Components[i]
		k := samples{Component: comp, mix: mixes[i], big: f.BigEndian, wide: comp.Shift+comp.Depth > 8,
			top: float32(int(1)<<comp.Depth - 1), mask: uint16(1)<<comp.Depth - 1}
		if i > 0 && !f.RGB {
			k.sw, k.sh = f.Log2ChromaW, f.Log2ChromaH
		}
		b.parts[i] = k
	}
}

// blend draws the canvas over the planes.
func (b *blender) blend(planes []Plane, c *canvas, threads int) error {
	for len(b.tables) < max(threads, 1) {
		b.tables = append(b.tables, [3]tables{})
	}
	sh := 0
	for i := range b.parts {
		k := &b.parts[i]
		if k.Plane >= len(planes) {
			return fmt.Errorf("component %d lies in plane %d, and there are %d planes", i, k.Plane, len(planes))
		}
		word := 1
		if k.wide {
			word = 2
		}
		p := planes[k.Plane]
		rows, cols := -(-c.h >> k.sh), -(-c.w >> k.sw)
		if need := (rows-1)*p.Stride + k.Offset + (cols-1)*k.Step + word; len(p.Data) < need {
			return fmt.Errorf("component %d: a plane of %d bytes is smaller than a frame of %dx%d", i, len(p.Data), c.w, c.h)
		}
		k.canvas, sh = c, max(sh, k.sh)
	}
	// The goroutines share the rows of samples that are the farthest apart.
	parallel.Do(threads, -(-c.h >> sh), func(worker, from, to int) {
		for i, k := range b.parts {
			k.tables = &b.tables[worker][i]
			p := planes[k.Plane]
			for y := from << sh >> k.sh; y < min(to<<sh>>k.sh, -(-c.h>>k.sh)); y++ {
				k.row(p.Data[y*p.Stride+k.Offset:], y)
			}
		}
	})
	return nil
}

// samples are those of one component, for one goroutine.
type samples struct {
	Component
	mix
	canvas *canvas
	top    float32
	mask   uint16
	wide   bool // they have 16 bits each
	big    bool // the higher byte comes first
	sw, sh int  // binary logarithms of the subsampling

	tables *tables
}

// row blends row y of the samples.
func (k *samples) row(row []byte, y int) {
	if k.sw|k.sh != 0 {
		k.subsampled(row, y)
		return
	}
	r := &k.canvas.rows[y]
	for i := range r.spans {
		s := &r.spans[i]
		if at := row[s.x0*k.Step:]; s.mixed {
			k.each(at, r.pixels(s, s.x0, s.x1))
		} else {
			k.same(at, s.x1-s.x0, s.colour)
		}
	}
}

// maxRows is how many rows and columns of pixels a sample covers at most, as video formats
// have it.
const maxRows = 4

// subsampled blends row y of samples that cover several pixels. They go from one place to the
// next at which one of the rows of pixels changes.
func (k *samples) subsampled(row []byte, y int) {
	c := k.canvas
	y0 := y << k.sh
	rows := c.rows[y0:min(y0+1<<k.sh, c.h)]
	var ahead [maxRows][]span // what is left of each row
	var here [maxRows]span
	x := c.w
	for i := range rows {
		if ahead[i] = rows[i].spans; len(ahead[i]) > 0 {
			x = min(x, ahead[i][0].x0)
		}
	}
	for x = x >> k.sw << k.sw; x < c.w; {
		end, same := c.w, true
		for i := range rows {
			here[i] = next(&ahead[i], x, c.w)
			end = min(end, here[i].x1)
			same = same && !here[i].mixed && here[i].colour == here[0].colour
		}
		at, n := row[x>>k.sw*k.Step:], (end-x)>>k.sw
		switch {
		case n == 0: // the row changes within a sample
			k.across(at, x, y0, len(rows))
			n = 1
		case same:
			k.same(at, n, here[0].colour)
		default:
			k.means(at, x, n, rows, here[:len(rows)])
		}
		x += n << k.sw
	}
}

// next returns what a row has from column x to the end of a span or of the gap between two.
// It drops spans that lie left of x.
func next(row *[]span, x, w int) span {
	for len(*row) > 0 && (*row)[0].x1 <= x {
		*row = (*row)[1:]
	}
	switch r := *row; {
	case len(r) == 0:
		return span{x0: x, x1: w}
	case r[0].x0 > x:
		return span{x0: x, x1: r[0].x0}
	default:
		return r[0]
	}
}

// longRun is how many samples below one colour make a table of their results worth its time.
const longRun = 32

// maxTable bounds the depth of the samples for which there are tables.
const maxTable = 12

// same blends n samples that are below one colour.
func (k *samples) same(at []byte, n int, q rgba) {
	if q == 0 {
		return
	}
	if n >= longRun && k.Depth <= maxTable {
		k.look(at, n, k.table(q))
		return
	}
	add, keep := k.over(uint32(q)&low, uint32(q)>>8&low, 1)
	for i := range n {
		k.blend(at[i*k.Step:], add, keep)
	}
}

// each blends samples that are below one pixel each.
func (k *samples) each(at []byte, pix []uint8) {
	n := len(pix) / 4
	memory := &k.tables.memory
	if k.plain8() {
		for i, v := range at[:n] {
			if q := load(pix[4*i:]); q != 0 {
				m := memory.at(q)
				if m.colour != q {
					k.learn(m, q)
				}
				at[i] = byte(clampSample(float32(v)*m.keep+m.add, 255))
			}
		}
		return
	}
	for i := range n {
		if q := load(pix[4*i:]); q != 0 {
			m := memory.at(q)
			if m.colour != q {
				k.learn(m, q)
			}
			k.blend(at[i*k.Step:], m.add, m.keep)
		}
	}
}

// plain8 reports whether the samples are bytes beside each other.
func (k *samples) plain8() bool { return k.Step == 1 && k.Depth == 8 && k.Shift == 0 }

// means blends n samples below the means of pixels, which begin at column x of some rows. Each
// row has one span there.
func (k *samples) means(at []byte, x, n int, rows []canvasRow, spans []span) {
	one := 1 / float32(len(rows)<<k.sw)
	if len(rows) == 2 && k.sw == 1 && spans[0].mixed && spans[1].mixed { // 4:2:0
		above, below := rows[0].pixels(&spans[0], x, x+2*n), rows[1].pixels(&spans[1], x, x+2*n)
		plain8 := k.plain8()
		for i := range n {
			const low = 0x00ff00ff00ff00ff
			p, q := binary.LittleEndian.Uint64(above[8*i:]), binary.LittleEndian.Uint64(below[8*i:])
			if p|q == 0 {
				continue
			}
			even, odd := p&low+q&low, p>>8&low+q>>8&low
			add, keep := k.over(uint32(even)+uint32(even>>32), uint32(odd)+uint32(odd>>32), one)
			if plain8 {
				at[i] = byte(clampSample(float32(at[i])*keep+add, 255))
				continue
			}
			k.blend(at[i*k.Step:], add, keep)
		}
		return
	}
	for i := range n {
		var even, odd uint32
		for v := range spans {
			s := &spans[v]
			if !s.mixed {
				even, odd = even+uint32(s.colour)&low<<k.sw, odd+uint32(s.colour)>>8&low<<k.sw
				continue
			}
			left := x + i<<k.sw
			pix := rows[v].pixels(s, left, left+1<<k.sw)
			for u := 0; u < len(pix); u += 4 {
				q := load(pix[u:])
				even, odd = even+uint32(q)&low, odd+uint32(q)>>8&low
			}
		}
		if odd != 0 {
			add, keep := k.over(even, odd, one)
			k.blend(at[i*k.Step:], add, keep)
		}
	}
}

// across blends one sample pixel by pixel. Its first pixel is at column x of row y.
func (k *samples) across(at []byte, x, y, rows int) {
	var even, odd, n uint32
	for v := y; v < y+rows; v++ {
		for u := x; u < min(x+1<<k.sw, k.canvas.w); u++ {
			q := k.canvas.at(u, v)
			even, odd, n = even+uint32(q)&low, odd+uint32(q)>>8&low, n+1
		}
	}
	if odd != 0 {
		add, keep := k.over(even, odd, 1/float32(n))
		k.blend(at, add, keep)
	}
}

// over returns what the mean of pixels adds to a sample, and how much of the sample is kept.
// even has the sums of red and blue, odd those of green and alpha, in 16 bits each. one is 1
// over the number of pixels.
func (k *samples) over(even, odd uint32, one float32) (add, keep float32) {
	r, g, b, a := float32(even&0xffff), float32(odd&0xffff), float32(even>>16), float32(odd>>16)
	return (k.r*r + k.g*g + k.b*b + k.a*a) * one, 1 - a*one*(1.0/255)
}

// blend changes one sample.
func (k *samples) blend(at []byte, add, keep float32) {
	if !k.wide {
		old := uint16(at[0])
		s := float32(old >> k.Shift & k.mask)
		at[0] = byte(old&^(k.mask<<k.Shift) | clampSample(s*keep+add, k.top)<<k.Shift)
		return
	}
	old := k.word(at)
	s := float32(old >> k.Shift & k.mask)
	k.putWord(at, old&^(k.mask<<k.Shift)|clampSample(s*keep+add, k.top)<<k.Shift)
}

func (k *samples) word(at []byte) uint16 {
	if k.big {
		return binary.BigEndian.Uint16(at)
	}
	return binary.LittleEndian.Uint16(at)
}

func (k *samples) putWord(at []byte, v uint16) {
	if k.big {
		binary.BigEndian.PutUint16(at, v)
		return
	}
	binary.LittleEndian.PutUint16(at, v)
}

// clampSample rounds a sample to the nearest value from 0 to top.
func clampSample(v, top float32) uint16 { return uint16(min(max(int32(v+0.5), 0), int32(top))) }

// Tables are for colours that are usual in the frames. They are kept from frame to frame.
type tables struct {
	// The result for every value of a sample below one colour each. There are as many as
	// objects are usually beside each other.
	n       int // made so far
	colours [8]rgba
	results [8][]uint16
	memory  memory
}

// A memory has what colours of soft edges do to samples, by their hash.
type memory [256]effect

// An effect is what a colour does to a sample: see [samples.over].
type effect struct {
	colour    rgba
	add, keep float32
}

// at returns the place of a colour that is not 0. Another colour may be there.
func (m *memory) at(q rgba) *effect { return &m[uint32(q)*0x9e3779b1>>24] }

// learn puts a colour into its place.
func (k *samples) learn(e *effect, q rgba) {
	e.colour = q
	e.add, e.keep = k.over(uint32(q)&low, uint32(q)>>8&low, 1)
}

// table returns the table of a colour.
func (k *samples) table(q rgba) []uint16 {
	t := k.tables
	for i, c := range t.colours[:min(t.n, len(t.colours))] {
		if c == q {
			return t.results[i]
		}
	}
	i := t.n % len(t.colours)
	t.n++
	t.colours[i] = q
	t.results[i] = slices.Grow(t.results[i][:0], int(k.mask)+1)[:int(k.mask)+1]
	add, keep := k.over(uint32(q)&low, uint32(q)>>8&low, 1)
	for v := range t.results[i] {
		t.results[i][v] = clampSample(float32(v)*keep+add, k.top)
	}
	return t.results[i]
}

// look takes the results of n samples from the table.
func (k *samples) look(at []byte, n int, table []uint16) {
	switch {
	case k.plain8():
		table, at := (*[256]uint16)(table), at[:n]
		for ; len(at) >= 8; at = at[8:] {
			v := binary.LittleEndian.Uint64(at)
			a := uint32(table[v&0xff]) | uint32(table[v>>8&0xff])<<8 | uint32(table[v>>16&0xff])<<16 | uint32(table[v>>24&0xff])<<24
			b := uint32(table[v>>32&0xff]) | uint32(table[v>>40&0xff])<<8 | uint32(table[v>>48&0xff])<<16 | uint32(table[v>>56])<<24
			binary.LittleEndian.PutUint64(at, uint64(a)|uint64(b)<<32)
		}
		for i, v := range at {
			at[i] = byte(table[v])
		}
	case !k.wide:
		for i := 0; i < n*k.Step; i += k.Step {
			old := uint16(at[i])
			at[i] = byte(old&^(k.mask<<k.Shift) | table[old>>k.Shift&k.mask]<<k.Shift)
		}
	default:
		for i := 0; i < n*k.Step; i += k.Step {
			old := k.word(at[i:])
			k.putWord(at[i:], old&^(k.mask<<k.Shift)|table[old>>k.Shift&k.mask]<<k.Shift)
		}
	}
}
