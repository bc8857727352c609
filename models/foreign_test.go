package models

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/carve-video/carve/internal/tensor"
)

// TestForeignFiles: a folder with files that carve did not put there is neither replaced
// nor removed.
func TestForeignFiles(t *testing.T) {
	useBuiltCache(t)
	dir := tiny.write(t, tensor.F16, 1)
	b := published(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	addToRegistry(t, "wanted", srv.URL+"/x.pt", b)
	known, _ := Known("wanted")
	put := func(name, file, text string) string {
		t.Helper()
		path := filepath.Join(modelDir(name), file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	refuses := func(what, path string, err error) {
		t.Helper()
		var foreign *ForeignFileError
		if !errors.As(err, &foreign) || !strings.HasPrefix(path, filepath.Join(foreign.Dir, foreign.File)) || foreign.Hint() == "" {
			t.Errorf("%s with %s: %v", what, path, err)
		}
		if got, err := os.ReadFile(path); string(got) != "precious" {
			t.Errorf("%s: %s holds %q, %v", what, path, got, err)
		}
	}

	// Neither a model nor the remains of a pull.
	for name, file := range map[string]string{"im1": "weights.txt", "im2": known.File, "im3": known.File + ".part", "im4": "sub/x", "wanted": "notes"} {
		path := put(name, file, "precious")
		_, err := Import(t.Context(), dir, name, Options{})
		refuses("import", path, err)
		if file != known.File { // a checkpoint, which rm may remove
			refuses("rm", path, Remove(name))
		}
	}
	if left := entries(t, Dir()); slices.ContainsFunc(left, func(s string) bool { return strings.HasPrefix(s, ".") }) {
		t.Errorf("left behind: %q", left)
	}
	if err := os.Remove(filepath.Join(modelDir("wanted"), "notes")); err != nil {
		t.Fatal(err)
	}

	// Another file with the name of the pulled one.
	path := put("wanted", known.File, "precious")
	_, err := Pull(t.Context(), "wanted", PullOptions{})
	refuses("pull", path, err)

	// The remains of an interrupted pull are replaced, but not while it is running.
	put("wanted", known.File+".part", "half")
	lock := flock.New(put("wanted", known.File+".lock", ""))
	put("wanted", ".carve.part-012345.json", "{")
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), dir, "wanted", Options{}); err == nil || !strings.Contains(err.Error(), "is being pulled") {
		t.Errorf("during a pull: %v", err)
	}
	if err := Remove("wanted"); err == nil || !strings.Contains(err.Error(), "is being pulled") {
		t.Errorf("removed during a pull: %v", err)
	}
	lock.Close()
	if _, err := Import(t.Context(), dir, "wanted", Options{}); err != nil {
		t.Fatal(err)
	}

	// A model with another file in its folder, and a folder that the user put there.
	path = put("wanted", "notes", "precious")
	refuses("rm", path, Remove("wanted"))
	if !installed("wanted") {
		t.Error("the model was removed")
	}
	if err := errors.Join(os.Remove(path), Remove("wanted")); err != nil {
		t.Error(err)
	}
	if err := os.CopyFS(modelDir("byhand"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path = put("byhand", "notes", "precious")
	refuses("rm", path, Remove("byhand"))
	if err := errors.Join(os.Remove(path), Remove("byhand")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"wanted", "byhand"} {
		if _, err := os.Lstat(modelDir(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}
