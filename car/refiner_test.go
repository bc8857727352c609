package car

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// A heatRefiner takes the heat as it is and notes how it was called.
type heatRefiner struct {
	img          *Image
	looks, calls int
	fields       []int // how many proposals each field had
	err          error
	short        bool // sets one value too few
}

func (r *heatRefiner) SetImage(_ context.Context, img *Image) error {
	r.img = img
	r.looks++
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
			// The proposal with the highest heat takes the pixel, as far as its heat goes.
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

// TestRefiner: another refiner takes the place of the dense CRF, and what it says is
// the result.
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
		img := wd.picture()
		res, err := s.Segment(t.Context(), img, named("dog", "cat"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(res.Found) != 2 || r.looks != 1 || r.calls != c.calls || !slices.Equal(r.fields, c.fields) || r.img != img {
			t.Errorf("%s: found %v after %d looks and %d calls with fields of %v", c.name, foundIn(res), r.looks, r.calls, r.fields)
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
		// Where nothing is kept there is nothing to look at.
		if _, err := s.Refine(t.Context(), &EncodedImage{img: img}, &Outcome{bank: &Bank{}, kept: [][]Proposal{nil}}); err != nil || r.looks != 1 {
			t.Errorf("%s: with nothing kept: %v after %d looks", c.name, err, r.looks)
		}
	}
}

// TestRefinerFails: its error ends the step, and what it leaves out is an error.
func TestRefinerFails(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	broken := errors.New("broken")
	s.Refiner = &heatRefiner{err: broken}
	if _, err := s.Segment(t.Context(), wd.picture(), named("dog", "cat")); !errors.Is(err, broken) {
		t.Errorf("its error became %v", err)
	}
	s.Refiner = &heatRefiner{short: true}
	if _, err := s.Segment(t.Context(), wd.picture(), named("dog", "cat")); err == nil || !strings.Contains(err.Error(), "marginals") {
		t.Errorf("marginals of a wrong size: %v", err)
	}
}
