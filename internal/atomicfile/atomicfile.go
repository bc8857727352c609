// Package atomicfile writes files that appear under their names only when they are
// complete. All outputs of carve, and the files in its cache, are written through it.
// Two kinds of file are written elsewhere because they grow over several runs: resumed
// downloads, and the results of an evaluation.
//
// # Hidden files
//
// [Create] makes a hidden file beside the final name, so that the last step is a rename
// within one file system and a reader never sees half a file:
//
//	.NAME.part-1a2b3c.EXT
//
// The hidden name is always new, so nothing is overwritten. The file is locked while it
// is written. A file left by a killed run is not locked, which is how [Leftovers]
// distinguishes it from that of a run in progress.
//
// [File.Prepare] brings the bytes to the disk, [File.Commit] gives the name, and
// [File.Abort] removes the file. A run with several outputs prepares all of them before
// it commits the first, and reverts commits if a later one fails
// ([File.CommitUndoable]).
//
// # Devices
//
// A pipe, a terminal or another device is written in place: a rename would replace the
// device by a file.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// What can be wrong with an output path. An [Error] wraps one of these, or an error of
// the file system.
var (
	ErrExists      = errors.New("exists already")
	ErrIsInput     = errors.New("is read by this run")
	ErrIsOutput    = errors.New("is named for two outputs")
	ErrIsDirectory = errors.New("is a directory")
	ErrNoFolder    = errors.New("lies in a folder that does not exist")
	ErrBlockDevice = errors.New("is a block device")
)

// An Error is a path and what is wrong with it.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Options say what may be replaced. The zero value replaces nothing.
type Options struct {
	// Overwrite allows a file that exists to be replaced.
	Overwrite bool
	// Inputs are never replaced, whatever link or name leads to them. For a folder this
	// includes the files in it.
	Inputs []string
}

// A File is an output being written. Only one goroutine at a time may use it.
type File struct {
	path      string // as the caller wrote it
	to        target
	overwrite bool
	part      string   // the hidden file; empty if the target is written in place
	file      *os.File // nil once it is prepared
	lock      *flock.Flock
	done      bool
}

// Create checks a path and begins its file. The file appears under the name only after
// [File.Commit].
func Create(path string, o Options) (*File, error) {
	to, err := check(path, o)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, to: to, overwrite: o.Overwrite}
	if to.inPlace {
		if f.file, err = to.open(); err != nil {
			return nil, &Error{path, err}
		}
		return f, nil
	}
	f.file, err = createHidden(to.path, "part", func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	})
	if err != nil {
		return nil, &Error{path, fmt.Errorf("creating a file beside it: %w", cause(err))}
	}
	f.part = f.file.Name()
	register(f.part)
	f.lock = lock(f.part)
	if to.exists {
		// The file replaced may be private. Only the owner can read the new one until
		// it is complete; then it gets the permissions of the old one.
		if err := f.file.Chmod(0o600); err != nil {
			f.Abort()
			return nil, &Error{path, fmt.Errorf("creating a file beside it: %w", cause(err))}
		}
	}
	return f, nil
}

// createHidden finds a free hidden name beside a path for which make succeeds.
func createHidden[T any](path, kind string, make func(name string) (T, error)) (T, error) {
	var made T
	dir, base := filepath.Split(path)
	stem, ext := splitName(base)
	var err error
	for range 100 {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%s-%06x%s", stem, kind, rand.Uint32()&0xffffff, ext))
		if made, err = make(name); err == nil || !errors.Is(err, fs.ErrExist) {
			return made, err
		}
	}
	return made, errors.New("no free name")
}

// splitName returns the parts of a hidden name before and after the inserted part.
func splitName(base string) (stem, ext string) {
	ext = filepath.Ext(base)
	stem = strings.TrimPrefix(strings.TrimSuffix(base, ext), ".")
	// Leaves room for the inserted part: a name may have 255 bytes.
	cut := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), 100)], "") }
	return cut(stem), cut(ext)
}

// cause returns an error of the file system without the path, which is named elsewhere.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// lock marks a file as being in use. A file system without locks is accepted.
func lock(path string) *flock.Flock {
	// Another process that checks for a lock holds it for a moment: see locked.
	for range 10 {
		l := flock.New(path, flock.SetFlag(os.O_RDONLY))
		ok, err := l.TryLock()
		if ok && err == nil {
			return l
		}
		l.Close()
		if err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// Target returns the final name, as given to [Create].
func (f *File) Target() string { return f.path }

// Path returns where the bytes go until Commit: the hidden file, or the device itself.
// Other code may write to that path, if it ends before Prepare.
func (f *File) Path() string {
	if f.part == "" {
		return f.to.path
	}
	return f.part
}

// InPlace reports whether the file is a pipe or a device, whose output cannot be
// undone.
func (f *File) InPlace() bool { return f.part == "" }

// Write appends to the file.
func (f *File) Write(b []byte) (int, error) {
	if f.file == nil {
		return 0, &Error{f.path, errors.New("is closed")}
	}
	n, err := f.file.Write(b)
	if err != nil {
		err = &Error{f.path, cause(err)}
	}
	return n, err
}

// Prepare brings everything to the disk. A full disk shows here at the latest. After
// it, Commit only has to give the name. A second call does nothing.
func (f *File) Prepare() error {
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	var err error
	if f.part != "" {
		if f.to.exists {
			f.to.keepOwner(file) // changing the owner may clear bits of the mode
			err = file.Chmod(f.to.mode.Perm())
		}
		err = errors.Join(err, file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return &Error{f.path, fmt.Errorf("writing to disk: %w", cause(err))}
	}
	return nil
}

// Commit gives the file its name. If it fails, the old file of that name is still
// there, and the new file is removed.
func (f *File) Commit() error {
	if f.done {
		return &Error{f.path, errors.New("is finished already")}
	}
	defer f.Abort()
	if err := f.Prepare(); err != nil {
		return err
	}
	if f.part == "" {
		f.done = true
		return nil
	}
	if err := f.name(); err != nil {
		return &Error{f.path, err}
	}
	f.release()
	// The name is permanent once the folder is synced. Not every file system can.
	_ = syncPath(filepath.Dir(f.to.path))
	return nil
}

// name moves the hidden file to its final name.
func (f *File) name() error {
	if f.overwrite {
		return wrap("naming it", os.Rename(f.part, f.to.path))
	}
	// Unlike a rename, a link fails if the name exists by now.
	err := os.Link(f.part, f.to.path)
	switch {
	case err == nil:
		os.Remove(f.part) // a second name that stays does no harm
		return nil
	case errors.Is(err, fs.ErrExist):
		return ErrExists
	}
	// A file system without links.
	if _, err := os.Lstat(f.to.path); err == nil {
		return ErrExists
	}
	return wrap("naming it", os.Rename(f.part, f.to.path))
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, cause(err))
}

// Abort removes the hidden file. After Commit or another Abort it does nothing.
func (f *File) Abort() {
	if f.done {
		return
	}
	if f.file != nil {
		f.file.Close() // the file is removed anyway
		f.file = nil
	}
	if f.part != "" {
		os.Remove(f.part)
	}
	f.release()
}

// release ends the use of the hidden name.
func (f *File) release() {
	f.done = true
	unregister(f.part)
	if f.lock != nil {
		f.lock.Close()
		f.lock = nil
	}
}

// WriteFile writes a small file at once.
func WriteFile(path string, data []byte, o Options) error {
	f, err := Create(path, o)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
