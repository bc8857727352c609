package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
)

// What holds for every set.
func TestKinds(t *testing.T) {
	for _, name := range Names() {
		about, layout, err := About(name)
		if err != nil || about == "" || strings.Contains(about, "\n") || !strings.HasPrefix(layout, "  ") {
			t.Errorf("%s: %q, %q, %v", name, about, layout, err)
		}
		// An empty folder, and one that does not exist.
		dir := t.TempDir()
		_, err = Open(name, dir, Options{})
		var missing *LayoutError
		if !errors.As(err, &missing) || missing.Missing == "" || !strings.Contains(missing.Hint(), layout) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s in an empty folder: %v", name, err)
		}
		if _, err := Open(name, filepath.Join(dir, "no"), Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s in no folder: %v", name, err)
		}
		if _, err := Open(name, dir, Options{Limit: -1}); err == nil {
			t.Errorf("%s: a negative limit is taken", name)
		}
	}
	var unknown *UnknownError
	if _, err := Open("cityscapes", ".", Options{}); !errors.As(err, &unknown) || !strings.Contains(unknown.Hint(), "davis") {
		t.Errorf("unknown set: %v", err)
	}
	if _, _, err := About("cityscapes"); !errors.As(err, &unknown) {
		t.Errorf("unknown set: %v", err)
	}
}

// The lists of classes have the expected lengths and are valid queries.
func TestClasses(t *testing.T) {
	adeAll, err := adeClasses("no such file")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		classes []class
		count   int
		at      map[int]string
	}{
		"voc":     {parseClasses(vocTable), 20, map[int]string{0: "aeroplane", 14: "person", 19: "tvmonitor"}},
		"context": {parseClasses(contextTable), 59, map[int]string{0: "airplane", 36: "person", 54: "monitor", 58: "wood"}},
		"coco":    {parseClasses(cocoTable), 80, map[int]string{0: "person", 24: "backpack", 79: "toothbrush"}},
		"ade":     {adeAll, 150, map[int]string{0: "wall", 12: "person", 136: "traffic light", 149: "flag"}},
	} {
		s := &Set{}
		queries, labels := s.addClasses(c.classes)
		if len(queries) != c.count || labels[0] != 1 || labels[c.count-1] != c.count {
			t.Errorf("%s: %d classes, labels %v", name, len(queries), labels)
		}
		if err := car.CheckQueries(queries); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, want := range c.at {
			if s.Classes[i] != want {
				t.Errorf("%s: class %d is %s, want %s", name, i, s.Classes[i], want)
			}
		}
	}
	// The preset knows the names of all stuff classes of Context.
	p, err := car.PresetNamed("context")
	if err != nil {
		t.Fatal(err)
	}
	s := &Set{}
	s.addClasses(parseClasses(contextTable))
	for _, name := range p.Stuff {
		if !slices.Contains(s.Classes, name) {
			t.Errorf("stuff %q is no class of Context", name)
		}
	}
	// docs/algorithm.md 9 gives two rows of the reference's spelling of ADE.
	if adeAll[6].text != "road, route" || adeAll[14].text != "door, double, door" {
		t.Errorf("texts of ADE: %q, %q", adeAll[6].text, adeAll[14].text)
	}
	// COCO's numbers have gaps.
	for category, label := range map[int]uint8{1: 1, 11: 11, 12: 0, 13: 12, 27: 25, 90: 80} {
		if cocoLabels[category] != label {
			t.Errorf("category %d has label %d, want %d", category, cocoLabels[category], label)
		}
	}
}

// The samples of a mask are labels, whatever their bit depth.
func TestLabels(t *testing.T) {
	tr := newTree(t)
	tr.png("indexed.png", indexed(0, 1, 200, 255))
	tr.png("grey.png", grey(0, 1, 200, 255))
	// Grey with 2 bits a sample, 4 samples in a byte: 0, 1, 2, 3.
	tr.text("grey2.png", "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x04\x00\x00\x00\x01\x02\x00\x00\x00\x00\x96\xe7\x48\xb0\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x90\x06\x00\x00\x1d\x00\x1c\x8e\xf4\xf5\x21\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82")
	tr.png("colour.png", colour())
	tr.text("text.png", "text")
	for name, want := range map[string][]uint8{"indexed.png": {0, 1, 200, 255}, "grey.png": {0, 1, 200, 255}, "grey2.png": {0, 1, 2, 3}} {
		p, err := readLabels(filepath.Join(tr.dir, name))
		if err != nil || !slices.Equal(p.Labels, want) || p.W != 4 || p.H != 1 || p.gray != strings.HasPrefix(name, "grey") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{"colour.png", "text.png", "none.png"} {
		if p, err := readLabels(filepath.Join(tr.dir, name)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
