package carve_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carve-video/carve"
)

// TestMasksState: concepts and instances keep their names and numbers in another run, where the
// queries have another order and one is new.
func TestMasksState(t *testing.T) {
	s := newShot(4, 1, "dog", "cat")
	for _, how := range []carve.Masks{{Instances: true}, {Split: carve.SplitInstance}, {Split: carve.SplitConcept}, {}} {
		dir := t.TempDir()
		first, second := how, how
		first.Path, second.Path = filepath.Join(dir, "first"), filepath.Join(dir, "second")
		s.write(t, &first, s.frame(0, s.layer(1, 7, 255), s.layer(0, 3, 0, 255)))
		state, err := first.State()
		if err != nil {
			t.Fatal(err)
		}
		later := newShot(4, 1, "bird", "cat", "dog")
		for i, id := range []int{3, 2, 1} {
			later.queries[i].ID = id
		}
		if err := second.Open(t.Context(), later.stream()); err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		if err := second.SetState(state); err != nil {
			t.Fatal(err)
		}
		err = second.Write(t.Context(), later.frame(0, later.layer(0, 1, 0, 0, 255), later.layer(1, 7, 255), later.layer(2, 3, 0, 255)))
		if err == nil {
			err = second.Prepare()
		}
		if err == nil {
			err = second.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		a, b := manifest(t, first.Path), manifest(t, second.Path)
		if len(b.Concepts) != 3 || b.Concepts[2].Label != "bird" {
			t.Fatalf("%+v", b.Concepts)
		}
		if d := cmp.Diff(a.Concepts, b.Concepts[:2]); d != "" {
			t.Errorf("%+v: %s", how, d)
		}
		full := `{"concepts":[{"id":1,"label":"dog"}],"numbered":[` + strings.Repeat(`{"concept":1,"instance":9,"unseen":5},`, 253) + `{"concept":1,"instance":3,"unseen":2}]}`
		if how.Instances { // a state in which all numbers are in use
			third := carve.Masks{Path: filepath.Join(dir, "third"), Instances: true}
			if err := third.Open(t.Context(), s.stream()); err != nil {
				t.Fatal(err)
			}
			defer third.Close()
			err := third.SetState([]byte(full))
			if err == nil {
				err = third.Write(t.Context(), s.frame(0, s.layer(0, 3, 0, 255), s.layer(1, 1, 255)))
			}
			if err == nil {
				err = errors.Join(third.Prepare(), third.Commit())
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := pixels(t, filepath.Join(third.Path, "000000.png")); got != "1 254 0 0" {
				t.Errorf("with all numbers in use, pixels are %s", got)
			}
		}
		hostile := []string{"x", `{"concepts":[{"id":1},{"id":1}]}`}
		if how.Instances {
			hostile = append(hostile, `{"numbered":[`+strings.Repeat("{},", 254)+`{}]}`)
		}
		for _, bad := range hostile {
			if err := second.SetState([]byte(bad)); err == nil {
				t.Errorf("%+v: no error for %s", how, bad)
			}
		}
	}
}
