package video

import "fmt"

// A Plane is one plane of samples in memory: rows of Stride bytes, of which the first
// bytes belong to the frame.
type Plane struct {
	Data   []byte
	Stride int
}

// Planes returns the frame's planes for drawing, in the source's pixel format. If
// others share the samples it copies them first: a decoder predicts later frames from
// earlier ones, so that drawing into its samples would smear over the rest of the
// video. The planes are valid until Release.
func (f *Frame) Planes() ([4]Plane, error) {
	var planes [4]Plane
	if err := f.slot.detach(); err != nil {
		return planes, fmt.Errorf("frame %d: %w", f.Index, err)
	}
	return f.planes()
}

// View returns the frame's planes for reading. Others may read them at the same time.
// They are valid until Release.
func (f *Frame) View() ([4]Plane, error) {
	if frameUpsideDown(f.slot.frame()) {
		return f.Planes()
	}
	return f.planes()
}

func (f *Frame) planes() (planes [4]Plane, err error) {
	p := f.slot.frame()
	d, ok := describe(p.PixelFormat())
	if !ok {
		return planes, fmt.Errorf("frame %d: unknown pixel format %s", f.Index, p.PixelFormat().Name())
	}
	for i := range planes {
		data, stride := framePlane(p, i, d.rows(i, p.Height()))
		planes[i] = Plane{data, stride}
	}
	return planes, nil
}

// rows returns the height of plane i in a frame of height h.
func (d Layout) rows(i, h int) int {
	if d.Palette && i == 1 {
		return 1
	}
	chroma, used := false, false
	for c, comp := range d.Components {
		if comp.Plane == i {
			used = true
			// Components 1 and 2 are chroma. If they share a plane with luma the format
			// is packed, and the plane has all rows.
			chroma = !d.RGB && (c == 1 || c == 2) && comp.Plane != d.Components[0].Plane
		}
	}
	if !used {
		return 0
	}
	if chroma {
		return -(-h >> d.ChromaY)
	}
	return h
}

// LumaView returns the samples of Luma where they lie in the frame, if they are bytes beside
// each other. They are for reading only, and valid until Release.
func (f *Frame) LumaView() (Plane, bool) {
	p := f.slot.frame()
	d, ok := describe(p.PixelFormat())
	if !ok || !d.drawable() || d.RGB || frameUpsideDown(p) {
		return Plane{}, false
	}
	if y := d.Components[0]; y.Step != 1 || y.Depth != 8 || y.Shift != 0 || y.Offset != 0 {
		return Plane{}, false
	}
	i := d.Components[0].Plane
	data, stride := framePlane(p, i, d.rows(i, p.Height()))
	return Plane{data, stride}, stride >= p.Width()
}

// Luma returns the frame's brightness as 8-bit samples of the coded size, row after
// row, in dst or, if that is too small, in new memory. It guides the upsampling of
// masks, for which edges matter and exact values do not. Deeper samples are cut to
// their upper eight bits, and RGB is weighted as in BT.601.
func (f *Frame) Luma(dst []byte) ([]byte, error) {
	p := f.slot.frame()
	if frameUpsideDown(p) {
		if err := f.slot.detach(); err != nil {
			return nil, fmt.Errorf("frame %d: %w", f.Index, err)
		}
		p = f.slot.frame()
	}
	w, h := p.Width(), p.Height()
	if cap(dst) < w*h {
		dst = make([]byte, w*h)
	}
	dst = dst[:w*h]
	d, ok := describe(p.PixelFormat())
	if !ok || !d.drawable() {
		return nil, fmt.Errorf("frame %d: no brightness in pixel format %s", f.Index, p.PixelFormat().Name())
	}
	rgb := d.RGB && len(d.Components) >= 3
	for y := range h {
		row := dst[y*w : (y+1)*w]
		if !rgb {
			d.sampleRow(p, 0, y, row)
			continue
		}
		var px [3]sampler
		for c := range px {
			px[c] = d.sampler(p, c, y)
		}
		for x := range row {
			row[x] = byte((77*int(px[0].at(x)) + 150*int(px[1].at(x)) + 29*int(px[2].at(x)) + 128) >> 8)
		}
	}
	return dst, nil
}
