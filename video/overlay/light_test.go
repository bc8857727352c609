package overlay

import (
	"bytes"
	"fmt"
	"testing"
)

// TestLight compares signals with values that were computed from the formulas and the
// rounded matrix of BT.2087-0 (M2) by another program: 203 cd/m² are 58 % of PQ and 75 % of
// HLG (BT.2408-7, table 1).
func TestLight(t *testing.T) {
	white, red, blue, orange, grey := [3]uint8{255, 255, 255}, [3]uint8{255, 0, 0}, [3]uint8{0, 0, 255}, [3]uint8{230, 159, 0}, [3]uint8{128, 128, 128}
	for _, c := range []struct {
		transfer, primaries string
		colour, want        [3]uint8
	}{
		{"", "", orange, orange},
		{"bt709", "bt709", orange, orange},
		{"iec61966-2-1", "unknown", red, red},
		{"bt2020-10", "bt2020", white, white},
		{"bt2020-10", "bt2020", grey, grey},
		{"bt2020-10", "bt2020", red, [3]uint8{210, 84, 46}},
		{"bt2020-10", "bt2020", blue, [3]uint8{69, 40, 244}},
		{"bt2020-10", "bt2020", orange, [3]uint8{205, 165, 67}},
		{"smpte2084", "bt2020", white, [3]uint8{148, 148, 148}},
		{"smpte2084", "bt2020", [3]uint8{}, [3]uint8{}},
		{"smpte2084", "bt2020", grey, [3]uint8{106, 106, 106}},
		{"smpte2084", "bt2020", red, [3]uint8{136, 83, 56}},
		{"smpte2084", "bt2020", blue, [3]uint8{74, 50, 145}},
		{"smpte2084", "bt2020", orange, [3]uint8{134, 121, 73}},
		{"smpte2084", "", white, [3]uint8{148, 148, 148}},
		{"arib-std-b67", "bt2020", white, [3]uint8{191, 191, 191}},
		{"arib-std-b67", "bt2020", [3]uint8{}, [3]uint8{}},
		{"arib-std-b67", "bt2020", grey, [3]uint8{114, 114, 114}},
		{"arib-std-b67", "bt2020", red, [3]uint8{181, 68, 33}},
		{"arib-std-b67", "bt2020", blue, [3]uint8{59, 30, 207}},
		{"arib-std-b67", "bt2020", orange, [3]uint8{173, 143, 50}},
		{"bt709", "smpte432", red, [3]uint8{235, 62, 47}},
		{"bt709", "smpte170m", grey, grey},
		{"linear", "bt709", grey, [3]uint8{49, 49, 49}},
	} {
		s := (&Format{Transfer: c.transfer, Primaries: c.primaries}).signal()
		for range 2 { // the second time it is known
			got := s.of(c.colour)
			for i := range got {
				if d := int(got[i]) - int(c.want[i]); d < -1 || d > 1 {
					t.Errorf("%v in %s of %s is %v, want %v", c.colour, c.transfer, c.primaries, got, c.want)
					break
				}
			}
		}
	}
	for _, name := range []string{"bt2020", "smpte431", "smpte432", "bt470bg", "smpte170m", "smpte240m", "ebu3213"} {
		if got := (&Format{Primaries: name}).signal().of(white); got != white {
			t.Errorf("white in the primaries %s is %v", name, got)
		}
	}
}

// TestHDRFrame: fill, outline, legend and names of an HDR frame are not brighter than
// graphics white, and thin letters come near it. Values are those of ten bits, limited range.
func TestHDRFrame(t *testing.T) {
	const w, h = 320, 180
	for transfer, white := range map[string]int{"smpte2084": 573, "arib-std-b67": 721} {
		for _, labels := range []Labels{LabelLegend, LabelThing} {
			t.Run(fmt.Sprint(transfer, labels), func(t *testing.T) {
				f := formats["yuv420p10le"]
				f.Matrix, f.Transfer, f.Primaries = "bt2020nc", transfer, "bt2020"
				style := Style{Opacity: 1, Contour: 10, Labels: labels}
				p := &Painter{Width: w, Height: h, Format: f, Style: &style}
				if err := p.Initialize(); err != nil {
					t.Fatal(err)
				}
				black, grey := []byte{64, 0}, []byte{0, 2} // luma 64, chroma 512
				planes := []Plane{{bytes.Repeat(black, w*h), 2 * w}, {bytes.Repeat(grey, w*h/4), w}, {bytes.Repeat(grey, w*h/4), w}}
				if err := p.Draw(planes, []Layer{{Alpha: square(w, h, 150, 80, 60), Colour: [3]uint8{255, 255, 255}, Label: "IIII", Score: -1}}); err != nil {
					t.Fatal(err)
				}
				most, letters := 0, 0
				for y := range h {
					for x := range w {
						v := sample(f, planes, 0, x, y)
						if most = max(most, v); y < 70 { // above the square
							letters = max(letters, v)
						}
					}
				}
				if fill := sample(f, planes, 0, 180, 110); fill < white-2 || fill > white+2 || most > white+2 || letters < white-150 || letters > white+2 {
					t.Errorf("white is %d, in letters %d, and the brightest sample %d; want %d", fill, letters, most, white)
				}
			})
		}
	}
}
