package evaluate

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve/internal/atomicfile"
)

// TestResultsReplaceResults: -y replaces a results file; no other file is cut or
// replaced.
func TestResultsReplaceResults(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	head := Head{MessageType: "run", Dataset: "clips"}
	r, err := OpenResults(at("results"), false, head)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(at("results")); err == nil {
		t.Error("a file was made without a sample")
	}
	late, err := OpenResults(at("results"), false, head)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(&SampleResult{MessageType: "sample", ID: "one"}); err != nil {
		t.Fatal(err)
	}
	if err := late.Add(&SampleResult{MessageType: "sample", ID: "late"}); !errors.Is(err, atomicfile.ErrExists) {
		t.Errorf("a file that came meanwhile: %v", err)
	}
	for _, anew := range []bool{true, false} {
		if _, err := OpenResults(at("results"), anew, head); !errors.Is(err, ErrBusy) {
			t.Errorf("two runs write one file, anew %v: %v", anew, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"text": "precious\n", "json": `{"message_type":"summary"}` + "\n", "line": "no end of line"} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, at("to"+name)); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{at(name), at("to" + name)} {
			for _, anew := range []bool{true, false} {
				if _, err := OpenResults(path, anew, head); !errors.Is(err, ErrNotResults) {
					t.Errorf("%s, anew %v: %v", path, anew, err)
				}
			}
		}
		if b, _ := os.ReadFile(at(name)); string(b) != text {
			t.Errorf("%s holds %q", name, b)
		}
	}
	for _, path := range []string{dir, "/dev/null"} {
		if _, err := OpenResults(path, true, head); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
	again, err := OpenResults(at("results"), false, head)
	if err != nil || !again.has("one") {
		t.Errorf("what is there is not gone on with: %v", err)
	}
	again.Close()
	// With anew, the old results stay until new ones are written.
	before, err := os.ReadFile(at("results"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("results"), append(before, "cut o"...), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, anew := range []bool{true, false} {
		r, err := OpenResults(at("results"), anew, head)
		if err != nil || r.has("one") == anew {
			t.Fatalf("anew %v: %v", anew, err)
		}
		r.Close()
		if b, _ := os.ReadFile(at("results")); string(b) != string(before)+"cut o" {
			t.Errorf("anew %v changed the file without a sample: %q", anew, b)
		}
	}
	for _, c := range []struct {
		anew bool
		has  []string
	}{{false, []string{"one", "two", "three"}}, {true, []string{"two", "three"}}} {
		r, err := OpenResults(at("results"), c.anew, head)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"two", "three"} {
			if err := r.Add(&SampleResult{MessageType: "sample", ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
		if r, err = OpenResults(at("results"), false, head); err != nil {
			t.Fatal(err)
		}
		var has []string
		for _, s := range r.list {
			has = append(has, s.ID)
		}
		r.Close()
		if !slices.Equal(has, c.has) {
			t.Errorf("anew %v: it holds %q, want %q", c.anew, has, c.has)
		}
	}
}
