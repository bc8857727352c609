package carve_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
)

func TestMasksRefused(t *testing.T) {
	s := newShot(1, 1, "dog", "cat")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, m := range map[string]carve.Masks{
		"no path":                 {},
		"no frame":                {Path: at("a.png")},
		"no frame, but a time":    {Path: at("{pts}/x")},
		"an unknown place":        {Path: at("{concpt}/%d.png"), Split: carve.SplitConcept},
		"no place for concepts":   {Path: at("%d.png"), Split: carve.SplitConcept},
		"no place for instances":  {Path: at("{concept}/%d.png"), Split: carve.SplitInstance},
		"concepts without split":  {Path: at("{concept}.%d.png")},
		"instances without split": {Path: at("{concept}.{instance}.%d.png"), Split: carve.SplitConcept},
		"ambiguous":               {Path: at("{concept}%d.png"), Split: carve.SplitConcept},
		"dots":                    {Path: at("{concept}/../%d.png"), Split: carve.SplitConcept},
		"an unknown format":       {Path: at("out"), Format: "exr"},
		"another format":          {Path: at("%d.tif"), Format: "png", Split: carve.SplitConcept},
		"an unknown extension":    {Path: at("%d.exr"), Split: carve.SplitConcept},
		"no extension":            {Path: at("%d"), Split: carve.SplitConcept},
		"numbers as TIFF":         {Path: at("%d.tif")},
		"numbers of 16 bits":      {Path: at("%d.png"), Bits: 16},
		"10 bits":                 {Path: at("out"), Bits: 10, Split: carve.SplitConcept},
		"an unknown split":        {Path: at("out"), Split: "things"},
		"instances twice":         {Path: at("out"), Split: carve.SplitInstance, Instances: true},
		"an unknown concept":      {Path: at("out"), Concepts: []string{"dog", "pizza"}},
		"a negative start":        {Path: at("out"), Start: "-1"},
		"a start that is none":    {Path: at("out"), Start: "first"},
		"a source without number": {Path: at("out"), Start: carve.StartSource},
		"no parent":               {Path: at("none/out")},
	} {
		if err := s.try(&m, s.frame(0)); err == nil || len(listing(t, dir)) > 0 {
			t.Errorf("%s: error %v, and there are %v", name, err, listing(t, dir))
		}
	}
	many := newShot(1, 1)
	for i := range 255 {
		many.queries = append(many.queries, car.Query{ID: i + 1, Label: fmt.Sprint(i), Phrases: []string{fmt.Sprint(i)}})
	}
	if err := many.try(&carve.Masks{Path: at("out")}); err == nil || !strings.Contains(err.Error(), "254") {
		t.Errorf("255 concepts: %v", err)
	}
	// A hole in the sequence, and a mask of another size.
	if err := s.try(&carve.Masks{Path: at("hole")}, s.frame(3), s.frame(5)); err == nil {
		t.Error("a frame is missing")
	}
	bad := s.frame(0, s.layer(0, 0))
	bad.Layers[0].Mask = nil
	if err := s.try(&carve.Masks{Path: at("nil")}, bad); err == nil {
		t.Error("a mask is missing")
	}
}

