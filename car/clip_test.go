package car

import (
	"bytes"
	"image"
	"image/color"
	"testing"
)

func TestFromImage(t *testing.T) {
	want := []uint8{10, 20, 30, 0, 0, 0, 255, 255, 255, 1, 2, 3}
	nrgba := image.NewNRGBA(image.Rect(5, 7, 7, 9))
	nrgba.Set(5, 7, color.NRGBA{10, 20, 30, 255})
	nrgba.Set(6, 7, color.NRGBA{200, 100, 50, 0}) // transparent
	nrgba.Set(5, 8, color.White)
	nrgba.Set(6, 8, color.NRGBA{1, 2, 3, 255})
	big := image.NewRGBA(image.Rect(0, 0, 20, 20))
	for y := 7; y < 9; y++ {
		for x := 5; x < 7; x++ {
			big.Set(x, y, nrgba.At(x, y))
		}
	}
	for _, src := range []image.Image{nrgba, big.SubImage(image.Rect(5, 7, 7, 9))} {
		img := FromImage(src)
		if img.W != 2 || img.H != 2 || !bytes.Equal(img.Pix, want) {
			t.Errorf("%T: %dx%d %v, want %v", src, img.W, img.H, img.Pix, want)
		}
	}
	if img := FromImage(image.NewGray(image.Rect(0, 0, 0, 0))); img.W != 0 || len(img.Pix) != 0 {
		t.Errorf("an empty image is %dx%d", img.W, img.H)
	}
}
