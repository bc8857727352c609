package overlay

import (
	"bytes"
	"strings"
	"testing"
)

// painted returns an RGB frame of one grey with layers drawn on it.
func painted(t *testing.T, p *Painter, layers ...Layer) []byte {
	t.Helper()
	p.Format = formats["rgb24"]
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	return paintAgain(t, p, layers...)
}

func paintAgain(t *testing.T, p *Painter, layers ...Layer) []byte {
	t.Helper()
	planes := []Plane{{bytes.Repeat([]byte{128}, 3*p.Width*p.Height), 3 * p.Width}}
	if err := p.Draw(planes, layers); err != nil {
		t.Fatal(err)
	}
	return planes[0].Data
}

// changed counts the pixels of a rectangle that are not as before.
func changed(pix []byte, w int, r rect) (n int) {
	for y := r.y0; y < r.y1; y++ {
		for x := r.x0; x < r.x1; x++ {
			if p := pix[3*(y*w+x):]; p[0] != 128 || p[1] != 128 || p[2] != 128 {
				n++
			}
		}
	}
	return n
}

// TestStyles: fill, outline, legend and names at objects are drawn each by itself.
func TestStyles(t *testing.T) {
	const w, h = 640, 360
	l := Layer{Alpha: square(w, h, 300, 150, 100), Colour: Colour(0), Label: "dog", Number: 2, Score: .5}
	inside, edge := rect{320, 170, 380, 230}, rect{299, 160, 302, 240}
	legend, above := rect{0, 0, 150, 60}, rect{320, 120, 380, 145}
	for _, c := range []struct {
		name                       string
		style                      Style
		fill, line, legends, named bool
	}{
		{"default", DefaultStyle(), true, true, true, false},
		{"fill only", Style{Opacity: .5, Labels: LabelOff}, true, false, false, false},
		{"outline only", Style{Contour: 3, Labels: LabelOff}, false, true, false, false},
		{"names at objects", Style{Opacity: .5, Contour: 3, Labels: LabelThing}, true, true, false, true},
		{"both", Style{Contour: 3, Labels: LabelBoth}, false, true, true, true},
		{"nothing", Style{Labels: LabelOff}, false, false, false, false},
	} {
		pix := painted(t, &Painter{Width: w, Height: h, Style: &c.style}, l)
		for what, d := range map[string]struct {
			r    rect
			want bool
		}{"fill": {inside, c.fill}, "outline": {edge, c.line || c.fill}, "legend": {legend, c.legends}, "name": {above, c.named}} {
			if n := changed(pix, w, d.r); (n > 0) != d.want {
				t.Errorf("%s: %d pixels of the %s are drawn", c.name, n, what)
			}
		}
	}
	for _, wrong := range []Style{{Opacity: 2}, {Contour: -1}, {Labels: 9}, {Legend: -1}} {
		p := &Painter{Width: w, Height: h, Format: formats["rgb24"], Style: &wrong}
		if err := p.Initialize(); err == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
}

// TestNames: a name keeps the characters that the font has; one of which little is left is
// the number of the query; a long one is shortened and keeps the number of the instance.
func TestNames(t *testing.T) {
	var f typeface
	if err := f.init(20); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		label string
		n     int
		want  string
	}{
		{"dog", 0, "dog"},
		{"dog", 2, "dog 2"},
		{"ζώο", 0, "ζώο"},
		{"собака", 1, "собака 1"},
		{"犬", 0, "query 3"},
		{"犬", 2, "query 3 2"},
		{"🐕 dog", 0, "dog"},
		{"🐕🐈", 0, "query 3"},
		{"red  frisbee", 0, "red frisbee"},
		{"e\u0301cole", 0, "ecole"},
	} {
		l := Layer{Query: 2, Label: c.label, Number: c.n}
		if got := f.name(&l); got != c.want {
			t.Errorf("%q %d is called %q, want %q", c.label, c.n, got, c.want)
		}
	}
	for _, width := range []int{5, 40, 90, 200} {
		l := Layer{Label: strings.Repeat("very long ", 8) + "name", Number: 12}
		got := f.fit(&l, width)
		if !strings.HasSuffix(got, "… 12") || width > 60 && f.measure(got) > width {
			t.Errorf("at %d pixels %q of %d", width, got, f.measure(got))
		}
	}
	if l := (Layer{Label: "dog"}); f.fit(&l, 400) != "dog" {
		t.Error("a short name is shortened")
	}
}

