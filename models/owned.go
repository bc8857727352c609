package models

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/fetch"
)

// A ForeignFileError says that the folder of a model holds what carve did not put
// there, so that it is not removed or replaced.
type ForeignFileError struct {
	Dir, File string
}

func (e *ForeignFileError) Error() string {
	return fmt.Sprintf("%s holds %s, which is no file of the model", e.Dir, e.File)
}

// Hint says what to do about it.
func (e *ForeignFileError) Hint() string { return "move it away first" }

// foreign makes a [ForeignFileError] of the error about a folder that holds
// something else.
func foreign(dir string, err error) error {
	var f *atomicfile.ForeignError
	if errors.As(err, &f) {
		return &ForeignFileError{Dir: dir, File: f.Name}
	}
	return err
}

// replaceable checks that the folder of a model that is not installed can be
// replaced: it is not there, or holds only what a broken-off pull left.
func replaceable(name string) error {
	if err := pulling(name); err != nil {
		return err
	}
	dir := folder(name)
	err := atomicfile.CheckFolder(dir, atomicfile.Options{Overwrite: true}, leftByPull(name))
	if errors.Is(err, atomicfile.ErrNoFolder) {
		return nil // it will be made
	}
	return foreign(dir, err)
}

// pulling is an error while another process fetches the model.
func pulling(name string) error {
	e, ok := Known(name)
	if ok && e.File != "" && fetch.Going(filepath.Join(folder(name), e.File)) {
		return fmt.Errorf("model %s is being pulled: wait for it, or stop it", name)
	}
	return nil
}

// leftByPull tells what a broken-off pull of a model leaves in its folder.
func leftByPull(name string) atomicfile.Own {
	var left []string
	if e, ok := Known(name); ok && e.File != "" {
		left = append(fetch.Leaves(e.File), e.File)
	}
	return func(entry string, mode fs.FileMode) bool {
		return mode.IsRegular() && (slices.Contains(left, entry) || left != nil && atomicfile.IsPart(entry, manifestFile))
	}
}

// ofModel tells the files of a model that is in the cache. Without a manifest they
// are known by their names; links may lead to them.
func ofModel(name string) atomicfile.Own {
	left := leftByPull(name)
	m, err := readManifest(folder(name))
	return func(entry string, mode fs.FileMode) bool {
		switch {
		case left(entry, mode):
			return true
		case !mode.IsRegular() && mode&fs.ModeSymlink == 0, strings.Contains(entry, "/"):
			return false
		case entry == manifestFile || atomicfile.IsPart(entry, manifestFile):
			return true
		case err == nil:
			return slices.ContainsFunc(m.Files, func(f ManifestFile) bool { return f.Name == entry })
		}
		return slices.Contains(companions, entry) || isCheckpoint(entry) || strings.HasSuffix(entry, ".index.json")
	}
}
