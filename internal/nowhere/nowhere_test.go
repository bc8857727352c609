package nowhere

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	_, err := os.Stat(path)
	if err = Named(path, err); err.Error() != path+": no such file or folder" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := Named(path, fs.ErrPermission); err != fs.ErrPermission {
		t.Error(err)
	}
}
