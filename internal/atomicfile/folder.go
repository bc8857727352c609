package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// A Folder is a folder in the making, with the same promises as a [File].
type Folder struct {
	path      string
	to        string
	part      string
	overwrite bool
	lock      *flock.Flock
	done      bool
}

// CreateFolder begins a folder that will have a name. The folder in which it
// will lie is there already.
func CreateFolder(path string, o Options) (*Folder, error) {
	to, err := follow(path)
	switch {
	case err != nil:
		return nil, &Error{path, err}
	case to.exists && !to.mode.IsDir():
		return nil, &Error{path, errors.New("is no folder")}
	case to.exists && !o.Overwrite:
		return nil, &Error{path, ErrExists}
	}
	f := &Folder{path: path, to: to.path, overwrite: o.Overwrite}
	f.part, err = hidden(to.path, "part", func(name string) (string, error) { return name, os.Mkdir(name, 0o777) })
	if err != nil {
		return nil, &Error{path, fmt.Errorf("creating a folder beside it: %w", cause(err))}
	}
	remember(f.part)
	f.lock = lock(f.part)
	return f, nil
}

// Path is where the files go for now.
func (f *Folder) Path() string { return f.part }

// Commit gives the folder its name. What had the name goes once the new one has
// it, and stays if it cannot get it.
func (f *Folder) Commit() error {
	if f.done {
		return &Error{f.path, errors.New("is finished already")}
	}
	defer f.Abort()
	old := ""
	if _, err := os.Lstat(f.to); err == nil {
		if !f.overwrite {
			return &Error{f.path, ErrExists}
		}
		old, err = hidden(f.to, "old", func(name string) (string, error) {
			if _, err := os.Lstat(name); err == nil {
				return "", fs.ErrExist
			}
			return name, os.Rename(f.to, name)
		})
		if err != nil {
			return &Error{f.path, wrap("moving what is there away", err)}
		}
	}
	if err := os.Rename(f.part, f.to); err != nil {
		if old != "" {
			os.Rename(old, f.to)
		}
		return &Error{f.path, wrap("naming it", err)}
	}
	f.release()
	_ = syncPath(filepath.Dir(f.to))
	if old != "" {
		if err := os.RemoveAll(old); err != nil {
			return fmt.Errorf("removing what %s replaced: %w", f.path, err)
		}
	}
	return nil
}

// Abort removes the hidden folder with all that is in it. After Commit it does
// nothing.
func (f *Folder) Abort() {
	if f.done {
		return
	}
	os.RemoveAll(f.part)
	f.release()
}

func (f *Folder) release() {
	f.done = true
	forget(f.part)
	if f.lock != nil {
		f.lock.Close()
		f.lock = nil
	}
}
