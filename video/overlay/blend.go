package overlay

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/carve-video/carve/internal/parallel"
)

// A blender draws a canvas over the planes of frames. It keeps its memory.
type blender struct {
	format *Format
	mixes  [3]mix
	tables []tables // one for each goroutine
}

func (b *blender) init(f *Format) { b.format, b.mixes = f, f.mixes() }

// blend draws the canvas over the planes.
func (b *blender) blend(planes []Plane, c *canvas, threads int) error {
	f := b.format
	if n := max(threads, 1); len(b.tables) < n {
		b.tables = make([]tables, n)
	}
	n := min(len(f.Components), 3)
	if len(f.Components) == 2 {
		n = 1 // grey and alpha
	}
	for i := range n {
		comp := f.Components[i]
		if comp.Plane >= len(planes) {
			return fmt.Errorf("component %d lies in plane %d, and there are %d planes", i, comp.Plane, len(planes))
		}
		if err := b.component(planes[comp.Plane], i, c, threads); err != nil {
			return fmt.Errorf("component %d: %w", i, err)
		}
	}
	return nil
}

// longRun is how many equal samples in a row make a table of their results worth its time.
const longRun = 32

// maxTable bounds the depth of the samples for which there are tables.
const maxTable = 12

// component blends one component.
func (b *blender) component(p Plane, i int, c *canvas, threads int) error {
	comp, f := b.format.Components[i], b.format
	k := samples{Component: comp, mix: b.mixes[i], canvas: c, order: binary.LittleEndian, top: float32(int(1)<<comp.Depth - 1), mask: uint16(1)<<comp.Depth - 1}
	if f.BigEndian {
		k.order = binary.BigEndian
	}
	if i > 0 && !f.RGB {
		k.sw, k.sh = f.Log2ChromaW, f.Log2ChromaH
	}
	word := 1
	if k.wide = comp.Shift+comp.Depth > 8; k.wide {
		word = 2
	}
	rows, cols := -(-c.h >> k.sh), -(-c.w >> k.sw)
	if need := (rows-1)*p.Stride + comp.Offset + (cols-1)*comp.Step + word; len(p.Data) < need {
		return fmt.Errorf("a plane of %d bytes is smaller than a frame of %dx%d", len(p.Data), c.w, c.h)
	}
	parallel.Do(threads, rows, func(worker, from, to int) {
		k := k
		k.tables = &b.tables[worker]
		k.tables.n = 0 // those of another component
		for y := from; y < to; y++ {
			k.row(p.Data[y*p.Stride:], y)
		}
	})
	return nil
}

// samples are those of one component, for one goroutine.
type samples struct {
	Component
	mix
	canvas *canvas
	order  binary.ByteOrder
	top    float32
	mask   uint16
	wide   bool // they have 16 bits each
	sw, sh int  // binary logarithms of the subsampling

	tables *tables
}

// Tables have the result for every value of a sample below one colour each. There are as many
// as objects are usually beside each other.
type tables struct {
	n       int // made so far, for this component
	colours [4]uint32
	results [4][]uint16
}

// row blends row y of the samples.
func (k *samples) row(row []byte, y int) {
	c := k.canvas
	// The canvas rows and columns that the samples cover.
	y0, y1 := y<<k.sh, min((y+1)<<k.sh, c.h)
	x0, x1 := c.w, 0
	for v := y0; v < y1; v++ {
		x0, x1 = min(x0, c.x0[v]), max(x1, c.x1[v])
	}
	if x1 <= x0 {
		return
	}
	for x, end := x0>>k.sw, (x1-1)>>k.sw+1; x < end; {
		colour, n := k.run(x, end, y0, y1)
		switch {
		case colour == 0 && n > 0:
		case n >= longRun && k.Depth <= maxTable:
			k.look(row, x, n, k.table(colour))
		default:
			n = max(n, 1)
			for u := x; u < x+n; u++ {
				k.blend(row, u, y0, y1)
			}
		}
		x += n
	}
}

// run returns how many samples from x on are below one colour alone, and that colour:
// premultiplied RGBA as it is in memory. It is 0 samples if x is below several.
func (k *samples) run(x, end, y0, y1 int) (colour uint32, n int) {
	c := k.canvas
	left, right := x<<k.sw, min(end<<k.sw, c.w)
	colour = binary.NativeEndian.Uint32(c.pix[4*(y0*c.w+left):])
	for v := y0; v < y1; v++ {
		right = left + equal(c.pix[4*(v*c.w+left):4*(v*c.w+right)], colour)
	}
	if right == c.w {
		return colour, end - x // the last sample may cover fewer columns
	}
	return colour, right>>k.sw - x
}

