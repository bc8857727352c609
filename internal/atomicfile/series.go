package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrBusy says that another run is writing to a folder.
var ErrBusy = errors.New("is being written by another run")

// A Series is a folder with many files, each of which appears when it is complete, and
// a manifest that appears last. After an error the complete files stay, without a
// manifest. Nothing outside the folder is written, whatever links lie in it.
//
// WriteFile may be called from several goroutines at once.
type Series struct {
	dir       string
	made      bool // by this series
	root      *os.Root
	overwrite bool
	inputs    []fs.FileInfo
	manifest  *File
	undo      *Undo
}

// OpenSeries begins a series in a folder, which it makes; the parent must exist. The
// hidden file of the manifest marks the folder as being written. Only a manifest of an
// earlier series is an error here: the caller decides which other files may be there.
func OpenSeries(dir, manifest string, o Options) (_ *Series, err error) {
	s := &Series{dir: dir, overwrite: o.Overwrite, inputs: filesWithin(o.Inputs)}
	switch err := os.Mkdir(dir, 0o777); {
	case err == nil:
		s.made = true
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{dir, ErrNoFolder}
	case !errors.Is(err, fs.ErrExist):
		return nil, &Error{dir, fmt.Errorf("making it: %w", cause(err))}
	}
	defer func() {
		if err != nil {
			s.Abort()
			s.Close()
		}
	}()
	if fi, err := os.Stat(dir); err != nil {
		return nil, &Error{dir, cause(err)}
	} else if !fi.IsDir() {
		return nil, &Error{dir, errors.New("is no folder")}
	}
	if err := free(dir, manifest); err != nil {
		return nil, err
	}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, &Error{dir, cause(err)}
	}
	if s.manifest, err = Create(filepath.Join(dir, manifest), o); err != nil {
		return nil, err
	}
	return s, nil
}

// free returns an error if another series is being written to a folder.
func free(dir, manifest string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &Error{dir, cause(err)}
	}
	// Files in use are registered under absolute paths without links.
	real := dir
	if abs, err := filepath.Abs(dir); err == nil {
		real = abs
	}
	if resolved, err := filepath.EvalSymlinks(real); err == nil {
		real = resolved
	}
	for _, e := range entries {
		if !IsPart(e.Name(), manifest) {
			continue
		}
		at := filepath.Join(real, e.Name())
		if isRegistered(at) {
			return &Error{dir, ErrIsOutput}
		}
		if locked(at) {
			return &Error{dir, ErrBusy}
		}
	}
	return nil
}

// filesWithin describes the inputs, and what lies in those that are folders.
func filesWithin(inputs []string) []fs.FileInfo {
	all := files(inputs)
	for _, input := range inputs {
		entries, err := os.ReadDir(input)
		if err != nil {
			continue // no folder
		}
		for _, e := range entries {
			if fi, err := os.Stat(filepath.Join(input, e.Name())); err == nil {
				all = append(all, fi)
			}
		}
	}
	return all
}

// FS returns what is in the folder.
func (s *Series) FS() fs.FS { return s.root.FS() }

// Holds returns the name of an entry that is not hidden; empty if there is none.
func (s *Series) Holds() (string, error) {
	entries, err := fs.ReadDir(s.FS(), ".")
	if err != nil {
		return "", &Error{s.dir, cause(err)}
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			return e.Name(), nil
		}
	}
	return "", nil
}

func (s *Series) fail(name string, err error) error {
	return &Error{filepath.Join(s.dir, filepath.FromSlash(name)), cause(err)}
}

// WriteFile writes a complete file. Its name is a path in the folder, with slashes;
// folders on the way are made.
func (s *Series) WriteFile(name string, data []byte) error {
	dir, base := path.Split(name)
	stem, ext := splitName(base)
	part := ""
	var f *os.File
	var err error
	for try := range 100 {
		part = fmt.Sprintf("%s.%s.part-%06x%s", dir, stem, rand.Uint32()&0xffffff, ext)
		f, err = s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrNotExist) && try == 0 {
			if err := s.root.MkdirAll(strings.TrimSuffix(dir, "/"), 0o777); err != nil {
				return s.fail(dir, err)
			}
			continue
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return s.fail(name, err)
	}
	hidden := filepath.Join(s.dir, filepath.FromSlash(part))
	register(hidden)
	defer unregister(hidden)
	_, err = f.Write(data)
	if err == nil {
		err = syncFile(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.name(part, name)
	}
	if err != nil {
		s.root.Remove(part) // the error is reported
		return s.fail(name, err)
	}
	return nil
}

// name gives a file its final name.
func (s *Series) name(part, name string) error {
	if s.overwrite {
		if len(s.inputs) > 0 {
			if fi, err := s.root.Stat(name); err == nil && s.isInput(fi) {
				return ErrIsInput
			}
		}
		return s.root.Rename(part, name)
	}
	err := s.root.Link(part, name)
	switch {
	case err == nil:
		s.root.Remove(part) // a second name that stays does no harm
		return nil
	case errors.Is(err, fs.ErrExist):
		return ErrExists
	}
	// A file system without links.
	if _, err := s.root.Lstat(name); err == nil {
		return ErrExists
	}
	return s.root.Rename(part, name)
}

func (s *Series) isInput(fi fs.FileInfo) bool {
	for _, in := range s.inputs {
		if os.SameFile(in, fi) {
			return true
		}
	}
	return false
}

// Remove removes files of an earlier series and the folders that are empty then. Names
// are paths in the folder, with slashes. What is not there, is no file, or is read by
// this run, stays.
func (s *Series) Remove(names iter.Seq[string]) error {
	folders := make(map[string]bool)
	for name := range names {
		name = filepath.FromSlash(name)
		fi, err := s.root.Lstat(name)
		if err != nil || !fi.Mode().IsRegular() || s.isInput(fi) {
			continue
		}
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.fail(name, err)
		}
		for dir := path.Dir(filepath.ToSlash(name)); dir != "."; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	for range folders { // inner ones first, whatever the order
		for dir := range folders {
			if s.root.Remove(dir) == nil {
				delete(folders, dir)
			}
		}
	}
	return nil
}

// RemoveManifest removes the manifest of an earlier series, which is not complete any
// more once one of its files is replaced.
func (s *Series) RemoveManifest() error {
	if !s.manifest.to.exists || !s.overwrite {
		return nil
	}
	if err := os.Remove(s.manifest.to.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{s.manifest.path, cause(err)}
	}
	return nil
}

// Prepare brings the files and the manifest to the disk.
func (s *Series) Prepare(manifest []byte) error {
	if err := s.syncAll(); err != nil {
		return &Error{s.dir, fmt.Errorf("writing to disk: %w", cause(err))}
	}
	if _, err := s.manifest.Write(manifest); err != nil {
		return err
	}
	return s.manifest.Prepare()
}

// Commit gives the manifest its name.
func (s *Series) Commit() (err error) {
	s.manifest.to.exists = false // there is nothing to restore: its files are replaced
	s.undo, err = s.manifest.CommitUndoable()
	return err
}

// Abort removes the manifest, and the folder if it is empty and was made by the series.
func (s *Series) Abort() {
	s.undo.Revert()
	if s.manifest != nil {
		s.manifest.Abort()
	}
	if s.made {
		os.Remove(s.dir) // fails if it is not empty
	}
}

// Close ends the use of the series. Without a Commit before it is an Abort.
func (s *Series) Close() {
	s.undo.Keep()
	if s.manifest != nil {
		s.manifest.Abort()
	}
	if s.root != nil {
		s.root.Close()
		s.root = nil
	}
}