// TestLegendMoves: the legend leaves a corner in which it covers a mask, stays where it is
// well, and obeys a corner that is asked for.
func TestLegendMoves(t *testing.T) {
	const w, h = 320, 180
	at := func(x, y int) Layer { return Layer{Alpha: square(w, h, x, y, 60), Colour: Colour(0), Label: "dog"} }
	p := &Painter{Width: w, Height: h}
	painted(t, p, at(200, 100))
	if p.Corner() != TopLeft {
		t.Errorf("the legend begins in %v", p.Corner())
	}
	paintAgain(t, p, at(0, 0))
	if p.Corner() != TopRight {
		t.Errorf("over a mask in its corner the legend goes to %v", p.Corner())
	}
	paintAgain(t, p, at(100, 100))
	if p.Corner() != TopRight {
		t.Errorf("with nothing below it the legend moves to %v", p.Corner())
	}
	paintAgain(t, p, at(260, 0))
	if p.Corner() != TopLeft {
		t.Errorf("the legend goes to %v", p.Corner())
	}
	whole := Layer{Alpha: bytes.Repeat([]byte{255}, w*h), Label: "sky"}
	paintAgain(t, p, whole)
	if p.Corner() != TopLeft {
		t.Errorf("where every corner is covered the legend goes to %v", p.Corner())
	}
	p.SetCorner(BottomLeft)
	paintAgain(t, p, at(200, 0))
	if p.Corner() != BottomLeft {
		t.Errorf("the legend was put into the lower left corner, and is in %v", p.Corner())
	}
	style := DefaultStyle()
	style.Legend = BottomRight
	fixed := &Painter{Width: w, Height: h, Style: &style}
	pix := painted(t, fixed, at(250, 110))
	if n := changed(pix, w, rect{220, 140, w, h}); n < 200 || changed(pix, w, rect{0, 0, 100, 50}) > 0 {
		t.Errorf("%d pixels in the corner that was asked for", n)
	}
}

// TestTagsAreUpright: a name at an object stands upright above it in a frame that is stored
// with a turn or a mirror, and inside the frame at its edges.
func TestTagsAreUpright(t *testing.T) {
	style := Style{Opacity: .4, Contour: 3, Labels: LabelThing}
	const w, h = 200, 120
	for name, point := range map[string]func(x, y, w, h int) (int, int){
		"quarter turn":  func(x, y, w, h int) (int, int) { return h - 1 - y, x },
		"other turn":    func(x, y, w, h int) (int, int) { return y, w - 1 - x },
		"mirror":        func(x, y, w, h int) (int, int) { return w - 1 - x, y },
		"half turn":     func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y },
		"transposition": func(x, y, w, h int) (int, int) { return y, x },
	} {
		cw, ch := w, h
		if x, _ := point(0, 1, w, h); x != func() int { x, _ := point(0, 0, w, h); return x }() {
			cw, ch = h, w
		}
		for _, at := range [][2]int{{80, 60}, {0, 0}, {180, 100}} {
			straight := make([]uint8, w*h)
			turned := make([]uint8, w*h)
			for y := at[1]; y < min(at[1]+30, h); y++ {
				for x := at[0]; x < min(at[0]+30, w); x++ {
					straight[y*w+x] = 255
					cx, cy := point(x, y, w, h)
					turned[cy*cw+cx] = 255
				}
			}
			a := painted(t, &Painter{Width: w, Height: h, Style: &style}, Layer{Alpha: straight, Colour: Colour(1), Label: "Fg"})
			b := painted(t, &Painter{Width: cw, Height: ch, Style: &style, Upright: point, UprightWidth: w, UprightHeight: h},
				Layer{Alpha: turned, Colour: Colour(1), Label: "Fg"})
			for y := range h {
				for x := range w {
					cx, cy := point(x, y, w, h)
					if !bytes.Equal(a[3*(y*w+x):][:3], b[3*(cy*cw+cx):][:3]) {
						t.Fatalf("%s, at %v: pixel %d,%d is another one", name, at, x, y)
					}
				}
			}
		}
	}
}
