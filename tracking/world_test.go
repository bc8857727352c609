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

// Pictures of this world are grey and rough; a concept is a square in a colour of
// its own.
const (
	worldW, worldH = 144, 96
	patchSize      = 4
	unit           = 2  // pixels of what squares are measured in
	ground         = 90 // mean brightness
)

var colours = [][3]uint8{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 0}, {0, 255, 255}, {255, 0, 255}}

// world is a CLIP that sees colours. It stands in for both roles, and notes what it
// is asked.
type world struct {
	names  []string
	looks  int     // pictures the trunk ran over
	open   int     // views that are not closed
	judged int     // pictures the judge was shown
	dim    float32 // what the judge makes of a colour, 1 if 0
}

func (w *world) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
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

func (w *world) LogitScale() float32 { return 20 }
func (w *world) PatchSize() int      { return patchSize }
func (w *world) InputSize() int      { return worldW }

// near tells whether a pixel has the colour of a concept, or one that it was mixed
// with.
func near(p []uint8, k int) bool {
	d := 0
	for c, v := range colours[k] {
		e := int(p[c]) - int(v)
		d += e * e
	}
	return d < 90*90
}

func share(img *car.Image, k int) float32 {
	n := 0
	for i := range img.W * img.H {
		if near(img.Pix[3*i:3*i+3], k) {
			n++
		}
	}
	return float32(n) / float32(img.W*img.H)
}

func (w *world) Encode(_ context.Context, img *car.Image) (car.Features, error) {
	w.looks++
	w.open++
	return &view{w, img}, nil
}

// EncodeImages sees the concepts whose colour fills half a percent of the picture.
func (w *world) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	out := make([][]float32, len(images))
	for i, img := range images {
		w.judged++
		out[i] = make([]float32, len(w.names)+1)
		out[i][len(w.names)] = 0.3
		for k := range w.names {
			if share(img, k) > .005 {
				out[i][k] = 1
				if w.dim > 0 {
					out[i][k] = w.dim
				}
			}
		}
	}
	return out, nil
}

type view struct {
	w   *world
	img *car.Image
}

func (v *view) Grid() (rows, cols int) { return v.img.H / patchSize, v.img.W / patchSize }
func (v *view) Close()                 { v.w.open-- }

// Feature leans to what fills the picture.
func (v *view) Feature() []float32 {
	f := make([]float32, len(v.w.names)+1)
	for k := range v.w.names {
		f[k] = min(.4+2*share(v.img, k), .9)
	}
	f[len(v.w.names)] = .3
	return f
}

// Attention is to oneself alone: heat stays where it is.
func (v *view) Attention() []float32 {
	rows, cols := v.Grid()
	n := rows * cols
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// CAM is hot where the colour is that the direction points to.
func (v *view) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	out := make([][]float32, len(directions))
	rows, cols := v.Grid()
	for i, d := range directions {
		out[i] = make([]float32, rows*cols)
		for k := range v.w.names {
			for y := range v.img.H {
				for x := range v.img.W {
					if p := 3 * (y*v.img.W + x); near(v.img.Pix[p:p+3], k) {
						out[i][y/patchSize*cols+x/patchSize] += max(d[k], 0)
					}
				}
			}
		}
	}
	return out, nil
}

// newSession has n concepts to look for.
func newSession(t testing.TB, n int, set func(*Session)) (*Session, *world) {
	t.Helper()
	w := &world{}
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

func (s square) holds(x, y int) bool {
	x, y = x/unit, y/unit
	return x >= s.x && x < s.x+s.side && y >= s.y && y < s.y+s.side
}

// paint draws squares, later ones over earlier ones, on a ground that looks
// the same whatever is on it.
func paint(squares ...square) *car.Image { return paintOn(0, squares...) }

// paintOn is paint on another ground.
func paintOn(place int, squares ...square) *car.Image {
	img := car.NewImage(worldW, worldH)
	for y := range worldH {
		for x := range worldW {
			v := uint8(ground + 25*math.Sin(float64(x*(2+place))*.41+float64(y)*.37) + 20*math.Sin(float64(y*(3+place))*.53-float64(x)*.23))
			if place > 0 {
				v += 100
			}
			p := img.Pix[3*(y*worldW+x):]
			p[0], p[1], p[2] = v, v, v
			for _, s := range squares {
				if s.holds(x, y) {
					copy(p, colours[s.k][:])
				}
			}
		}
	}
	return img
}

// play runs pictures through a session, 25 a second, and returns the steps with
// their results; the steps are closed.
func play(t testing.TB, s *Session, film []*car.Image) []*Step {
	t.Helper()
	var all []*Step
	take := func(steps []*Step) {
		for _, step := range steps {
			sight := *step.Analysis
			step.Close()
			step.Analysis = &sight // what it says, without its memory
			all = append(all, step)
		}
	}
	for i, img := range film {
		steps, err := s.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		take(steps)
	}
	take(s.Flush())
	if len(all) != len(film) {
		t.Fatalf("%d steps of %d frames", len(all), len(film))
	}
	for i, step := range all {
		if step.Frame != int64(i) {
			t.Fatalf("step %d is of frame %d", i, step.Frame)
		}
	}
	return all
}

// shows returns the queries that have pixels.
func shows(step *Step) []int {
	var list []int
	for _, f := range step.Result.Found {
		if f.Area > 0 {
			list = append(list, f.Query)
		}
	}
	return list
}

// agrees is the overlap of a concept's mask with its square.
func agrees(step *Step, s square, over ...square) float64 {
	f := step.Result.Lookup(s.k)
	if f == nil {
		return 0
	}
	both, either := 0, 0
	for y := range worldH {
		for x := range worldW {
			in := s.holds(x, y) && !slices.ContainsFunc(over, func(o square) bool { return o.holds(x, y) })
			m := f.Mask[y*worldW+x] != 0
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
