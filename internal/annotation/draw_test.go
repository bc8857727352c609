package annotation

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// letters draws an image from rows of digits. Each digit is the index of a pixel; 9 is
// void.
func letters(rows string) *image.Paletted {
	lines := strings.Fields(rows)
	img := image.NewPaletted(image.Rect(0, 0, len(lines[0]), len(lines)), make(color.Palette, 256))
	for i := range img.Palette {
		img.Palette[i] = color.RGBA{uint8(i), uint8(i), uint8(i), 255}
	}
	for y, line := range lines {
		for x, c := range line {
			v := uint8(c - '0')
			if v == 9 {
				v = 255
			}
			img.Pix[y*img.Stride+x] = v
		}
	}
	return img
}

func savePNG(t testing.TB, img image.Image, elem ...string) {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func save(t testing.TB, text string, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustOpen(t testing.TB, path string, o Options) *Sequence {
	t.Helper()
	s, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refuses checks that opening the path, or decoding one of its frames, fails with these
// words.
func refuses(t testing.TB, path string, o Options, want ...string) {
	t.Helper()
	s, err := Open(context.Background(), path, o)
	for i := 0; err == nil && i < s.Len(); i++ {
		_, err = s.Frame(i)
	}
	if err == nil {
		t.Errorf("%s is not refused", path)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// shows checks the contents of a frame, given as rows of digits: k is the object at
// index k-1, 9 is void, + is overlapping masks.
func shows(t testing.TB, s *Sequence, i int, want string) {
	t.Helper()
	f, err := s.Frame(i)
	if err != nil {
		t.Errorf("frame %d: %v", i, err)
		return
	}
	var rows []string
	for y := range f.H {
		row := ""
		for x := range f.W {
			c := "0"
			if f.Void.At(x, y) {
				c = "9"
			}
			for k, m := range f.Masks {
				if m.At(x, y) {
					if c != "0" {
						c = "+"
					} else {
						c = string(rune('1' + k))
					}
				}
			}
			row += c
		}
		rows = append(rows, row)
	}
	if got := strings.Join(rows, " "); got != strings.Join(strings.Fields(want), " ") {
		t.Errorf("frame %d: %s, want %s", i, got, want)
	}
}
