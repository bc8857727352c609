package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFolderKeeps: entries that are not own are never replaced or removed, whenever
// they were added and by whatever name they are reached.
func TestFolderKeeps(t *testing.T) {
	own := func(name string, mode fs.FileMode) bool {
		return name == "film" && mode.IsRegular() || name == "sub" && mode.IsDir() || name == "sub/0" && mode.IsRegular()
	}
	var foreign *ForeignError
	over := Options{Overwrite: true}
	for _, c := range []struct{ name, file string }{
		{"notes", "notes"}, {"sub/notes", "sub/notes"}, {"film", "film/x"}, {"other", "other/film"},
	} {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		if err := errors.Join(os.MkdirAll(at("clip/sub"), 0o755), os.Symlink("clip", at("link"))); err != nil {
			t.Fatal(err)
		}
		write(t, at("clip/sub/0"), "0")
		f, err := ReplaceFolder(at("clip"), over, own)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(at("clip/"+c.file)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, at("clip/"+c.file), "precious")
		if err := f.Commit(); !errors.As(err, &foreign) || foreign.Name != c.name {
			t.Errorf("%s came meanwhile: %v", c.file, err)
		}
		for _, path := range []string{at("clip"), at("link")} {
			if _, err := ReplaceFolder(path, over, own); !errors.As(err, &foreign) || foreign.Name != c.name {
				t.Errorf("%s in %s: %v", c.file, path, err)
			}
		}
		if err := RemoveFolder(at("clip"), own); !errors.As(err, &foreign) {
			t.Errorf("%s: removed, %v", c.file, err)
		}
		for path, want := range map[string]string{"clip/" + c.file: "precious", "clip/sub/0": "0"} {
			if b, err := os.ReadFile(at(path)); string(b) != want {
				t.Errorf("%s: %s holds %q, %v", c.file, path, b, err)
			}
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 2 {
			t.Errorf("%s: left behind %v", c.file, entries)
		}
	}

	// An input is kept under any name, even under that of an own file.
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.MkdirAll(at("clip/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, at("clip/sub/0"), "precious")
	if err := errors.Join(os.Symlink("clip/sub/0", at("link")), os.Link(at("clip/sub/0"), at("hard"))); err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{"clip/sub/0", "link", "hard", "clip"} {
		if err := CheckFolder(at("clip"), Options{Overwrite: true, Inputs: []string{at(input)}}, own); !errors.Is(err, ErrIsInput) {
			t.Errorf("input %s: %v", input, err)
		}
	}
	if _, err := CreateFolder(at("clip"), over); !errors.As(err, &foreign) {
		t.Errorf("nothing is own: %v", err)
	}
	if err := RemoveFolder(at("clip"), own); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(at("clip")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestSweepFolders: only old leftovers of killed runs are removed.
func TestSweepFolders(t *testing.T) {
	dir := t.TempDir()
	inUse, err := CreateFolder(filepath.Join(dir, "used"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer inUse.Abort()
	unregister(inUse.Path()) // as if it was another process
	stays := map[string]bool{filepath.Base(inUse.Path()): true, ".a.part-012345": false, ".new.part-012345": true, "users": true}
	for name := range stays {
		path := filepath.Join(dir, name)
		age := 25 * time.Hour
		if name == ".new.part-012345" {
			age = time.Hour
		}
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	SweepFolders(dir, 24*time.Hour)
	for name, want := range stays {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}
