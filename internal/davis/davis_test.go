package davis

import (
	"image/color"
	"testing"
)

// TestPalette compares with colours that the data sets document.
func TestPalette(t *testing.T) {
	p := Palette()
	if len(p) != 256 {
		t.Fatalf("%d colours", len(p))
	}
	for i, want := range map[int]color.RGBA{
		0: {0, 0, 0, 255}, 1: {128, 0, 0, 255}, 2: {0, 128, 0, 255}, 3: {128, 128, 0, 255}, 4: {0, 0, 128, 255},
		8: {64, 0, 0, 255}, 20: {0, 64, 128, 255}, 255: {224, 224, 192, 255},
	} {
		if p[i] != want {
			t.Errorf("colour %d is %v, want %v", i, p[i], want)
		}
	}
}
