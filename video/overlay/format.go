package overlay

import (
	"encoding/binary"
	"fmt"

	"github.com/carve-video/carve/internal/parallel"
)

// A Component says where the samples of one component are stored. The first is at byte
// Offset of a row of Plane, and each further one Step bytes later. A sample has Depth
// bits, starting at bit Shift of its 8- or 16-bit word.
type Component struct{ Plane, Step, Offset, Shift, Depth int }

// A Format describes samples, as FFmpeg's pixel format descriptions and colour tags do.
type Format struct {
	// Components are Y, Cb, Cr, or R, G, B, or Y alone. An alpha component may follow
	// and is left unchanged.
	Components []Component
	RGB        bool
	// Log2ChromaW and Log2ChromaH say how many times the chroma planes are halved.
	Log2ChromaW, Log2ChromaH int
	BigEndian                bool

	// Matrix is FFmpeg's name of the YCbCr matrix. If it is unknown the choice is that
	// of players: BT.709 from 720 rows on and BT.601 below. Rows is the height that
	// decides this.
	Matrix    string
	Rows      int
	FullRange bool
}

func (f *Format) check() error {
	n := len(f.Components)
	if f.RGB && n < 3 || n == 0 {
		return fmt.Errorf("a pixel format with %d components cannot be drawn on", n)
	}
	for _, c := range f.Components {
		if c.Depth < 1 || c.Depth > 16 || c.Shift+c.Depth > 16 || c.Plane < 0 || c.Plane > 3 || c.Step < 1 {
			return fmt.Errorf("a component of %d bits, %d apart, cannot be drawn on", c.Depth, c.Step)
		}
	}
	return nil
}

// matrix returns the luma coefficients of red and blue (ITU-R BT.601, BT.709, BT.2020;
// SMPTE 240M; FCC).
func (f *Format) matrix() (kr, kb float64) {
	switch f.Matrix {
	case "bt709":
		return 0.2126, 0.0722
	case "bt2020nc", "bt2020c":
		return 0.2627, 0.0593
	case "smpte240m":
		return 0.212, 0.087
	case "fcc":
		return 0.30, 0.11
	case "bt470bg", "smpte170m":
		return 0.299, 0.114
	}
	if f.Rows >= 720 {
		return 0.2126, 0.0722
	}
	return 0.299, 0.114
}

// A mix computes the value of one component, in its samples, from premultiplied RGBA of
// 0..255: r·R + g·G + b·B + a·A. A carries the component's offset.
type mix struct {
	r, g, b, a float32
}

func (f *Format) mixes() [3]mix {
	var m [3]mix
	if f.RGB {
		for i := range m {
			s := float32(int(1)<<f.Components[i].Depth-1) / 255
			switch i {
			case 0:
				m[i].r = s
			case 1:
				m[i].g = s
			case 2:
				m[i].b = s
			}
		}
		return m
	}
	kr, kb := f.matrix()
	kg := 1 - kr - kb
	for i := range min(len(f.Components), 3) {
		depth := f.Components[i].Depth
		top := float64(int(1)<<depth - 1)
		unit := float64(int(1)<<depth) / 256 // one 8-bit step of the limited range, in samples
		if i == 0 {
			// A is 255 if the colour is opaque, so it carries the offset.
			scale, offset := top, 0.0
			if !f.FullRange {
				scale, offset = 219*unit, 16*unit
			}
			m[0] = mix{float32(kr * scale / 255), float32(kg * scale / 255), float32(kb * scale / 255), float32(offset / 255)}
			continue
		}
		scale, middle := top, 128*unit
		if !f.FullRange {
			scale = 224 * unit
		}
		// Cb = (B - Y) / (2·(1 - kb)), Cr = (R - Y) / (2·(1 - kr)).
		k := 2 * (1 - kb)
		r, g, b := -kr/k, -kg/k, (1-kb)/k
		if i == 2 {
			k = 2 * (1 - kr)
			r, g, b = (1-kr)/k, -kg/k, -kb/k
		}
		s := scale / 255
		m[i] = mix{float32(r * s), float32(g * s), float32(b * s), float32(middle / 255)}
	}
	return m
}

// blend draws the canvas over the planes.
func (f *Format) blend(planes []Plane, c *canvas, threads int) error {
	mixes := f.mixes()
	n := min(len(f.Components), 3)
	if len(f.Components) == 2 {
		n = 1 // grey and alpha
	}
	for i := range n {
		sw, sh := 0, 0
		if i > 0 && !f.RGB {
			sw, sh = f.Log2ChromaW, f.Log2ChromaH
		}
		comp := f.Components[i]
		if comp.Plane >= len(planes) {
			return fmt.Errorf("component %d lies in plane %d, and there are %d planes", i, comp.Plane, len(planes))
		}
		if err := f.blendComponent(planes[comp.Plane], comp, mixes[i], sw, sh, c, threads); err != nil {
			return fmt.Errorf("component %d: %w", i, err)
		}
	}
	return nil
}

func (f *Format) blendComponent(p Plane, comp Component, m mix, sw, sh int, c *canvas, threads int) error {
	word := 1
	if comp.Shift+comp.Depth > 8 {
		word = 2
	}
	rows, cols := -(-c.h >> sh), -(-c.w >> sw)
	if need := (rows-1)*p.Stride + comp.Offset + (cols-1)*comp.Step + word; len(p.Data) < need {
		return fmt.Errorf("a plane of %d bytes is smaller than a frame of %dx%d", len(p.Data), c.w, c.h)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if f.BigEndian {
		order = binary.BigEndian
	}
	top := float32(int(1)<<comp.Depth - 1)
	mask := uint16(1)<<comp.Depth - 1
	parallel.Do(threads, rows, func(_, from, to int) {
		for y := from; y < to; y++ {
			// The canvas rows and columns that the sample covers.
			y0, y1 := y<<sh, min((y+1)<<sh, c.h)
			x0, x1 := c.w, 0
			for v := y0; v < y1; v++ {
				x0, x1 = min(x0, c.x0[v]), max(x1, c.x1[v])
			}
			if x1 <= x0 {
				continue
			}
			row := p.Data[y*p.Stride:]
			for x := x0 >> sw; x <= (x1-1)>>sw; x++ {
				var r, g, b, a, n uint32
				for v := y0; v < y1; v++ {
					for u := x << sw; u < min((x+1)<<sw, c.w); u++ {
						q := c.pix[4*(v*c.w+u):][:4:4]
						r, g, b, a, n = r+uint32(q[0]), g+uint32(q[1]), b+uint32(q[2]), a+uint32(q[3]), n+1
					}
				}
				if a == 0 {
					continue
				}
				one := 1 / float32(n)
				add := (m.r*float32(r) + m.g*float32(g) + m.b*float32(b) + m.a*float32(a)) * one
				keep := 1 - float32(a)*one*(1.0/255)
				at := row[comp.Offset+x*comp.Step:]
				if word == 1 {
					old := uint16(at[0])
					s := float32(old >> comp.Shift & mask)
					at[0] = byte(old&^(mask<<comp.Shift) | clampSample(s*keep+add, top)<<comp.Shift)
					continue
				}
				old := order.Uint16(at)
				s := float32(old >> comp.Shift & mask)
				order.PutUint16(at, old&^(mask<<comp.Shift)|clampSample(s*keep+add, top)<<comp.Shift)
			}
		}
	})
	return nil
}

func clampSample(v, top float32) uint16 { return uint16(min(max(v, 0), top) + 0.5) }
