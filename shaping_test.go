package carve_test

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
)

// TestShaping: two mask sequences of one run, one of them inverted and one grown, hold what
// their names say; an absent query is everywhere outside, and inverted nowhere.
func TestShaping(t *testing.T) {
	if testing.Short() {
		t.Skip("another run of masks is enough for the race detector")
	}
	s := segmenter(t)
	j := job(t, s)
	j.Limit = 3
	j.Queries = append(j.Queries, car.Named("guitar")) // is not there
	dir := t.TempDir()
	plain, grown, inverted := filepath.Join(dir, "plain"), filepath.Join(dir, "grown"), filepath.Join(dir, "inverted")
	j.Sinks = []carve.Sink{
		&carve.Masks{Path: plain, Split: carve.SplitConcept, Shaping: new(carve.Shaping)},
		&carve.Masks{Path: grown, Split: carve.SplitConcept, Shaping: &carve.Shaping{Grow: 3}},
		&carve.Masks{Path: inverted, Split: carve.SplitConcept, Shaping: &carve.Shaping{Invert: true}},
	}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	for _, concept := range []string{"dog", "car", "guitar"} {
		a, b, c := grey(t, filepath.Join(plain, concept, "000002.png")), grey(t, filepath.Join(grown, concept, "000002.png")), grey(t, filepath.Join(inverted, concept, "000002.png"))
		inside, more := 0, 0
		for i := range a.Pix {
			if a.Pix[i] != 0 && a.Pix[i] != 255 || c.Pix[i] != 255-a.Pix[i] || b.Pix[i] < a.Pix[i] {
				t.Fatalf("%s, pixel %d: %d, grown %d, inverted %d", concept, i, a.Pix[i], b.Pix[i], c.Pix[i])
			}
			inside += int(a.Pix[i]) / 255
			more += int(b.Pix[i]-a.Pix[i]) / 255
		}
		if there := concept != "guitar"; there != (inside > 0) || there != (more > 0) {
			t.Errorf("%s: %d pixels inside, and %d more when grown", concept, inside, more)
		}
	}
	j = job(t, s)
	j.Sinks = []carve.Sink{&carve.Masks{Path: filepath.Join(dir, "wrong"), Shaping: &carve.Shaping{Grow: -1}}}
	if _, err := carve.Run(t.Context(), j); err == nil {
		t.Error("a negative growth is taken")
	}
	j = job(t, s)
	j.Sinks = []carve.Sink{&carve.Masks{Path: filepath.Join(dir, "wrong"), Shaping: &carve.Shaping{Invert: true}}}
	if _, err := carve.Run(t.Context(), j); err == nil {
		t.Error("numbers of concepts are inverted")
	}
}

func grey(t *testing.T, path string) *image.Gray {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	g, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("%s is a %T", path, img)
	}
	return g
}

// TestPresentAfterShaping: the manifest counts the frames in which shaping leaves something
// of a mask; an inverted one counts where the query is.
func TestPresentAfterShaping(t *testing.T) {
	s := newShot(4, 1, "dog", "cat")
	small, large := []uint8{255}, []uint8{255, 255, 255}
	for _, c := range []struct {
		masks     carve.Masks
		dog, cat  int64
		instances []int64
	}{
		{carve.Masks{}, 3, 1, nil},
		{carve.Masks{Shaping: &carve.Shaping{MinArea: 2}}, 1, 0, nil},
		{carve.Masks{Shaping: &carve.Shaping{MinArea: 2}, Instances: true}, 1, 0, []int64{0, 1}},
		{carve.Masks{Split: carve.SplitConcept}, 3, 1, nil},
		{carve.Masks{Split: carve.SplitConcept, Shaping: &carve.Shaping{MinArea: 2}}, 2, 0, nil}, // instances are one mask
		{carve.Masks{Split: carve.SplitConcept, Shaping: &carve.Shaping{MinArea: 4}}, 0, 0, nil},
		{carve.Masks{Split: carve.SplitConcept, Shaping: &carve.Shaping{Invert: true}}, 3, 1, nil},
		{carve.Masks{Split: carve.SplitInstance}, 3, 1, []int64{3, 2}},
		{carve.Masks{Split: carve.SplitInstance, Shaping: &carve.Shaping{MinArea: 2}}, 1, 0, []int64{0, 1}},
	} {
		m := c.masks
		m.Path = filepath.Join(t.TempDir(), "out")
		s.write(t, &m,
			s.frame(0, s.layer(0, 1, small...), s.layer(0, 2, 0, 255)),
			s.frame(1, s.layer(0, 1, small...), s.layer(0, 2, large...), s.layer(1, 1, small...)),
			s.frame(2, s.layer(0, 1, small...)),
			s.frame(3))
		got := manifest(t, m.Path).Concepts
		var instances []int64
		for _, in := range got[0].Instances {
			instances = append(instances, in.Present)
		}
		if got[0].Present != c.dog || got[1].Present != c.cat || !slices.Equal(instances, c.instances) {
			t.Errorf("%+v: dog %d, cat %d, instances %v; want %d, %d, %v", c.masks, got[0].Present, got[1].Present, instances, c.dog, c.cat, c.instances)
		}
	}
}
