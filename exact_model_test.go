package carve_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
)

// brightModel finds what is bright in each image, to the pixel: it is the proposer, the
// judge and the refiner. Elements of its vectors are bright, dark and other.
type brightModel struct{ img *car.Image }

const patch = 16 // pixels a side

// brightSegmenter returns a segmenter whose mask of the query "bright" are the bright
// pixels of the frame at hand.
func brightSegmenter(t testing.TB) *car.Segmenter {
	t.Helper()
	preset, err := car.PresetNamed("coco")
	if err != nil {
		t.Fatal(err)
	}
	preset.Contrast = [][]string{{"dark"}}
	m := &brightModel{}
	s, err := car.New(m, m, preset)
	if err != nil {
		t.Fatal(err)
	}
	s.Refiner = m
	return s
}

func (*brightModel) LogitScale() float32 { return 30 }
func (*brightModel) PatchSize() int      { return patch }
func (*brightModel) InputSize() int      { return 32 }

func (*brightModel) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		switch {
		case strings.Contains(text, "bright"):
			vectors[i] = []float32{1, 0, 0}
		case strings.Contains(text, "dark"):
			vectors[i] = []float32{0, 1, 0}
		default:
			vectors[i] = []float32{0, 0, 1}
		}
	}
	return vectors, nil
}

func (*brightModel) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	vectors := make([][]float32, len(images))
	for i, img := range images {
		vectors[i] = brightness(img, 0, 0, img.W, img.H, 0)
	}
	return vectors, nil
}

func (*brightModel) Encode(_ context.Context, img *car.Image) (car.Features, error) {
	kept := car.Image{Pix: slices.Clone(img.Pix), W: img.W, H: img.H} // img is valid during the call
	return &brightFeatures{&kept, img.H / patch, img.W / patch}, nil
}

// isBright reports whether a pixel is bright.
func isBright(img *car.Image, p int) bool {
	return int(img.Pix[3*p])+int(img.Pix[3*p+1])+int(img.Pix[3*p+2]) >= 3*128
}

// brightness is the vector of a rectangle: bright if more pixels than a share are.
func brightness(img *car.Image, x, y, w, h int, share float64) []float32 {
	n := 0
	for v := y; v < min(y+h, img.H); v++ {
		for u := x; u < min(x+w, img.W); u++ {
			if isBright(img, v*img.W+u) {
				n++
			}
		}
	}
	if float64(n) > share*float64(w*h) {
		return []float32{1, 0, 0}
	}
	return []float32{0, 1, 0}
}

type brightFeatures struct {
	img        *car.Image
	rows, cols int
}

func (f *brightFeatures) Grid() (rows, cols int) { return f.rows, f.cols }
func (f *brightFeatures) Close()                 {}
func (f *brightFeatures) Feature() []float32     { return brightness(f.img, 0, 0, f.img.W, f.img.H, 0) }

// Attention is the identity, so that heat does not spread.
func (f *brightFeatures) Attention() []float32 {
	n := f.rows * f.cols
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

func (f *brightFeatures) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	for k, u := range directions {
		for y := range f.rows {
			for x := range f.cols {
				v := brightness(f.img, patch*x, patch*y, patch, patch, .5)
				maps[k] = append(maps[k], u[0]*v[0]+u[1]*v[1]+u[2]*v[2])
			}
		}
	}
	return maps, nil
}

func (m *brightModel) SetImage(_ context.Context, img *car.Image) error {
	m.img = img
	return nil
}

// Refine gives the bright pixels to the first proposal.
func (m *brightModel) Refine(_ context.Context, fields []car.Field) error {
	n := m.img.W * m.img.H
	for i := range fields {
		f := &fields[i]
		f.Marginals = make([]float32, (len(f.Proposals)+1)*n)
		for p := range n {
			if isBright(m.img, p) {
				f.Marginals[n+p] = 1
			} else {
				f.Marginals[p] = 1
			}
		}
	}
	return nil
}
