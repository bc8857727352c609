package tracking

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/car/densecrf"
)

// The frames of these tests have a grey, textured background. A concept is a square in a
// colour of its own.
const (
	frameW, frameH = 144, 96
	patchSize      = 4
	unit           = 2  // the unit of squares, in pixels
	meanBrightness = 90 // of the background, of 255
)

var colours = [][3]uint8{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 0}, {0, 255, 255}, {255, 0, 255}}

// A fakeCLIP is a model that recognises colours. It is both proposer and judge, and counts
// its calls.
type fakeCLIP struct {
	names   []string
	encoded int     // images the trunk ran over
	open    int     // features that are not closed
	judged  int     // images that were judged
	dim     float32 // the judge's feature for a visible colour; 0 stands for 1
}

func (w *fakeCLIP) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, len(w.names)+1)
		k := slices.IndexFunc(w.names, func(name string) bool { return strings.Contains(text, name) })
		if k < 0 {
			k = len(w.names) // a background word
		}
		out[i][k] = 1
	}
	return out, nil
}

func (w *fakeCLIP) LogitScale() float32 { return 20 }
func (w *fakeCLIP) PatchSize() int      { return patchSize }
func (w *fakeCLIP) InputSize() int      { return frameW }

// hasColour reports whether a pixel has the colour of concept k, or one mixed from it.
func hasColour(p []uint8, k int) bool {
	d := 0
	for c, v := range colours[k] {
		e := int(p[c]) - int(v)
		d += e * e
	}
	return d < 90*90
}

// colourShare is the share of an image's pixels that have the colour of concept k.
func colourShare(img *car.Image, k int) float32 {
	n := 0
	for i := range img.W * img.H {
		if hasColour(img.Pix[3*i:3*i+3], k) {
			n++
		}
	}
	return float32(n) / float32(img.W*img.H)
}

func (w *fakeCLIP) Encode(_ context.Context, img *car.Image) (car.Features, error) {
	w.encoded++
	w.open++
	return &fakeFeatures{w, img}, nil
}

// EncodeImages recognises the concepts whose colour fills half a percent of the image.
func (w *fakeCLIP) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	out := make([][]float32, len(images))
	for i, img := range images {
		w.judged++
		out[i] = make([]float32, len(w.names)+1)
		out[i][len(w.names)] = 0.3
		for k := range w.names {
			if colourShare(img, k) > .005 {
				out[i][k] = 1
				if w.dim > 0 {
					out[i][k] = w.dim
				}
			}
		}
	}
	return out, nil
}

// fakeFeatures are the features of one image.
type fakeFeatures struct {
	w   *fakeCLIP
	img *car.Image
}

func (v *fakeFeatures) Grid() (rows, cols int) { return v.img.H / patchSize, v.img.W / patchSize }
func (v *fakeFeatures) Close()                 { v.w.open-- }

// Feature is nearer to a concept the more of the image it fills.
func (v *fakeFeatures) Feature() []float32 {
	f := make([]float32, len(v.w.names)+1)
	for k := range v.w.names {
		f[k] = min(.4+2*colourShare(v.img, k), .9)
	}
	f[len(v.w.names)] = .3
	return f
}

// Attention is the identity, so that heat stays where it is.
func (v *fakeFeatures) Attention() []float32 {
	rows, cols := v.Grid()
	n := rows * cols
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// CAM is hot where the image has the colour that the direction points to.
func (v *fakeFeatures) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	out := make([][]float32, len(directions))
	rows, cols := v.Grid()
	for i, d := range directions {
		out[i] = make([]float32, rows*cols)
		for k := range v.w.names {
			for y := range v.img.H {
				for x := range v.img.W {
					if p := 3 * (y*v.img.W + x); hasColour(v.img.Pix[p:p+3], k) {
						out[i][y/patchSize*cols+x/patchSize] += max(d[k], 0)
					}
				}
			}
		}
	}
	return out, nil
}

