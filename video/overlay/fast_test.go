package overlay

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// slowly draws layers as Draw does, pixel by pixel, without a legend.
func slowly(p *Painter, planes []Plane, layers []Layer) {
	p.canvas.clear()
	p.line.walkers = make([]walker, 1)
	t := p.line.width
	for _, l := range layers {
		box := rect{0, 0, p.Width, p.Height}
		line := p.line.walk(0, l.Alpha, box, 0)
		for y := range p.Height {
			for x := range p.Width {
				if a := l.Alpha[y*p.Width+x]; a != 0 {
					p.canvas.over(x, y, l.Colour, float32(p.Style.Opacity)*float32(a)/255)
				}
				if d := line.distance(x); p.Style.Contour > 0 && d != far && d <= 2*t+1 && d >= -2*t-1 {
					p.canvas.over(x, y, edging(l.Colour), edgingOpacity*cover(d+t*0.5, t))
					p.canvas.over(x, y, l.Colour, cover(d-t*0.5, t))
				}
			}
			if y+1 < p.Height {
				line.next()
			}
		}
	}
	f, c := &p.Format, &p.canvas
	mixes := f.mixes()
	for i, comp := range f.Components[:min(len(f.Components), 3)] {
		k := samples{Component: comp, mix: mixes[i], canvas: c, order: binary.LittleEndian, top: float32(int(1)<<comp.Depth - 1), mask: uint16(1)<<comp.Depth - 1, wide: comp.Shift+comp.Depth > 8}
		if i > 0 && !f.RGB {
			k.sw, k.sh = f.Log2ChromaW, f.Log2ChromaH
		}
		if f.BigEndian {
			k.order = binary.BigEndian
		}
		plane := planes[comp.Plane]
		for y := range -(-c.h >> k.sh) {
			for x := range -(-c.w >> k.sw) {
				k.blend(plane.Data[y*plane.Stride:], x, y<<k.sh, min((y+1)<<k.sh, c.h))
			}
		}
	}
}

// TestFast: what skips pixels draws the same as what visits each. Masks are large, small,
// soft, overlapping, at the border and all over the frame.
func TestFast(t *testing.T) {
	const w, h = 203, 117
	random := rand.New(rand.NewPCG(4, 5))
	var layers []Layer
	for i := range 6 {
		mask := make([]uint8, w*h)
		x0, y0, x1, y1 := random.IntN(w/2), random.IntN(h/2), w/2+random.IntN(w/2+1), h/2+random.IntN(h/2+1)
		if i == 5 {
			x0, y0, x1, y1 = 0, 0, w, h
		}
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				mask[y*w+x] = 255
				if edge := min(x-x0, y-y0, x1-1-x, y1-1-y); i%2 == 1 && edge < 6 {
					mask[y*w+x] = uint8(30 + 30*edge + random.IntN(20))
				}
			}
		}
		layers = append(layers, Layer{Alpha: mask, Colour: Colour(i)})
	}
	layers = append(layers, Layer{Alpha: make([]uint8, w*h), Colour: Colour(6)})
	layers[6].Alpha[w*h/2] = 255
	for name, f := range formats {
		for _, contour := range []float64{0, 30} {
			for _, some := range [][]Layer{layers[:1], layers[1:2], layers[5:6], layers[6:], layers} {
				p := &Painter{Width: w, Height: h, Format: f, Threads: 2, Style: &Style{Opacity: 0.42, Contour: contour, Labels: LabelOff}}
				if err := p.Initialize(); err != nil {
					t.Fatal(err)
				}
				got, want := testPlanes(f, w, h, 9), testPlanes(f, w, h, 9)
				if err := p.Draw(got, some); err != nil {
					t.Fatal(err)
				}
				slowly(p, want, some)
				for i := range want {
					if !bytes.Equal(got[i].Data, want[i].Data) {
						t.Errorf("%s, outline %g, %d layers: plane %d is another", name, contour, len(some), i)
					}
				}
			}
		}
	}
}
