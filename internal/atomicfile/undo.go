package atomicfile

import (
	"os"
	"path/filepath"
)

// An Undo can take a commit back.
type Undo struct {
	to      string
	backup  string // what had the name before; empty where nothing had
	release func() // of the backup's name
	done    bool
}

// CommitUndoable does what [File.Commit] does and keeps what had the name
// before. Call [Undo.Revert] to bring that back, or [Undo.Keep] to let it go. What
// went into a pipe or a device stays there.
func (f *File) CommitUndoable() (*Undo, error) {
	u := &Undo{to: f.to.path}
	if f.part == "" {
		u.done = true
		return u, f.Commit()
	}
	if f.to.exists && f.overwrite {
		// A second name for it; where a file system has no links it is moved.
		backup, err := hidden(f.to.path, "old", func(name string) (string, error) {
			return name, os.Link(f.to.path, name)
		})
		if err != nil {
			backup, err = hidden(f.to.path, "old", func(name string) (string, error) {
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
		u.backup, u.release = backup, shelter(backup)
	}
	if err := f.Commit(); err != nil {
		u.restore()
		return nil, err
	}
	return u, nil
}

// Revert takes the name away again and gives it to what had it before. After
// Keep it does nothing.
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

// Keep lets go what had the name before.
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