// newSession returns a session with n concepts as queries. set, if not nil, sets its
// parameters.
func newSession(t testing.TB, n int, set func(*Session)) (*Session, *fakeCLIP) {
	t.Helper()
	w := &fakeCLIP{}
	var queries []car.Query
	for k := range n {
		name := fmt.Sprintf("concept%d", k)
		w.names = append(w.names, name)
		queries = append(queries, car.Named(name))
	}
	seg, err := car.New(w, w, car.Preset{
		Name: "test", Eta: 0.5, Theta: 0.5, Lambda: 0.4, Prompts: [][]car.Prompt{{car.Black}},
		CAMTemplate: "{}", Background: []string{"ground"}, Presence: 0.6, View: car.Whole,
		CRF: densecrf.Reference(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Tracker: Tracker{Segmenter: seg, Queries: queries}}
	if set != nil {
		set(s)
	}
	if err := s.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, w
}

// A square is where a concept is: its upper left corner and its side, in units.
type square struct{ k, x, y, side int }

func (s square) contains(x, y int) bool {
	x, y = x/unit, y/unit
	return x >= s.x && x < s.x+s.side && y >= s.y && y < s.y+s.side
}

// paint draws squares, later ones over earlier ones, on the same background each time.
func paint(squares ...square) *car.Image { return paintOn(0, squares...) }

// paintOn is paint on the background of another place.
func paintOn(place int, squares ...square) *car.Image {
	img := car.NewImage(frameW, frameH)
	for y := range frameH {
		for x := range frameW {
			v := uint8(meanBrightness + 25*math.Sin(float64(x*(2+place))*.41+float64(y)*.37) + 20*math.Sin(float64(y*(3+place))*.53-float64(x)*.23))
			if place > 0 {
				v += 100
			}
			p := img.Pix[3*(y*frameW+x):]
			p[0], p[1], p[2] = v, v, v
			for _, s := range squares {
				if s.contains(x, y) {
					copy(p, colours[s.k][:])
				}
			}
		}
	}
	return img
}

// makeFrames makes a video of n frames.
func makeFrames(n int, frame func(i int) *car.Image) []*car.Image {
	var frames []*car.Image
	for i := range n {
		frames = append(frames, frame(i))
	}
	return frames
}

// eventfulVideo is a video in which objects appear, vanish and move, with a cut.
func eventfulVideo() []*car.Image {
	return makeFrames(70, func(i int) *car.Image {
		squares := []square{{0, 4 + i/2, 8, 13}}
		if i > 15 && i < 50 {
			squares = append(squares, square{1, 50 - i/2, 12, 12})
		}
		if i%20 < 11 {
			squares = append(squares, square{2, 48, 30, 11})
		}
		if i >= 40 {
			return paintOn(1, squares...)
		}
		return paint(squares...)
	})
}

// play runs frames through a session, at 25 a second, and returns the steps with their
// results. The steps are closed.
func play(t testing.TB, s *Session, frames []*car.Image) []*Step {
	t.Helper()
	var all []*Step
	take := func(steps []*Step) {
		for _, step := range steps {
			analysis := *step.Analysis
			step.Close()
			step.Analysis = &analysis // its values, without its memory
			all = append(all, step)
		}
	}
	for i, img := range frames {
		steps, err := s.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		take(steps)
	}
	take(s.Flush())
	if len(all) != len(frames) {
		t.Fatalf("%d steps of %d frames", len(all), len(frames))
	}
	for i, step := range all {
		if step.Frame != int64(i) {
			t.Fatalf("step %d is of frame %d", i, step.Frame)
		}
	}
	return all
}

// visibleQueries returns the queries that have pixels.
func visibleQueries(step *Step) []int {
	var list []int
	for _, f := range step.Result.Found {
		if f.Area > 0 {
			list = append(list, f.Query)
		}
	}
	return list
}

// squareIoU is the IoU of a concept's mask with its square, less the squares over it.
func squareIoU(step *Step, s square, over ...square) float64 {
	f := step.Result.Lookup(s.k)
	if f == nil {
		return 0
	}
	both, either := 0, 0
	for y := range frameH {
		for x := range frameW {
			in := s.contains(x, y) && !slices.ContainsFunc(over, func(o square) bool { return o.contains(x, y) })
			m := f.Mask[y*frameW+x] != 0
			if in && m {
				both++
			}
			if in || m {
				either++
			}
		}
	}
	return float64(both) / float64(max(either, 1))
}
