package planeimage

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/image/tiff"
)

// TestReadBack: the standard packages read what is written, pixel by pixel.
func TestReadBack(t *testing.T) {
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.RGBA{uint8(i), uint8(255 - i), uint8(i / 2), 255}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{{1, 1}, {7, 5}, {640, 3}, {3, 640}} {
		planes := [][]uint8{make([]uint8, size.X*size.Y), make([]uint8, size.X*size.Y)}
		for i := range planes[1] {
			planes[1][i] = uint8(random.UintN(256))
		}
		for _, bits := range []int{8, 16} {
			e := Encoder{Width: size.X, Height: size.Y, Bits: bits}
			p := Encoder{Width: size.X, Height: size.Y, Bits: 8, Palette: palette}
			for _, plane := range slices.Concat(planes, planes[:1]) {
				wide := make([]uint8, 0, 2*len(plane))
				for _, v := range plane {
					wide = append(wide, v, v)
				}
				files := map[string]func() ([]byte, error){
					"png":     func() ([]byte, error) { return e.PNG(plane) },
					"tiff":    func() ([]byte, error) { return e.TIFF(plane) },
					"indexed": func() ([]byte, error) { return p.PNG(plane) },
				}
				for name, file := range files {
					data, err := file()
					if err != nil {
						t.Fatal(err)
					}
					read := png.Decode
					if name == "tiff" {
						read = tiff.Decode
					}
					img, err := read(bytes.NewReader(data))
					if err != nil {
						t.Fatalf("%s of %d bits: %v", name, bits, err)
					}
					if img.Bounds().Size() != size {
						t.Errorf("%s: %v", name, img.Bounds())
					}
					same := false
					switch img := img.(type) {
					case *image.Gray:
						same = name != "indexed" && bits == 8 && slices.Equal(img.Pix, plane)
					case *image.Gray16:
						same = name != "indexed" && bits == 16 && slices.Equal(img.Pix, wide)
					case *image.Paletted:
						same = name == "indexed" && slices.Equal(img.Pix, plane) && slices.Equal(img.Palette, palette)
					}
					if !same {
						t.Errorf("%s of %d bits is a %T, or its pixels differ", name, bits, img)
					}
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, e := range []Encoder{{}, {Width: 2, Height: 1, Bits: 8}, {Width: 1, Height: 1, Bits: 10}, {Width: 1, Height: 1, Bits: 8, Palette: color.Palette{color.Black}}} {
		if _, err := e.PNG(make([]uint8, 1)); err == nil {
			t.Errorf("%+v is taken", e)
		}
		if _, err := e.TIFF(make([]uint8, 1)); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
}

// TestAllocs: only the first image takes memory; the few bytes of zlib are left.
func TestAllocs(t *testing.T) {
	e := Encoder{Width: 300, Height: 200, Bits: 16}
	plane := make([]uint8, 300*200)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := e.PNG(plane); err != nil {
			t.Error(err)
		}
		if _, err := e.TIFF(plane); err != nil {
			t.Error(err)
		}
	}); n > 4 {
		t.Errorf("%v allocations", n)
	}
}