// TestMasksThere: files that are there stay, unless the sequence or one before it has
// them.
func TestMasksThere(t *testing.T) {
	s := newShot(1, 1, "dog", "cat")
	dir := t.TempDir()
	put := func(name string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("theirs"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("notes.txt")
	put("cat/notes.txt")
	put("cat/000007.png")
	m := carve.Masks{Path: dir, Split: carve.SplitConcept}
	before := tree(t, dir)
	if err := s.try(&m, s.frame(0)); !errors.Is(err, atomicfile.ErrExists) || !slices.Equal(tree(t, dir), before) {
		t.Errorf("%v, and there are %v", err, tree(t, dir))
	}
	// A pattern asks for its own files only.
	p := carve.Masks{Path: filepath.Join(dir, "x.{concept}.%d.png"), Split: carve.SplitConcept}
	s.write(t, &p, s.frame(0), s.frame(1), s.frame(2))
	if err := s.try(&carve.Masks{Path: p.Path, Split: p.Split}, s.frame(0)); !errors.Is(err, atomicfile.ErrExists) {
		t.Errorf("%v", err)
	}
	// The one before is removed as its manifest lists it; what was not of it stays.
	put("x.dog.3.png")
	m = carve.Masks{Path: dir, Split: carve.SplitConcept, Overwrite: true, Concepts: []string{"cat"}}
	s.write(t, &m, s.frame(0), s.frame(1))
	want := []string{"cat/000000.png", "cat/000001.png", "cat/000007.png", "cat/notes.txt", "concepts.json", "notes.txt", "x.dog.3.png"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%q,\nwant %q", got, want)
	}
	// A shorter one replaces a longer one whole, and a failed one says that it is incomplete.
	m = carve.Masks{Path: dir, Split: carve.SplitConcept, Overwrite: true, Concepts: []string{"cat"}}
	if err := s.try(&m, s.frame(0), s.frame(2)); err == nil {
		t.Error("a hole is taken")
	}
	want = []string{"cat/000000.png", "cat/000007.png", "cat/notes.txt", "concepts.incomplete.json", "notes.txt", "x.dog.3.png"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%q,\nwant %q", got, want)
	}
	// Nothing is removed before the first frame.
	if err := s.try(&carve.Masks{Path: dir, Overwrite: true, Concepts: []string{"nobody"}}); err == nil || !slices.Equal(tree(t, dir), want) {
		t.Errorf("%v: %q", err, tree(t, dir))
	}
}

// TestMasksProtect: the source is never replaced, even if it is a sequence.
func TestMasksProtect(t *testing.T) {
	s := newShot(1, 1, "dog")
	dir := t.TempDir()
	input := filepath.Join(dir, "000001.png")
	if err := os.WriteFile(input, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{input, filepath.Join(dir, "%06d.png")} {
		s.info.Path = path
		if err := s.try(&carve.Masks{Path: dir, Overwrite: true}, s.frame(0), s.frame(1)); !errors.Is(err, atomicfile.ErrIsInput) {
			t.Errorf("%s: %v", path, err)
		}
		if text, _ := os.ReadFile(input); string(text) != "precious" {
			t.Fatalf("%s: the input holds %q", path, text)
		}
	}
}

// TestMasksStart: files are numbered like those of the source.
func TestMasksStart(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{1001, 1002, 1003} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("shot_v02.%04d.exr", n)), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i, path := range []string{filepath.Join(dir, "shot_v02.1001.exr"), filepath.Join(dir, "shot_v02.%04d.exr"), "nowhere/1001.dpx"} {
		s := newShot(1, 1, "dog")
		s.info.Path = path
		out := filepath.Join(dir, fmt.Sprint("out", i))
		s.write(t, &carve.Masks{Path: out, Start: carve.StartSource}, s.frame(0), s.frame(1))
		if got := tree(t, out); !slices.Equal(got, []string{"001001.png", "001002.png", "concepts.json"}) || manifest(t, out).Start != 1001 {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestMasksControl: a query that is set while a run goes on has files for all frames.
func TestMasksControl(t *testing.T) {
	if testing.Short() {
		t.Skip("another run of masks is enough for the race detector")
	}
	j := job(t, segmenter(t))
	j.Queries = j.Queries[:1] // a dog
	var control carve.Control
	j.Control = &control
	dir := filepath.Join(t.TempDir(), "out")
	changed := int64(-1)
	j.Limit = 40
	j.Sinks = []carve.Sink{&carve.Masks{Path: dir, Split: carve.SplitConcept}, carve.SinkFunc(func(ctx context.Context, f *carve.Frame) error {
		if changed < 0 && len(f.Queries) == 2 {
			changed = f.Index
		}
		if f.Index != 2 {
			return nil
		}
		_, err := control.SetQueries(ctx, []car.Query{car.Named("car"), car.Named("dog")})
		return err
	})}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if changed < 1 || len(tree(t, dir)) != 2*int(j.Limit)+1 {
		t.Errorf("changed at frame %d; %d files", changed, len(tree(t, dir)))
	}
	m := manifest(t, dir)
	if c := m.Concepts; len(c) != 2 || c[0].Label != "dog" || c[0].ID != 1 || c[1].Label != "car" || c[1].ID != 2 || m.Frames != j.Limit || len(m.PTS) != int(j.Limit) {
		t.Errorf("%+v", m)
	}
	for i := range j.Limit {
		decode(t, filepath.Join(dir, "car", fmt.Sprintf("%06d.png", i)))
	}
}
