package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A Folder is a folder being written, with the same guarantees as a [File].
type Folder struct {
	path      string
	to        string
	part      string
	overwrite bool
	own       Own
	inputs    []fs.FileInfo
	lock      *flock.Flock
	done      bool
}

// Own tells which entries of a folder may be removed with it: those that the caller has
// written or could have written. The name is a slash-separated path within the folder.
// The contents of a subfolder are only checked if the subfolder is own itself.
type Own func(name string, mode fs.FileMode) bool

// A ForeignError says that a folder has an entry that is not own and would be lost if
// the folder was replaced or removed.
type ForeignError struct {
	Name string // within the folder
}

func (e *ForeignError) Error() string { return "holds " + e.Name + ", which is not carve's" }

// CreateFolder begins a folder that will get a name. Its parent must exist. With
// [Options.Overwrite] it may replace an empty folder; [ReplaceFolder] replaces others.
func CreateFolder(path string, o Options) (*Folder, error) { return ReplaceFolder(path, o, nil) }

// ReplaceFolder is like [CreateFolder], but with [Options.Overwrite] it also replaces a
// folder with only own entries.
func ReplaceFolder(path string, o Options, own Own) (*Folder, error) {
	to, err := checkFolder(path, o, own)
	if err != nil {
		return nil, err
	}
	f := &Folder{path: path, to: to.path, overwrite: o.Overwrite, own: own, inputs: files(o.Inputs)}
	f.part, err = createHidden(to.path, "part", func(name string) (string, error) { return name, os.Mkdir(name, 0o777) })
	if err != nil {
		return nil, &Error{path, fmt.Errorf("creating a folder beside it: %w", cause(err))}
	}
	register(f.part)
	f.lock = lock(f.part)
	return f, nil
}

// CheckFolder returns the error of [ReplaceFolder], but creates nothing.
func CheckFolder(path string, o Options, own Own) error {
	_, err := checkFolder(path, o, own)
	return err
}

func checkFolder(path string, o Options, own Own) (target, error) {
	to, err := follow(path)
	switch {
	case err != nil:
		return to, &Error{path, err}
	case !to.exists:
		return to, nil
	case !to.mode.IsDir():
		return to, &Error{path, errors.New("is no folder")}
	case !o.Overwrite:
		return to, &Error{path, ErrExists}
	}
	for _, input := range o.Inputs {
		if real, err := filepath.EvalSymlinks(input); err == nil && within(to.path, real) {
			return to, &Error{path, ErrHoldsInput}
		}
	}
	if _, err := contents(to.path, own, files(o.Inputs)); err != nil {
		return to, &Error{path, err}
	}
	return to, nil
}

// ErrHoldsInput says that a folder to be replaced is or contains an input.
var ErrHoldsInput = fmt.Errorf("%w, or holds what is", ErrIsInput)

// within reports whether a path without links is a folder or lies in it.
func within(dir, path string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

func files(paths []string) []fs.FileInfo {
	var all []fs.FileInfo
	for _, path := range paths {
		if fi, err := os.Stat(path); err == nil { // if it is missing, reading it reports that
			all = append(all, fi)
		}
	}
	return all
}

// contents lists a folder, each subfolder before its contents. All entries must be own,
// and none an input.
func contents(dir string, own Own, inputs []fs.FileInfo) (paths []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return cause(err)
		}
		if path == dir {
			if !d.IsDir() {
				return errors.New("is no folder")
			}
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return cause(err)
		}
		if slices.ContainsFunc(inputs, func(in fs.FileInfo) bool { return os.SameFile(fi, in) }) {
			return ErrHoldsInput
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); own == nil || !own(name, fi.Mode()) {
			return &ForeignError{name}
		}
		paths = append(paths, path)
		return nil
	})
	return paths, err
}

// RemoveFolder removes a folder with only own entries. Otherwise it removes nothing.
func RemoveFolder(path string, own Own) error {
	all, err := contents(path, own, nil)
	if err != nil {
		return &Error{path, err}
	}
	if err := removeAll(path, all); err != nil {
		return &Error{path, wrap("removing it", err)}
	}
	return nil
}

// removeAll removes the listed entries of a folder, and the folder. Entries added since
// then stay, and with them the folder.
func removeAll(dir string, found []string) error {
	for _, path := range slices.Backward(found) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Remove(dir)
}

// Path returns where the files go until Commit.
func (f *Folder) Path() string { return f.part }

// Commit gives the folder its name. An old folder of that name is removed afterwards.
// It stays if the new one cannot get the name, or if it has got entries that are not
// own.
func (f *Folder) Commit() error {
	if f.done {
		return &Error{f.path, errors.New("is finished already")}
	}
	defer f.Abort()
	old, found := "", []string(nil)
	if _, err := os.Lstat(f.to); err == nil {
		if !f.overwrite {
			return &Error{f.path, ErrExists}
		}
		if old, found, err = f.moveAway(); err != nil {
			return &Error{f.path, err}
		}
	}
	if err := os.Rename(f.part, f.to); err != nil {
		return &Error{f.path, errors.Join(wrap("naming it", err), f.moveBack(old))}
	}
	f.release()
	_ = syncPath(filepath.Dir(f.to))
	if old != "" {
		if err := removeAll(old, found); err != nil {
			return fmt.Errorf("removing what %s replaced, which is %s now: %w", f.path, old, cause(err))
		}
	}
	return nil
}

// moveAway moves the old folder to a hidden name, under which nothing is added to it,
// and lists it.
func (f *Folder) moveAway() (old string, found []string, err error) {
	old, err = createHidden(f.to, "old", func(name string) (string, error) {
		if _, err := os.Lstat(name); err == nil {
			return "", fs.ErrExist
		}
		return name, os.Rename(f.to, name)
	})
	if err != nil {
		return "", nil, wrap("moving what is there away", err)
	}
	if found, err = contents(old, f.own, f.inputs); err != nil {
		return "", nil, errors.Join(err, f.moveBack(old))
	}
	return old, found, nil
}

// moveBack undoes moveAway, or reports where the folder is now.
func (f *Folder) moveBack(old string) error {
	if old == "" {
		return nil
	}
	if err := os.Rename(old, f.to); err != nil {
		return fmt.Errorf("what was there is %s now: %w", old, cause(err))
	}
	return nil
}

// Abort removes the hidden folder and its contents. After Commit it does nothing.
func (f *Folder) Abort() {
	if f.done {
		return
	}
	os.RemoveAll(f.part)
	f.release()
}

func (f *Folder) release() {
	f.done = true
	unregister(f.part)
	if f.lock != nil {
		f.lock.Close()
		f.lock = nil
	}
}

// SweepFolders removes the [Leftovers] in a folder that are folders and unchanged for
// this long. It is for places where only carve writes, such as its cache.
func SweepFolders(dir string, age time.Duration) {
	for _, l := range Leftovers(dir) {
		if fi, err := os.Lstat(l.Path); l.Folder && err == nil && time.Since(fi.ModTime()) > age {
			os.RemoveAll(l.Path) // what stays only takes space
		}
	}
}
