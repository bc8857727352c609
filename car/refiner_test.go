package car

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// A heatRefiner returns the heat as marginals and records its calls.
type heatRefiner struct {
	img           *Image
	images, calls int
	fields        []int // how many proposals each field had
	err           error
	short         bool // sets one value too few
}

func (r *heatRefiner) SetImage(_ context.Context, img *Image) error {
	r.img = img
	r.images++
	return nil
}

func (r *heatRefiner) Refine(_ context.Context, fields []Field) error {
	r.calls++
	n := r.img.W * r.img.H
	for i := range fields {
		f := &fields[i]
		r.fields = append(r.fields, len(f.Proposals))
		f.Marginals = make([]float32, (len(f.Proposals)+1)*n)
		for px := range n {
			// The proposal with the highest heat gets it as probability, the background
			// the rest.
			best := 0
			for k := range f.Proposals {
				if f.Proposals[k].Heat[px] > f.Proposals[best].Heat[px] {
					best = k
				}
			}
			heat := f.Proposals[best].Heat[px]
			f.Marginals[(best+1)*n+px], f.Marginals[px] = heat, 1-heat
		}
		if r.short {
			f.Marginals = f.Marginals[1:]
		}
	}
	return r.err
}

// TestRefiner: another refiner replaces the dense CRF, and its marginals are the
// result.
func TestRefiner(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *Preset)
		fields []int
		calls  int
	}{
		{"one field", func(*Preset) {}, []int{2}, 1},
		{"overlap", func(p *Preset) { p.Overlap = true }, []int{1, 1}, 1},
		{"things and stuff", func(p *Preset) { p.Stuff = []string{"cat"} }, []int{1, 1}, 2},
	} {
		wd := newWorld()
		preset := worldPreset()
		c.change(&preset)
		s := wd.segmenter(t, preset)
		r := &heatRefiner{}
		s.Refiner = r
		img := wd.image()
		res, err := s.Segment(t.Context(), img, named("dog", "cat"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(res.Found) != 2 || r.images != 1 || r.calls != c.calls || !slices.Equal(r.fields, c.fields) || r.img != img {
			t.Errorf("%s: found %v after %d images and %d calls with fields of %v", c.name, foundIn(res), r.images, r.calls, r.fields)
		}
		for _, f := range res.Found {
			if f.Area == 0 {
				t.Errorf("%s: %s has no pixel", c.name, f.Label)
			}
			for i, m := range f.Mask {
				if (m != 0) != (f.Probability[i] > 0.5) {
					t.Errorf("%s: %s has %d at pixel %d where the refiner says %g", c.name, f.Label, m, i, f.Probability[i])
					break
				}
			}
		}
		// If no query is kept, SetImage is not called.
		if _, err := s.Refine(t.Context(), &EncodedImage{img: img}, &Outcome{bank: &Bank{}, kept: [][]Proposal{nil}}); err != nil || r.images != 1 {
			t.Errorf("%s: with nothing kept: %v after %d images", c.name, err, r.images)
		}
	}
}

// TestRefinerFails: an error of the refiner and marginals of a wrong size are errors of
// the segmentation.
func TestRefinerFails(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	broken := errors.New("broken")
	s.Refiner = &heatRefiner{err: broken}
	if _, err := s.Segment(t.Context(), wd.image(), named("dog", "cat")); !errors.Is(err, broken) {
		t.Errorf("the refiner's error became %v", err)
	}
	s.Refiner = &heatRefiner{short: true}
	if _, err := s.Segment(t.Context(), wd.image(), named("dog", "cat")); err == nil || !strings.Contains(err.Error(), "marginals") {
		t.Errorf("marginals of a wrong size: %v", err)
	}
}
