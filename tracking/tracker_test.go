package tracking

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/car/densecrf"
)

// side is that of the pictures here.
const side = 16

// world is a CLIP that sees light: concept k is there when the two upper pixels
// of column k are lit. It stands in for both roles, and notes what it is asked.
type world struct {
	names []string
	looks int
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
func (w *world) PatchSize() int      { return 1 }
func (w *world) InputSize() int      { return side }

func (w *world) Look(_ context.Context, img *car.Image) (car.View, error) {
	w.looks++
	return &view{w, img}, nil
}

// EncodeImages sees the concepts whose pixel is lit in the picture shown: the
// one whose mask was shown above all, as the surroundings are black.
func (w *world) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	out := make([][]float32, len(images))
	for i, img := range images {
		out[i] = make([]float32, len(w.names)+1)
		out[i][len(w.names)] = 1e-3
		for k := range w.names {
			if img.Pix[3*k] > 128 {
				out[i][k] = 1
			}
		}
	}
	return out, nil
}

type view struct {
	w   *world
	img *car.Image
}

func (v *view) Grid() (rows, cols int) { return v.img.H, v.img.W }
func (v *view) Close()                 {}

func (v *view) Feature() []float32 {
	f := make([]float32, len(v.w.names)+1)
	for k := range f {
		f[k] = 0.5
	}
	return f
}

// Attention is to oneself alone: heat stays where it is.
func (v *view) Attention() []float32 {
	n := v.img.W * v.img.H
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// CAM is hot at the pixels of the concept that the direction points to.
func (v *view) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	out := make([][]float32, len(directions))
	for i, d := range directions {
		out[i] = make([]float32, v.img.W*v.img.H)
		for k := range v.w.names {
			out[i][k], out[i][side+k] = max(d[k], 0), max(d[k], 0)
		}
	}
	return out, nil
}

// newTracker tracks n concepts in pictures of side×side.
func newTracker(t *testing.T, n, probe int) (*Tracker, *world) {
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
	tr := &Tracker{Segmenter: seg, Queries: queries, Probe: probe}
	if err := tr.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tr, w
}

// lit is a picture in which the given concepts are there.
func lit(present ...int) *car.Image {
	img := car.NewImage(side, side)
	for _, k := range present {
		copy(img.Pix[3*k:], []uint8{255, 255, 255})
		copy(img.Pix[3*(side+k):], []uint8{255, 255, 255})
	}
	return img
}

func step(t *testing.T, tr *Tracker, img *car.Image) (kept, asked []int, cut bool) {
	t.Helper()
	s, err := tr.Step(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, st := range s.Outcome.Stages {
		for _, q := range st.Asked {
			if !slices.Contains(asked, q) {
				asked = append(asked, q)
			}
		}
	}
	return s.Outcome.Kept(), asked, s.Cut
}

// TestCarries follows two concepts: one stays, one leaves and comes back.
func TestCarries(t *testing.T) {
	const n, probe = 6, 3
	tr, w := newTracker(t, n, probe)
	kept, asked, _ := step(t, tr, lit(0, 2))
	if len(asked) != n {
		t.Errorf("the first frame asked %v, want all", asked)
	}
	if !slices.Equal(kept, []int{0, 2}) {
		t.Fatalf("the first frame kept %v, want 0 and 2", kept)
	}
	for range 4 {
		kept, asked, _ = step(t, tr, lit(0, 2))
		if !slices.Equal(kept, []int{0, 2}) {
			t.Errorf("kept %v, want 0 and 2", kept)
		}
		// Two present, and a third of the four absent.
		if len(asked) != 4 {
			t.Errorf("a frame asked %v, want two present and two absent", asked)
		}
	}
	kept, _, _ = step(t, tr, lit(2))
	if !slices.Equal(kept, []int{2}) {
		t.Errorf("0 left, and %v was kept", kept)
	}
	late := 0
	for ; late < probe; late++ {
		if kept, _, _ = step(t, tr, lit(0, 2)); slices.Contains(kept, 0) {
			break
		}
	}
	if late == probe {
		t.Errorf("0 came back and was not seen within %d frames", probe)
	}
	if w.looks != 6+late+1 {
		t.Errorf("%d looks at %d frames: the trunk must run once a frame", w.looks, 6+late+1)
	}
}

// TestEveryAbsentIsAsked demands that within any Probe frames each absent query
// has its turn, and that no frame asks more than its share.
func TestEveryAbsentIsAsked(t *testing.T) {
	const n = 9
	for _, probe := range []int{1, 2, 5, 50} {
		tr, _ := newTracker(t, n, probe)
		step(t, tr, lit(4))
		last := make([]int, n)
		share := (n - 1 + probe - 1) / probe
		for f := 1; f <= 3*n; f++ {
			_, asked, _ := step(t, tr, lit(4))
			if len(asked) != 1+share {
				t.Errorf("probe %d: a frame asked %d, want %d", probe, len(asked), 1+share)
			}
			for _, q := range asked {
				last[q] = f
			}
			for q := range last {
				if f-last[q] >= max(probe, n) {
					t.Errorf("probe %d: query %d has waited since frame %d at frame %d", probe, q, last[q], f)
				}
			}
		}
	}
}

// TestEmpty: a film in which nothing is found goes on being asked.
func TestEmpty(t *testing.T) {
	tr, _ := newTracker(t, 3, 2)
	for range 5 {
		if kept, _, _ := step(t, tr, lit()); len(kept) != 0 {
			t.Fatalf("kept %v of an empty picture", kept)
		}
	}
	seen := false
	for range 2 {
		kept, _, _ := step(t, tr, lit(1))
		seen = seen || slices.Equal(kept, []int{1})
	}
	if !seen {
		t.Error("1 came and was not seen within 2 frames")
	}
}

// TestCut: after a cut all queries are asked at once, and motion is no cut.
func TestCut(t *testing.T) {
	tr, _ := newTracker(t, 6, 50)
	paint := func(img *car.Image, v uint8) *car.Image {
		for i := 3 * 2 * side; i < len(img.Pix); i++ { // below the concepts
			img.Pix[i] = v
		}
		return img
	}
	step(t, tr, paint(lit(0), 10))
	if _, _, cut := step(t, tr, paint(lit(1), 12)); cut {
		t.Error("a small change was taken for a cut")
	}
	kept, asked, cut := step(t, tr, paint(lit(3), 200))
	if !cut || len(asked) != 6 || !slices.Equal(kept, []int{3}) {
		t.Errorf("at a cut: cut %v, asked %v, kept %v; want all asked and 3 kept", cut, asked, kept)
	}
}

// TestStateless asks everything in every frame.
func TestStateless(t *testing.T) {
	tr, _ := newTracker(t, 5, 50)
	tr.Stateless = true
	for _, present := range [][]int{{0}, {1, 3}, {2}} {
		kept, asked, _ := step(t, tr, lit(present...))
		if len(asked) != 5 || !slices.Equal(kept, present) {
			t.Errorf("asked %v, kept %v; want all asked and %v kept", asked, kept, present)
		}
	}
}

func TestInitialize(t *testing.T) {
	tr, _ := newTracker(t, 2, 1)
	tr.Probe = 0
	if err := tr.Initialize(t.Context()); err == nil {
		t.Error("a probe of 0 frames has no error")
	}
	tr.Probe, tr.Queries = 1, nil
	if err := tr.Initialize(t.Context()); err == nil {
		t.Error("no query has no error")
	}
}
