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

// TestForeignFiles: what carve did not put into a model's folder is neither
// replaced nor removed with it.
func TestForeignFiles(t *testing.T) {
	keepBuilt(t)
	dir := tiny.write(t, tensor.F16, 1)
	b := published(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	offer(t, "wanted", srv.URL+"/x.pt", b)
	known, _ := Known("wanted")
	put := func(name, file, text string) string {
		t.Helper()
		path := filepath.Join(folder(name), file)
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

	// No model, and nothing that a pull left.
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
	if err := os.Remove(filepath.Join(folder("wanted"), "notes")); err != nil {
		t.Fatal(err)
	}

	// Another file where the pulled one would be.
	path := put("wanted", known.File, "precious")
	_, err := Pull(t.Context(), "wanted", PullOptions{})
	refuses("pull", path, err)

	// What a broken-off pull left makes room, unless it goes on.
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

	// A model with something beside it, and one that was put there by hand.
	path = put("wanted", "notes", "precious")
	refuses("rm", path, Remove("wanted"))
	if !installed("wanted") {
		t.Error("the model is gone nevertheless")
	}
	if err := errors.Join(os.Remove(path), Remove("wanted")); err != nil {
		t.Error(err)
	}
	if err := os.CopyFS(folder("byhand"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path = put("byhand", "notes", "precious")
	refuses("rm", path, Remove("byhand"))
	if err := errors.Join(os.Remove(path), Remove("byhand")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"wanted", "byhand"} {
		if _, err := os.Lstat(folder(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}
