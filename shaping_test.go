package carve_test

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
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
