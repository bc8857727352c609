package overlay

import (
	"bytes"
	"testing"

	"github.com/lucasb-eyer/go-colorful"
)

// clearDifference is a CIEDE2000 difference that is seen at a glance; 1 is just noticeable. The library
// gives hundredths.
const clearDifference = 10.0

func difference(a, b [3]uint8) float64 { return 100 * colour(a).DistanceCIEDE2000(colour(b)) }

// queryColours are the colours of all palettes that queries get, and some of users.
func queryColours() map[[3]uint8]float64 {
	least := map[[3]uint8]float64{{255, 0, 0}: clearDifference, {0, 0, 255}: clearDifference,
		// Shades of grey differ in lightness alone.
		{128, 128, 128}: 5, {0, 0, 0}: 5, {255, 255, 255}: 5}
	for _, p := range []Palette{PaletteSafe, PaletteDAVIS} {
		for i := range 20 {
			c := p.Colour(i)
			least[c] = clearDifference
			if c[0] == c[1] && c[1] == c[2] {
				least[c] = 5
			}
		}
	}
	return least
}

// TestShades: instances of one query differ clearly, whatever its colour, and the first has
// that colour.
func TestShades(t *testing.T) {
	for c, least := range queryColours() {
		if Shade(c, 1) != c || Shade(c, shades+1) != c {
			t.Errorf("the first shade of %v is %v", c, Shade(c, 1))
		}
		for i := 1; i <= shades; i++ {
			for k := 1; k < i; k++ {
				if d := difference(Shade(c, i), Shade(c, k)); d < least {
					t.Errorf("of %v, instances %d and %d are %v and %v, which differ by %.1f", c, k, i, Shade(c, k), Shade(c, i), d)
				}
			}
		}
	}
}

// TestShadesKeepTheirHue: a shade looks like its query. A hue means something only where
// there is chroma.
func TestShadesKeepTheirHue(t *testing.T) {
	for c := range queryColours() {
		_, chroma, hue := colour(c).OkLch()
		for i := 1; i <= shades && chroma > 0.04; i++ {
			_, part, h := colour(Shade(c, i)).OkLch()
			if turn := max(h-hue, hue-h); part > 0.03 && min(turn, 360-turn) > 25 {
				t.Errorf("instance %d of %v is %v: the hue turns by %.0f degrees", i, c, Shade(c, i), turn)
			}
		}
	}
}

// TestPalettesDiffer: the first seven colours, those of Okabe and Ito, and DAVIS's, differ
// clearly from each other.
func TestPalettesDiffer(t *testing.T) {
	for p := range Palette(len(paletteNames)) {
		for i := range 7 {
			for k := range i {
				if d := difference(p.Colour(i), p.Colour(k)); d < 1.5*clearDifference {
					t.Errorf("%v: colours %d and %d differ by %.1f", p, i, k, d)
				}
			}
		}
	}
	if got := PaletteDAVIS.Colour(0); got != [3]uint8{128, 0, 0} {
		t.Errorf("the first colour of DAVIS is %v", got)
	}
	if PaletteDAVIS.Colour(254) == [3]uint8{} {
		t.Error("a query has the colour of DAVIS's background")
	}
}

// TestSwatchAndOutline: the outline of a mask and its swatch in the legend look alike, also
// where chroma is subsampled and the line is thin, on dark and on bright frames.
func TestSwatchAndOutline(t *testing.T) {
	// Two pixels of a line share chroma with what is around them, which makes it paler. Colours
	// of different queries differ by 15 and more.
	const close = 12.0
	for _, size := range [][2]int{{96, 72}, {640, 360}} {
		w, h := size[0], size[1]
		style := DefaultStyle()
		style.Legend = TopLeft
		p := &Painter{Width: w, Height: h, Format: formats["yuv420p"], Style: &style}
		if err := p.Initialize(); err != nil {
			t.Fatal(err)
		}
		side := h / 3
		mask := square(w, h, w-side-h/8, h-side-h/8, side)
		for c := range queryColours() {
			for _, ground := range []byte{16, 235} {
				planes := []Plane{{bytes.Repeat([]byte{ground}, w*h), w}, {bytes.Repeat([]byte{128}, w*h/4), w / 2}, {bytes.Repeat([]byte{128}, w*h/4), w / 2}}
				if err := p.Draw(planes, []Layer{{Alpha: mask, Colour: c, Label: "x"}}); err != nil {
					t.Fatal(err)
				}
				line := nearest(p, planes, c, w-side-h/8, h-h/8-side/2, 8, 1)
				swatch := nearest(p, planes, c, 0, 0, 30, 30)
				if difference(line, c) > close || difference(swatch, c) > close {
					t.Errorf("%dx%d on %d: of %v the line is %v (%.1f) and the swatch %v (%.1f)", w, h, ground, c, line, difference(line, c), swatch, difference(swatch, c))
				}
			}
		}
	}
}

// nearest returns the colour in a rectangle of a frame in 4:2:0 that is nearest to another.
func nearest(p *Painter, planes []Plane, to [3]uint8, x0, y0, w, h int) (found [3]uint8) {
	least := 1e9
	for y := y0; y < y0+h; y++ {
		for x := x0; x < x0+w; x++ {
			kr, kb := p.Format.matrix()
			v := (float64(sample(p.Format, planes, 0, x, y)) - 16) / 219
			chroma := func(i int) float64 { return (float64(sample(p.Format, planes, i, x/2, y/2)) - 128) / 224 }
			r, b := v+2*(1-kr)*chroma(2), v+2*(1-kb)*chroma(1)
			g := (v - kr*r - kb*b) / (1 - kr - kb)
			cr, cg, cb := colorful.Color{R: r, G: g, B: b}.Clamped().RGB255()
			c := [3]uint8{cr, cg, cb}
			if d := difference(c, to); d < least {
				least, found = d, c
			}
		}
	}
	return found
}
