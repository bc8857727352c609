package overlay

import (
	"bytes"
	"testing"
)

// TestLegendAgrees checks that the outline has the colour of the legend's swatch, and
// that its edging differs from it.
func TestLegendAgrees(t *testing.T) {
	const w, h = 640, 360
	p := &Painter{Width: w, Height: h, Format: formats["rgb24"]}
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	for i := range palette {
		planes := []Plane{{bytes.Repeat([]byte{128}, 3*w*h), 3 * w}}
		if err := p.Draw(planes, []Layer{{Alpha: square(w, h, 300, 150, 100), Colour: Colour(i), Label: "x"}}); err != nil {
			t.Fatal(err)
		}
		at := func(x, y int) [3]uint8 { return [3]uint8(planes[0].Data[3*(y*w+x):][:3]) }
		swatch := at(int(p.legend.size*0.6)+int(p.legend.size*0.9), int(p.legend.size*0.6)+int(p.legend.size*1.1))
		if swatch != Colour(i) {
			t.Fatalf("colour %d: the swatch was not found: %v", i, swatch)
		}
		if line := at(300, 200); line != swatch {
			t.Errorf("colour %d: the outline is %v, the swatch %v", i, line, swatch)
		}
		luma := func(c [3]uint8) int { return (299*int(c[0]) + 587*int(c[1]) + 114*int(c[2])) / 1000 }
		if d := luma(swatch) - luma(at(299, 200)); max(d, -d) < 15 {
			t.Errorf("colour %d: %v stands around a line of %v", i, at(299, 200), swatch)
		}
	}
}

// noLabels is the default style without names.
var noLabels = Style{Opacity: DefaultStyle().Opacity, Contour: DefaultStyle().Contour, Labels: LabelOff}

// TestLegendIsUpright draws the legend on a frame that is stored with a quarter turn
// and expects the same pixels, turned.
func TestLegendIsUpright(t *testing.T) {
	f := formats["rgb24"]
	const w, h = 300, 200
	layers := func(w, h int) []Layer { return []Layer{{Alpha: make([]uint8, w*h), Label: "dög", Score: 0.5}} }
	upright := &Painter{Width: w, Height: h, Format: f}
	turned := &Painter{Width: h, Height: w, Format: f, UprightWidth: w, UprightHeight: h,
		Upright: func(x, y, w, h int) (int, int) { return h - 1 - y, x }}
	a, b := []Plane{{make([]byte, 3*w*h), 3 * w}}, []Plane{{make([]byte, 3*w*h), 3 * h}}
	for _, p := range []*Painter{upright, turned} {
		if err := p.Initialize(); err != nil {
			t.Fatal(err)
		}
	}
	if err := upright.Draw(a, layers(w, h)); err != nil {
		t.Fatal(err)
	}
	if err := turned.Draw(b, layers(h, w)); err != nil {
		t.Fatal(err)
	}
	lit := 0
	for y := range h {
		for x := range w {
			p, q := a[0].Data[3*(y*w+x):][:3], b[0].Data[3*(x*h+h-1-y):][:3]
			if !bytes.Equal(p, q) {
				t.Fatalf("pixel %d,%d is %v upright and %v turned", x, y, p, q)
			}
			if p[1] > 150 {
				lit++
			}
		}
	}
	if lit < 20 {
		t.Errorf("%d light pixels: the legend has no letters", lit)
	}
}
