package carve

import (
	"bytes"
	"image"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// TestSplitMask: every pixel of a soft mask belongs to one instance, and the outline to the
// nearest one.
func TestSplitMask(t *testing.T) {
	const w, h = 24, 8
	left, right := make([]uint8, w*h), make([]uint8, w*h)
	soft := make([]float32, w*h)
	for y := range h {
		for x := range w {
			switch p := y*w + x; {
			case x >= 4 && x < 10:
				left[p], soft[p] = 1, .9
			case x >= 12 && x < 18:
				right[p], soft[p] = 1, .8
			case x == 3 || x == 10 || x == 11 || x == 18:
				soft[p] = .4
			case x == 23:
				soft[p] = .3 // too far from both
			}
		}
	}
	own := []*tracking.Instance{{ID: 1, Mask: left}, {ID: 4, Mask: right}}
	shares := splitMask(soft, own, w, h)
	for x, want := range map[int]int{3: 0, 5: 0, 10: 0, 11: 1, 13: 1, 18: 1, 23: -1, 1: -1} {
		for k := range shares {
			p := 4*w + x
			if got := shares[k][p]; (k == want) != (got == soft[p] && got > 0) {
				t.Errorf("column %d: %g for instance %d", x, got, k)
			}
		}
	}

	area := car.Stats{Area: 1}
	found := []car.Found{{Query: 1, Label: "dog", Probability: soft, Judgement: car.Judgement{Score: .7}, Stats: area},
		{Query: 2, Label: "present, without pixels", Probability: soft}, {Query: 0, Label: "cat", Probability: soft, Stats: area}}
	colours := [][3]uint8{{10, 10, 10}, {200, 100, 0}}
	layers := Layers(&car.Result{W: w, H: h, Found: found}, []tracking.Instance{{Query: 1, ID: 1, Mask: left}, {Query: 1, ID: 4, Mask: right}}, colours)
	if len(layers) != 3 || layers[0].Label != "dog 1" || layers[1].Label != "dog 4" || layers[2].Label != "cat" {
		t.Fatalf("%+v", layers)
	}
	if layers[0].Colour != colours[1] || layers[1].Colour == colours[1] || layers[2].Colour != colours[0] || layers[0].Score != .7 || layers[2].Instance != 0 {
		t.Errorf("%+v", layers)
	}
	// A single instance has the whole soft mask.
	layers = Layers(&car.Result{W: w, H: h, Found: found[:1]}, []tracking.Instance{{Query: 1, ID: 2, Mask: left}}, colours)
	if len(layers) != 1 || &layers[0].probability[0] != &soft[0] || layers[0].Label != "dog 2" {
		t.Errorf("%+v", layers)
	}
}

// TestBoxOf: the box holds the pixels of 128 and above.
func TestBoxOf(t *testing.T) {
	const w, h = 7, 5
	mask := make([]uint8, w*h)
	if got := boxOf(mask, w, image.Rect(0, 0, w, h)); !got.Empty() {
		t.Errorf("an empty mask has the box %v", got)
	}
	mask[0] = inside - 1 // more outside than inside
	mask[1*w+6], mask[3*w+2] = inside, 255
	if got, want := boxOf(mask, w, image.Rect(1, 1, w, h)), image.Rect(2, 1, 7, 4); got != want {
		t.Errorf("box %v, want %v", got, want)
	}
}

// TestInside: firstInside and lastInside find the ends of a run anywhere in rows of any
// length.
func TestInside(t *testing.T) {
	for n := range 40 {
		for from := range n + 1 {
			for to := from; to <= n; to++ {
				row := make([]uint8, n)
				for x := range row {
					row[x] = uint8(x * 5 % inside) // outside
				}
				for x := from; x < to; x++ {
					row[x] = uint8(inside + x*7%inside)
				}
				first, last := from, to-1
				if from == to {
					first, last = n, -1
				}
				if a, b := firstInside(row), lastInside(row); a != first || b != last {
					t.Fatalf("%d pixels, inside from %d to %d: first %d, last %d", n, from, to, a, b)
				}
			}
		}
	}
}

// TestColours: a query's own colour is used, and a colour that cannot be parsed is an error.
func TestColours(t *testing.T) {
	colours, err := Colours([]car.Query{{Label: "a"}, {Label: "b", Colour: "#010203"}, {Label: "c"}})
	if err != nil || colours[1] != [3]uint8{1, 2, 3} || colours[0] == colours[2] {
		t.Errorf("%v, %v", colours, err)
	}
	if _, err := Colours([]car.Query{{Label: "a", Colour: "nonsuch"}}); err == nil {
		t.Error("a colour that does not exist is accepted")
	}
}

// TestUpsamplerReuse: masks in memory that other masks had are the same as in new memory, and
// nothing lies outside of their extents.
func TestUpsamplerReuse(t *testing.T) {
	const w, h, lw, lh = 160, 90, 40, 30
	luma := make([]byte, w*h)
	for i := range luma {
		luma[i] = byte(i * 7 % 251)
	}
	layersAt := func(xs ...int) []Layer {
		var layers []Layer
		for _, x := range xs {
			p := make([]float32, lw*lh)
			for y := 8; y < 20; y++ {
				for u := x; u < min(x+9, lw); u++ {
					p[y*lw+u] = .98
				}
			}
			layers = append(layers, Layer{probability: p})
		}
		return layers
	}
	used := Upsampler{Info: video.Info{Width: w, Height: h}}
	for _, xs := range [][]int{{3, 30}, {20}, {10, 13, 25}, {36}} {
		fresh := Upsampler{Info: used.Info}
		got, want := layersAt(xs...), layersAt(xs...)
		used.MasksAlong(luma, got, lw, lh)
		fresh.MasksAlong(luma, want, lw, lh)
		for i := range got {
			if !bytes.Equal(got[i].Mask, want[i].Mask) || got[i].Box != want[i].Box || got[i].Box.Empty() {
				t.Fatalf("masks at %v: mask %d is another in used memory, or its box %v is not %v", xs, i, got[i].Box, want[i].Box)
			}
			for k, v := range got[i].Mask {
				if v != 0 && !image.Pt(k%w, k/w).In(got[i].Extent) {
					t.Fatalf("masks at %v: mask %d has a pixel at %d outside of %v", xs, i, k, got[i].Extent)
				}
			}
		}
		used.Recycle(got)
	}
}
