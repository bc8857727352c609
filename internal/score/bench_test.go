package score

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
)

// BenchmarkFolders runs everything: it opens, decodes and measures two folders of 100
// indexed PNGs of 854×480 with three objects. It should take at most 2 s on two cores.
func BenchmarkFolders(b *testing.B) {
	truth, result := b.TempDir(), b.TempDir()
	for i := range 100 {
		drawBlobs(b, truth, i, 0)
		drawBlobs(b, result, i, 3)
	}
	for b.Loop() {
		t, r := open(b, truth), open(b, result)
		pairs, err := Match(t, r)
		if err != nil {
			b.Fatal(err)
		}
		tracks, err := Follow(context.Background(), t, r, pairs, 0)
		if err != nil {
			b.Fatal(err)
		}
		if j := tracks.Objects[0].Regions(false).J.Mean; j < .5 || j > .99 {
			b.Fatalf("J is %g", j)
		}
	}
}

// drawBlobs draws three shapes with wavy outlines that move over time.
func drawBlobs(b *testing.B, dir string, i int, off float64) {
	const w, h = 854, 480
	img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White, color.Gray{99}, color.Gray{199}})
	for k := range 3 {
		cx := 180 + 240*float64(k) + 40*math.Sin(float64(i)/9) + off
		cy := 240 + 50*math.Cos(float64(i)/7+float64(k)) + off
		for y := range h {
			for x := range w {
				dx, dy := float64(x)-cx, float64(y)-cy
				r := 90 + 15*math.Sin(7*math.Atan2(dy, dx)+float64(i)/5+off/9)
				if dx*dx+dy*dy < r*r {
					img.Pix[y*img.Stride+x] = uint8(k + 1)
				}
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%05d.png", i)))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBoundary compares two outlines.
func BenchmarkBoundary(b *testing.B) {
	for _, size := range [][2]int{{854, 480}, {3840, 2160}} {
		w, h := size[0], size[1]
		b.Run(fmt.Sprintf("%dx%d", w, h), func(b *testing.B) {
			of := NewBoundaries(w, h)
			m, n := annotation.NewMask(w, h), annotation.NewMask(w, h)
			for y := h / 4; y < h*3/4; y++ {
				for x := w / 4; x < w*3/4; x++ {
					m.Set(x, y)
					n.Set(x+3, y+2)
				}
			}
			for b.Loop() {
				of.Compare(m, n, nil)
			}
		})
	}
}
