package dataset

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A tree is the folder of a data set that a test builds.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) tree { return tree{t, t.TempDir()} }

func (tr tree) write(path string, data []byte) {
	tr.t.Helper()
	path = filepath.Join(tr.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) text(path, s string) { tr.t.Helper(); tr.write(path, []byte(s)) }

func (tr tree) remove(path string) {
	tr.t.Helper()
	if err := os.RemoveAll(filepath.Join(tr.dir, path)); err != nil {
		tr.t.Fatal(err)
	}
}

// jpeg writes a grey image.
func (tr tree) jpeg(path string, w, h int) {
	tr.t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		tr.t.Fatal(err)
	}
	tr.write(path, b.Bytes())
}

// png writes an image.
func (tr tree) png(path string, img image.Image) {
	tr.t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tr.t.Fatal(err)
	}
	tr.write(path, b.Bytes())
}

// indexed is a row of labels with a palette, as in DAVIS 2017 and VOC.
func indexed(labels ...uint8) image.Image {
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.RGBA{uint8(i * 7), uint8(i * 31), uint8(i), 255}
	}
	return &image.Paletted{Pix: labels, Stride: len(labels), Rect: image.Rect(0, 0, len(labels), 1), Palette: palette}
}

// grey is a row of labels as grey values, as in ADE20K and COCO-Stuff.
func grey(labels ...uint8) image.Image {
	return &image.Gray{Pix: labels, Stride: len(labels), Rect: image.Rect(0, 0, len(labels), 1)}
}

// open opens the data set in the tree.
func (tr tree) open(name string, o Options) *Set {
	tr.t.Helper()
	s, err := Open(name, tr.dir, o)
	if err != nil {
		tr.t.Fatal(err)
	}
	return s
}

// refused checks that the data set in the tree cannot be opened, and that the error has
// all the words.
func (tr tree) refused(name string, o Options, words ...string) {
	tr.t.Helper()
	_, err := Open(name, tr.dir, o)
	if err == nil {
		tr.t.Errorf("%s is opened; want an error with %q", name, words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			tr.t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

// truth checks the labels of a frame.
func truth(t *testing.T, s Sample, frame, w, h int, want ...uint8) {
	t.Helper()
	got, err := s.Truth(frame)
	if err != nil {
		t.Error(err)
		return
	}
	if got.W != w || got.H != h || !bytes.Equal(got.Labels, want) {
		t.Errorf("the truth of %s, frame %d, is %d×%d %v; want %d×%d %v", s.ID, frame, got.W, got.H, got.Labels, w, h, want)
	}
}

// ids lists the sample names of a set.
func ids(s *Set) string {
	var list []string
	for _, sample := range s.Samples {
		list = append(list, sample.ID)
	}
	return strings.Join(list, " ")
}

// colour is an image without labels.
func colour() image.Image { return image.NewNRGBA(image.Rect(0, 0, 4, 1)) }
