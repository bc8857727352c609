package annotation

import (
	"image"
	"image/color"
	"reflect"
	"testing"
)

// TestDescribedNumbers: the manifest names the numbers, and the instances of a concept
// are one object.
func TestDescribedNumbers(t *testing.T) {
	dir := t.TempDir()
	savePNG(t, letters("0110 0230"), dir, "x", "0005.png")
	savePNG(t, letters("0000 0003"), dir, "x", "0006.png")
	head := `{"version": 1, "kind": "masks", "width": 4, "height": 2, "values": "instance", "files": "x/%04d.png", "start": 5, "frames": 2, "pts": [0, 1], `
	save(t, head+`"concepts": [{"label": "dog", "id": 7, "instances": [{"instance": 1, "index": 1}, {"instance": 2, "index": 3}]},
		{"label": "cat", "id": 2, "instances": [{"instance": 1, "index": 2}]}, {"label": "absent", "id": 3}]}`, dir, "concepts.json")
	s := mustOpen(t, dir, Options{})
	if want := []Object{{7, "dog"}, {2, "cat"}, {3, "absent"}}; !reflect.DeepEqual(s.Objects, want) || s.First != 5 || s.Len() != 2 {
		t.Errorf("%+v", s)
	}
	shows(t, s, 0, "0110 0210")
	shows(t, s, 1, "0000 0001")
	save(t, head+`"concepts": [{"label": "dog", "id": 7, "instances": [{"instance": 1, "index": 1}]}]}`, dir, "concepts.json")
	refuses(t, dir, Options{}, "0005.png has the number", "does not name")
}

// TestDescribedCoverage: a pixel is inside from half coverage on, with 8 and 16 bits.
func TestDescribedCoverage(t *testing.T) {
	dir := t.TempDir()
	grey, deep := image.NewGray(image.Rect(0, 0, 4, 1)), image.NewGray16(image.Rect(0, 0, 4, 1))
	for x, v := range []uint8{1, 127, 128, 255} {
		grey.SetGray(x, 0, color.Gray{Y: v})
		deep.SetGray16(3-x, 0, color.Gray16{Y: uint16(v) * 257})
	}
	savePNG(t, grey, dir, "a_b", "0.png")
	savePNG(t, deep, dir, "c.1.0.png")
	savePNG(t, deep, dir, "c.2.0.png")
	head := `{"version": 1, "kind": "masks", "width": 4, "height": 1, "values": "coverage", "frames": 1, "pts": [0], "concepts": [{"label": `
	save(t, head+`"a/b", "id": 1, "files": "a_b/%d.png"}, {"label": "c", "id": 2, "instances": [{"files": "c.1.%d.png"}, {"files": "c.2.{frame}.png"}]}]}`, dir, "concepts.json")
	s := mustOpen(t, dir, Options{})
	if want := []Object{{1, "a/b"}, {2, "c"}}; !reflect.DeepEqual(s.Objects, want) {
		t.Errorf("%+v", s.Objects)
	}
	shows(t, s, 0, "2211")
	for text, want := range map[string]string{
		head + `"x", "id": 1, "files": "../%d.png"}]}`:                                      "no pattern of files in this folder",
		head + `"x", "id": 1, "files": "a_b/0.png"}]}`:                                      "no pattern of files in this folder",
		head + `"x", "id": 1, "files": "gone/%d.png"}]}`:                                    "gone",
		head + `"", "id": 1, "files": "a_b/%d.png"}]}`:                                      "empty name",
		`{"version": 3, "kind": "masks"}`:                                                   "version 3",
		`{"version": 1, "kind": "masks"}`:                                                   "0x0",
		`{"version": 1, "kind": "masks", "width": 4, "height": 1, "frames": 2, "pts": [0]}`: "1 times for 2 frames",
		`{"version": 1, "kind": "masks", "width": 4, "height": 2, "values": "coverage", "frames": 1, "pts": [0], "concepts": [{"label": "x", "files": "a_b/%d.png"}]}`: "is 4x1",
		`{"version": 1, "kind": "masks", "width": 4, "height": 1, "values": "concept", "frames": 1, "pts": [0], "files": "a_b/%d.png"}`:                                "no image of the kind",
	} {
		save(t, text, dir, "concepts.json")
		refuses(t, dir, Options{}, want)
	}
}
