package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

func openSeries(t *testing.T, dir string, o Options) *Series {
	t.Helper()
	s, err := OpenSeries(dir, "list.json", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestSeries: files appear one by one, the manifest last; after an error it is missing.
func TestSeries(t *testing.T) {
	for _, abort := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "out")
		s := openSeries(t, dir, Options{})
		var wg sync.WaitGroup
		for _, name := range []string{"a/1", "a/2", "b/c/1"} {
			wg.Go(func() {
				if err := s.WriteFile(name, []byte(name)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := s.WriteFile("a/1", nil); !errors.Is(err, ErrExists) {
			t.Errorf("a name for two files: %v", err)
		}
		if err := s.Prepare([]byte("all")); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		holds(t, filepath.Join(dir, "a"), map[string]string{"1": "a/1", "2": "a/2"})
		if abort {
			s.Abort()
		}
		s.Close()
		_, err := os.Stat(filepath.Join(dir, "list.json"))
		if os.IsNotExist(err) != abort {
			t.Errorf("abort %t: %v", abort, err)
		}
		holds(t, filepath.Join(dir, "b/c"), map[string]string{"1": "b/c/1"})
	}
}

// TestSeriesStaysInside: neither a name nor a link leads out of the folder.
func TestSeriesStaysInside(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(outside, "precious"), "old")
	s := openSeries(t, dir, Options{Overwrite: true})
	for _, name := range []string{"../x", "link/precious", "link/new", filepath.Join(outside, "x"), ""} {
		if err := s.WriteFile(name, nil); err == nil {
			t.Errorf("%q is written", name)
		}
	}
	if err := s.Remove(slices.Values([]string{"link/precious", "../" + filepath.Base(outside) + "/precious", "link"})); err != nil {
		t.Error(err)
	}
	holds(t, outside, map[string]string{"precious": "old"})
	if _, err := os.Readlink(filepath.Join(dir, "link")); err != nil {
		t.Error(err)
	}
}

func TestSeriesRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("file"), "")
	for path, want := range map[string]error{at("none/out"): ErrNoFolder, at("file"): nil} {
		if _, err := OpenSeries(path, "list.json", Options{}); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	s := openSeries(t, at("out"), Options{})
	if _, err := OpenSeries(at("out"), "list.json", Options{Overwrite: true}); !errors.Is(err, ErrIsOutput) {
		t.Errorf("one folder for two series: %v", err)
	}
	s.Abort()
	s.Close()
	if _, err := os.Stat(at("out")); !os.IsNotExist(err) {
		t.Errorf("an empty folder stays: %v", err)
	}
	if err := os.Mkdir(at("done"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, at("done/list.json"), "old")
	if _, err := OpenSeries(at("done"), "list.json", Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("a series that is there: %v", err)
	}
	holds(t, at("done"), map[string]string{"list.json": "old"})
}

// TestSeriesOverwrites: only named files are replaced or removed, and never an input.
func TestSeriesOverwrites(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"list.json", "1", "2", "in", "theirs", "a/1"} {
		write(t, filepath.Join(dir, name), "old")
	}
	s := openSeries(t, dir, Options{Overwrite: true, Inputs: []string{filepath.Join(dir, "in")}})
	if err := s.RemoveManifest(); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(slices.Values([]string{"1", "in", "gone", "a/1", "a"})); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteFile("in", []byte("new")); !errors.Is(err, ErrIsInput) {
		t.Errorf("the input: %v", err)
	}
	if err := s.WriteFile("2", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Prepare([]byte("new")), s.Commit()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	holds(t, dir, map[string]string{"list.json": "new", "2": "new", "in": "old", "theirs": "old"})
}
