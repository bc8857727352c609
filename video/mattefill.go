package video

import "github.com/carve-video/carve/internal/parallel"

// A matteFill writes a mask into frames of one pixel format: into alpha, or into the one
// component that shows it.
type matteFill struct {
	layout   Layout
	low      int // place of the low byte of a sample of two
	threads  int
	premult  bool // multiply the other components by alpha
	multiply bool // the frames have alpha already, which is multiplied by the mask
	// values has the sample of each value of a mask, and most is that of 255.
	values [256]uint16
	most   int
	black  [3]int // samples of the components where alpha is 0, if premult
	grey   int    // sample of the chroma of a mask alone; 0: it has none
}

// showsMask reports whether a mask can be written into frames of a format: as alpha, as grey,
// or as luma beside bytes of chroma.
func (l Layout) showsMask() bool {
	for _, c := range l.Components {
		if c.Shift > 0 {
			return false
		}
	}
	return l.Alpha || len(l.Components) == 1 || !l.RGB && l.Components[0].Depth == 8
}

// newMatteFill prepares the tables. limited is the range of luma and chroma.
func newMatteFill(to Layout, limited, premult, multiply bool, threads int) matteFill {
	f := matteFill{layout: to, threads: max(threads, 1), premult: premult, multiply: multiply && to.Alpha}
	if to.BigEndian {
		f.low = 1
	}
	depth := f.shown().Depth
	f.most = 1<<depth - 1
	low, high := 0, f.most
	if !to.Alpha && len(to.Components) > 1 { // luma; alpha has all values in every range
		f.grey = 1 << (depth - 1)
		if limited {
			low, high = 16<<(depth-8), 235<<(depth-8)
		}
	}
	for v := range f.values {
		f.values[v] = uint16(low + (v*(high-low)*2+255)/(2*255))
	}
	if !to.RGB {
		f.black = [3]int{0, 1 << (depth - 1), 1 << (depth - 1)}
		if limited {
			f.black[0] = 16 << (depth - 8)
		}
	}
	return f
}

// shown returns the component that shows the mask.
func (f *matteFill) shown() Component {
	if f.layout.Alpha {
		return f.layout.Components[len(f.layout.Components)-1]
	}
	return f.layout.Components[0]
}

// draw writes a mask of w × h pixels.
func (f *matteFill) draw(planes []Plane, mask []uint8, w, h int) {
	threads := min(f.threads, h)
	if f.grey > 0 {
		for _, c := range f.layout.Components[1:] {
			fillBytes(planes[c.Plane].Data, byte(f.grey))
		}
	}
	draw := f.rows8
	if f.shown().Depth > 8 {
		draw = f.rows16
	}
	parallel.Do(threads, threads, func(_, from, to int) {
		draw(planes, mask, w, h*from/threads, h*to/threads)
	})
}

func fillBytes(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// rows8 writes rows of samples of one byte.
func (f *matteFill) rows8(planes []Plane, mask []uint8, w, from, to int) {
	c := f.shown()
	for y := from; y < to; y++ {
		row := planes[c.Plane].Data[y*planes[c.Plane].Stride+c.Offset:]
		values := mask[y*w : (y+1)*w]
		for x, v := range values {
			a := int(f.values[v])
			if f.multiply {
				a = scaled(int(row[x*c.Step]), a, f.most)
			}
			row[x*c.Step] = byte(a)
		}
		if !f.premult {
			continue
		}
		for i, k := range f.layout.Components[:3] {
			black := f.black[i]
			to := planes[k.Plane].Data[y*planes[k.Plane].Stride+k.Offset:]
			for x := range values {
				if a := int(row[x*c.Step]); a != f.most {
					to[x*k.Step] = byte(black + scaled(int(to[x*k.Step])-black, a, f.most))
				}
			}
		}
	}
}

// rows16 writes rows of samples of two bytes.
func (f *matteFill) rows16(planes []Plane, mask []uint8, w, from, to int) {
	c := f.shown()
	for y := from; y < to; y++ {
		row := planes[c.Plane].Data[y*planes[c.Plane].Stride+c.Offset:]
		values := mask[y*w : (y+1)*w]
		for x, v := range values {
			a := int(f.values[v])
			if f.multiply {
				a = scaled(f.get(row, x*c.Step), a, f.most)
			}
			f.put(row, x*c.Step, a)
		}
		if !f.premult {
			continue
		}
		for i, k := range f.layout.Components[:3] {
			black := f.black[i]
			to := planes[k.Plane].Data[y*planes[k.Plane].Stride+k.Offset:]
			for x := range values {
				if a := f.get(row, x*c.Step); a != f.most {
					f.put(to, x*k.Step, black+scaled(f.get(to, x*k.Step)-black, a, f.most))
				}
			}
		}
	}
}

// get reads a sample of two bytes.
func (f *matteFill) get(row []byte, at int) int { return int(row[at+f.low]) | int(row[at+1-f.low])<<8 }

// put writes a sample of two bytes.
func (f *matteFill) put(row []byte, at, v int) {
	row[at+f.low], row[at+1-f.low] = byte(v), byte(v>>8)
}

// scaled returns v·a/most, rounded to the nearest.
func scaled(v, a, most int) int {
	switch {
	case a == 0: // most of a frame
		return 0
	case v < 0:
		return -scaled(-v, a, most)
	}
	return (2*v*a + most) / (2 * most)
}
