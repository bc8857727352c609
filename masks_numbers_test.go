package carve_test

import (
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/maskmanifest"
)

// TestMasksReuseNumbers: when all numbers of an indexed sequence are in use, a new instance
// gets that of the one that was seen longest ago. The manifest says which images a number is
// whose in, and a reader finds each concept where it is.
func TestMasksReuseNumbers(t *testing.T) {
	s := newShot(2, 1, "dog", "cat")
	var frames []*carve.Frame
	for i := range 300 { // a dog for one frame each, beside a cat that stays
		frames = append(frames, s.frame(int64(i), s.layer(0, i+1, 255), s.layer(1, 1, 0, 255)))
	}
	frames = append(frames, s.frame(300, s.layer(1, 2, 255), s.layer(1, 1, 0, 255)), // a second cat
		s.frame(301, s.layer(0, 1, 255))) // and the first dog again
	dir := filepath.Join(t.TempDir(), "out")
	s.write(t, &carve.Masks{Path: dir, Instances: true}, frames...)
	m := manifest(t, dir)
	if m.Version != maskmanifest.VersionReused || len(m.Concepts[0].Instances) != 301 || len(m.Concepts[1].Instances) != 2 {
		t.Fatalf("version %d, %d dogs, %d cats", m.Version, len(m.Concepts[0].Instances), len(m.Concepts[1].Instances))
	}
	// Each pixel belongs to the one instance that the manifest says its value is in that image.
	who := func(value, image int) (concept, number int) {
		for k, c := range m.Concepts {
			for _, in := range c.Instances {
				if in.Index == value && int64(image) >= in.From && (in.Until == 0 || int64(image) < in.Until) {
					if number != 0 {
						t.Errorf("image %d: the number %d is that of two instances", image, value)
					}
					concept, number = k, in.Number
				}
			}
		}
		return concept, number
	}
	set, err := annotation.Open(t.Context(), dir, annotation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		img := decode(t, filepath.Join(dir, fmt.Sprintf("%06d.png", i))).(*image.Paletted)
		masks, err := set.Frame(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range f.Layers {
			x := l.Box.Min.X
			value := int(img.ColorIndexAt(x, 0))
			if c, n := who(value, i); c != l.Query || n != l.Instance {
				t.Fatalf("image %d: the number %d is instance %d of query %d, want %d of %d", i, value, n, c, l.Instance, l.Query)
			}
			if !masks.Masks[l.Query].At(x, 0) || masks.Masks[1-l.Query] != nil && masks.Masks[1-l.Query].At(x, 0) {
				t.Fatalf("image %d: pixel %d is read as another concept", i, x)
			}
		}
	}

	// A sequence in which no number is reused is of the first version.
	dir = filepath.Join(t.TempDir(), "few")
	s.write(t, &carve.Masks{Path: dir, Instances: true}, frames[:254-1]...)
	if m := manifest(t, dir); m.Version != maskmanifest.VersionOne || m.Concepts[1].Instances[0].Until != 0 {
		t.Errorf("version %d, %+v", m.Version, m.Concepts[1])
	}

	// More instances in one frame than there are numbers are an error.
	full := s.frame(0)
	for i := range 255 {
		full.Layers = append(full.Layers, s.layer(0, i+1, 255))
	}
	if err := s.try(&carve.Masks{Path: filepath.Join(t.TempDir(), "full"), Instances: true}, full); err == nil || !strings.Contains(err.Error(), "254") {
		t.Error(err)
	}
}