// equal returns how many pixels from the first on have one colour.
func equal(pix []uint8, colour uint32) int {
	const pair, many = 8, 32 // bytes
	twice := uint64(colour)<<32 | uint64(colour)
	i := 0
	for ; i+many <= len(pix); i += many {
		p := pix[i:][:many:many]
		differ := binary.NativeEndian.Uint64(p) ^ twice
		differ |= binary.NativeEndian.Uint64(p[pair:]) ^ twice
		differ |= binary.NativeEndian.Uint64(p[2*pair:]) ^ twice
		differ |= binary.NativeEndian.Uint64(p[3*pair:]) ^ twice
		if differ != 0 {
			break
		}
	}
	for i+4 <= len(pix) && binary.NativeEndian.Uint32(pix[i:]) == colour {
		i += 4
	}
	return i / 4
}

// table returns the table of a colour.
func (k *samples) table(colour uint32) []uint16 {
	t := k.tables
	for i, c := range t.colours[:min(t.n, len(t.colours))] {
		if c == colour {
			return t.results[i]
		}
	}
	i := t.n % len(t.colours)
	t.n++
	t.colours[i] = colour
	t.results[i] = slices.Grow(t.results[i][:0], int(k.mask)+1)[:int(k.mask)+1]
	var q [4]uint8
	binary.NativeEndian.PutUint32(q[:], colour)
	add, keep := k.over(uint32(q[0]), uint32(q[1]), uint32(q[2]), uint32(q[3]), 1)
	for v := range t.results[i] {
		t.results[i][v] = clampSample(float32(v)*keep+add, k.top)
	}
	return t.results[i]
}

// look takes the results of n samples from the table.
func (k *samples) look(row []byte, x, n int, table []uint16) {
	at := row[k.Offset+x*k.Step:]
	switch {
	case !k.wide && k.Step == 1 && k.Shift == 0 && k.Depth == 8:
		table := (*[256]uint16)(table)
		for i, v := range at[:n] {
			at[i] = byte(table[v])
		}
	case !k.wide:
		for i := 0; i < n*k.Step; i += k.Step {
			old := uint16(at[i])
			at[i] = byte(old&^(k.mask<<k.Shift) | table[old>>k.Shift&k.mask]<<k.Shift)
		}
	default:
		for i := 0; i < n*k.Step; i += k.Step {
			old := k.order.Uint16(at[i:])
			k.order.PutUint16(at[i:], old&^(k.mask<<k.Shift)|table[old>>k.Shift&k.mask]<<k.Shift)
		}
	}
}

// blend blends one sample, which is below the mean of all pixels that it covers.
func (k *samples) blend(row []byte, x, y0, y1 int) {
	c := k.canvas
	var r, g, b, a, n uint32
	for v := y0; v < y1; v++ {
		for u := x << k.sw; u < min((x+1)<<k.sw, c.w); u++ {
			q := c.pix[4*(v*c.w+u):][:4:4]
			r, g, b, a, n = r+uint32(q[0]), g+uint32(q[1]), b+uint32(q[2]), a+uint32(q[3]), n+1
		}
	}
	if a == 0 {
		return
	}
	add, keep := k.over(r, g, b, a, n)
	at := row[k.Offset+x*k.Step:]
	if !k.wide {
		old := uint16(at[0])
		s := float32(old >> k.Shift & k.mask)
		at[0] = byte(old&^(k.mask<<k.Shift) | clampSample(s*keep+add, k.top)<<k.Shift)
		return
	}
	old := k.order.Uint16(at)
	s := float32(old >> k.Shift & k.mask)
	k.order.PutUint16(at, old&^(k.mask<<k.Shift)|clampSample(s*keep+add, k.top)<<k.Shift)
}

// over returns what the sum of n pixels adds to a sample, and how much of the sample is kept.
func (k *samples) over(r, g, b, a, n uint32) (add, keep float32) {
	one := 1 / float32(n)
	add = (k.r*float32(r) + k.g*float32(g) + k.b*float32(b) + k.a*float32(a)) * one
	return add, 1 - float32(a)*one*(1.0/255)
}

func clampSample(v, top float32) uint16 { return uint16(min(max(v, 0), top) + 0.5) }
