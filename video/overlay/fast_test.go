package overlay

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// paintSlowly paints layers as Draw does, pixel by pixel, without a legend.
func paintSlowly(p *Painter, layers []Layer) (canvas [][4]uint8) {
	canvas = make([][4]uint8, p.Width*p.Height)
	t, r := p.line.width, p.line.r
	over := func(i int, colour [3]uint8, opacity float32) {
		a := int(opacity*255 + 0.5)
		if q := &canvas[i]; a > 0 {
			for c, v := range colour {
				q[c] = uint8((int(v)*a + int(q[c])*(255-a) + 127) / 255)
			}
			q[3] = uint8((255*a + int(q[3])*(255-a) + 127) / 255)
		}
	}
	for _, l := range layers {
		at := func(x, y int) int { return int(l.Alpha[min(max(y, 0), p.Height-1)*p.Width+min(max(x, 0), p.Width-1)]) }
		for y := range p.Height {
			for x := range p.Width {
				sum, i := 0, y*p.Width+x
				for v := y - r; v <= y+r; v++ {
					for u := x - r; u <= x+r; u++ {
						sum += at(u, v)
					}
				}
				d := (float32(sum)/float32((2*r+1)*(2*r+1)*255) - 0.5) * float32(2*r+1)
				over(i, l.Colour, float32(p.Style.Opacity)*float32(at(x, y))/255)
				if t > 0 && max(d, -d) <= 2*t+1 {
					cover := func(d float32) float32 { return min(max(t/2+0.5-max(d, -d), 0), 1) }
					over(i, edging(l.Colour), edgingOpacity*cover(d+t*0.5))
					over(i, l.Colour, cover(d-t*0.5))
				}
			}
		}
	}
	return canvas
}

// blendSlowly draws a canvas over the planes, sample by sample.
func blendSlowly(p *Painter, planes []Plane, canvas [][4]uint8) {
	f := &p.Format
	mixes := f.mixes()
	for i, comp := range f.Components[:min(len(f.Components), 3)] {
		sw, sh := f.Log2ChromaW, f.Log2ChromaH
		if i == 0 || f.RGB {
			sw, sh = 0, 0
		}
		plane, top := planes[comp.Plane], 1<<comp.Depth-1
		for y := range -(-p.Height >> sh) {
			for x := range -(-p.Width >> sw) {
				var sum [4]float32
				n := float32(0)
				for v := y << sh; v < min((y+1)<<sh, p.Height); v++ {
					for u := x << sw; u < min((x+1)<<sw, p.Width); u++ {
						for c, q := range canvas[v*p.Width+u] {
							sum[c] += float32(q)
						}
						n++
					}
				}
				if sum[3] == 0 {
					continue
				}
				k := mixes[i]
				add := (k.r*sum[0] + k.g*sum[1] + k.b*sum[2] + k.a*sum[3]) * (1 / n)
				at := plane.Data[y*plane.Stride+comp.Offset+x*comp.Step:]
				word, put := func() int { return int(at[0]) }, func(v int) { at[0] = byte(v) }
				if comp.Shift+comp.Depth > 8 {
					var order binary.ByteOrder = binary.LittleEndian
					if f.BigEndian {
						order = binary.BigEndian
					}
					word, put = func() int { return int(order.Uint16(at)) }, func(v int) { order.PutUint16(at, uint16(v)) }
				}
				old := word()
				s := float32(old >> comp.Shift & top)
				s = min(max(s*(1-sum[3]*(1/n)*(1./255))+add, 0), float32(top))
				put(old&^(top<<comp.Shift) | int(s+0.5)<<comp.Shift)
			}
		}
	}
}

// TestFast: what skips pixels draws the same as what visits each. Masks are large, small,
// soft, overlapping, at the border and all over the frame.
func TestFast(t *testing.T) {
	const w, h = 131, 77
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
	for _, contour := range []float64{0, 45} {
		for _, some := range [][]Layer{layers[:1], layers[1:2], layers[5:6], layers[6:], layers} {
			var canvas [][4]uint8
			for name, f := range formats {
				p := &Painter{Width: w, Height: h, Format: f, Threads: 2, Style: &Style{Opacity: 0.42, Contour: contour, Labels: LabelOff}}
				if err := p.Initialize(); err != nil {
					t.Fatal(err)
				}
				if canvas == nil {
					canvas = paintSlowly(p, some)
				}
				for range 2 { // the second time with memory that has been used
					got, want := testPlanes(f, w, h, 9), testPlanes(f, w, h, 9)
					if err := p.Draw(got, some); err != nil {
						t.Fatal(err)
					}
					blendSlowly(p, want, canvas)
					for i := range want {
						if !bytes.Equal(got[i].Data, want[i].Data) {
							t.Errorf("%s, outline %g, %d layers: plane %d is another", name, contour, len(some), i)
						}
					}
				}
			}
		}
	}
}
