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

// A ForeignFileError says that the folder of a model contains a file that carve did not
// put there, so that the folder is not removed or replaced.
type ForeignFileError struct {
	Dir, File string
}

func (e *ForeignFileError) Error() string {
	return fmt.Sprintf("%s holds %s, which is no file of the model", e.Dir, e.File)
}

// Hint says how to solve it.
func (e *ForeignFileError) Hint() string { return "move it away first" }

// foreignFileError converts an atomicfile.ForeignError to a [ForeignFileError].
func foreignFileError(dir string, err error) error {
	var f *atomicfile.ForeignError
	if errors.As(err, &f) {
		return &ForeignFileError{Dir: dir, File: f.Name}
	}
	return err
}

// checkReplaceable returns an error if the folder of a model that is not installed cannot
// be replaced: it contains more than the remains of an interrupted pull.
func checkReplaceable(name string) error {
	if err := checkNotPulled(name); err != nil {
		return err
	}
	dir := modelDir(name)
	err := atomicfile.CheckFolder(dir, atomicfile.Options{Overwrite: true}, ownedByPull(name))
	if errors.Is(err, atomicfile.ErrNoFolder) {
		return nil // it will be created
	}
	return foreignFileError(dir, err)
}

// checkNotPulled returns an error while another process fetches the model.
func checkNotPulled(name string) error {
	e, ok := Known(name)
	if ok && e.File != "" && fetch.Going(filepath.Join(modelDir(name), e.File)) {
		return fmt.Errorf("model %s is being pulled: wait for it, or stop it", name)
	}
	return nil
}

// ownedByPull returns a function that recognises the files that an interrupted pull of a
// model leaves in its folder.
func ownedByPull(name string) atomicfile.Own {
	var left []string
	if e, ok := Known(name); ok && e.File != "" {
		left = append(fetch.Leaves(e.File), e.File)
	}
	return func(entry string, mode fs.FileMode) bool {
		return mode.IsRegular() && (slices.Contains(left, entry) || left != nil && atomicfile.IsPart(entry, manifestFile))
	}
}

// ownedByModel returns a function that recognises the files of a model in the cache.
// Without a manifest they are recognised by their names. They may be links.
func ownedByModel(name string) atomicfile.Own {
	left := ownedByPull(name)
	m, err := readManifest(modelDir(name))
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
		return slices.Contains(companionNames, entry) || isCheckpoint(entry) || strings.HasSuffix(entry, ".index.json")
	}
}
