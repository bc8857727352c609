package atomicfile

import (
	"os"
	"path/filepath"
)

// An Undo can revert a commit.
type Undo struct {
	to      string
	backup  string // the old file; empty if there was none
	release func() // of the backup's name
	done    bool
}

// CommitUndoable is [File.Commit], but keeps the old file of that name. Call
// [Undo.Revert] to restore it, or [Undo.Keep] to remove it. Output to a pipe or a
// device cannot be undone.
func (f *File) CommitUndoable() (*Undo, error) {
	u := &Undo{to: f.to.path}
	if f.part == "" {
		u.done = true
		return u, f.Commit()
	}
	if f.to.exists && f.overwrite {
		// A second name for the old file; it is moved if the file system has no links.
		backup, err := createHidden(f.to.path, "old", func(name string) (string, error) {
			return name, os.Link(f.to.path, name)
		})
		if err != nil {
			backup, err = createHidden(f.to.path, "old", func(name string) (string, error) {
				if _, err := os.Lstat(name); err == nil {
					return "", os.ErrExist
				}
				return name, os.Rename(f.to.path, name)
			})
		}
		if err != nil {
			f.Abort()
			return nil, &Error{f.path, wrap("keeping what is there", err)}
		}
		u.backup, u.release = backup, registerOld(backup)
	}
	if err := f.Commit(); err != nil {
		u.restore()
		return nil, err
	}
	return u, nil
}

// Revert removes the new file and gives the name back to the old one. After Keep it
// does nothing.
func (u *Undo) Revert() {
	if u == nil || u.done {
		return
	}
	u.done = true
	if u.backup == "" {
		os.Remove(u.to)
	}
	u.restore()
	_ = syncPath(filepath.Dir(u.to))
}

func (u *Undo) restore() {
	if u.backup != "" {
		os.Rename(u.backup, u.to)
		os.Remove(u.backup) // a rename between two names of one file leaves both
		u.release()
	}
	u.done = true
}

// Keep removes the old file.
func (u *Undo) Keep() {
	if u == nil || u.done {
		return
	}
	u.done = true
	if u.backup != "" {
		os.Remove(u.backup)
		u.release()
	}
}
