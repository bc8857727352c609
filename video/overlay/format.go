package overlay

import "fmt"

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

	// Transfer and Primaries are FFmpeg's names of the transfer function and of the
	// primaries. Unknown ones are taken for BT.709's.
	Transfer, Primaries string
}

func (f *Format) check() error {
	n := len(f.Components)
	if f.RGB && n < 3 || n == 0 {
		return fmt.Errorf("a pixel format with %d components cannot be drawn on", n)
	}
	if f.Log2ChromaW < 0 || f.Log2ChromaH < 0 || 1<<f.Log2ChromaW > maxRows || 1<<f.Log2ChromaH > maxRows {
		return fmt.Errorf("chroma that is halved %d and %d times cannot be drawn on", f.Log2ChromaW, f.Log2ChromaH)
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
