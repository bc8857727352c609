package sheet

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"
	"testing"
)

func flat(w, h int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(3, 5, 3+w, 5+h)) // bounds need not start at 0
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

func cells(n int) []Cell {
	c := make([]Cell, n)
	for i := range c {
		c[i] = Cell{Image: flat(64, 36, color.RGBA{uint8(10 * i), 100, 0, 255}), Caption: fmt.Sprint(i)}
	}
	return c
}

// TestFramesStandWhereTheyShould checks the centre of every cell.
func TestFramesStandWhereTheyShould(t *testing.T) {
	got, err := Draw(cells(7), Options{Columns: 3, CellWidth: 64, Title: "seven"})
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Pt(3*(64+gutter)+gutter, 3*(36+captionH)+titleH); got.Rect.Size() != want {
		t.Fatalf("size %v, want %v", got.Rect.Size(), want)
	}
	for i := range 9 {
		x, y := gutter+i%3*(64+gutter)+32, titleH+i/3*(36+captionH)+18
		want := color.RGBA{uint8(10 * i), 100, 0, 255}
		if i >= 7 {
			want = paper
		}
		if c := got.RGBAAt(x, y); c != want {
			t.Errorf("cell %d shows %v, want %v", i, c, want)
		}
	}
	// The gutter is empty.
	for y := range got.Rect.Dy() {
		if c := got.RGBAAt(gutter/2, y); c != paper {
			t.Fatalf("%v in the margin at y = %d", c, y)
		}
	}
}

// TestCaptionsStayInTheirCell uses captions that are far too long.
func TestCaptionsStayInTheirCell(t *testing.T) {
	c := cells(2)
	c[0].Caption = strings.Repeat("wide ", 40)
	for range 20 {
		c[1].Tags = append(c[1].Tags, Tag{Name: "umbrella", Color: color.RGBA{255, 0, 0, 255}})
	}
	got, err := Draw(c, Options{Columns: 2, CellWidth: 160})
	if err != nil {
		t.Fatal(err)
	}
	h := 36 * 160 / 64
	inked, red := 0, 0
	for y := gutter + h; y < got.Rect.Dy(); y++ {
		for x := range got.Rect.Dx() {
			p := got.RGBAAt(x, y)
			if p != paper {
				inked++
			}
			if p.R == 255 && p.G == 0 {
				red++
			}
			if (x < gutter || x >= gutter+160 && x < 2*gutter+160 || x >= 2*gutter+320) && p != paper {
				t.Fatalf("ink at %d,%d, between the cells", x, y)
			}
		}
	}
	if inked == 0 || red < 30 {
		t.Errorf("%d inked, %d red pixels under the frames", inked, red)
	}
}

// TestOtherShapes fits an upright image into a wide frame without distortion.
func TestOtherShapes(t *testing.T) {
	c := cells(2)
	c[1].Image = flat(36, 64, color.White)
	got, err := Draw(c, Options{Columns: 2, CellWidth: 64})
	if err != nil {
		t.Fatal(err)
	}
	white := 0
	for x := range 64 {
		if got.RGBAAt(2*gutter+64+x, gutter+18) == (color.RGBA{255, 255, 255, 255}) {
			white++
		}
	}
	if white != 36*36/64 {
		t.Errorf("upright picture is %d pixels wide, want %d", white, 36*36/64)
	}
}

func TestColumns(t *testing.T) {
	for n, want := range map[int]int{1: 1, 4: 2, 9: 3, 12: 4, 16: 4} {
		if got := columns(n, 320, 202); got != want {
			t.Errorf("%d frames in %d columns, want %d", n, got, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string][]Cell{
		"no frames":      nil,
		"no picture":     {{}},
		"an empty frame": {{Image: image.NewRGBA(image.Rectangle{})}},
	} {
		if _, err := Draw(c, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Draw(cells(2), Options{CellWidth: 1 << 20}); err == nil {
		t.Error("a giant: no error")
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := Draw(cells(3), Options{Title: "x", CellWidth: 64}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
