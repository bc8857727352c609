// Package bounded reads files that somebody else wrote: a model that was
// downloaded, a cache that may be damaged.
//
// What lies under a name need not be what was meant. A link may lead to
// /dev/zero, which never ends; a pipe waits for a writer that never comes; a
// sparse file claims a terabyte. So only regular files are opened, which is
// looked at both before opening, because opening a device can itself do
// something, and after it, because the file may have been replaced in between.
// And nothing is read that is longer than a file of its kind can sensibly be.
package bounded

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// An IrregularError says that a name stands for something other than a file
// with an end.
type IrregularError struct {
	Path string
	Mode fs.FileMode
}

func (e *IrregularError) Error() string {
	return fmt.Sprintf("%s is %s, not a regular file", e.Path, kind(e.Mode))
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// A SizeError says that a file is longer than is read of its kind.
type SizeError struct {
	Path        string
	Size, Limit int64 // Size is 0 where the file does not say
}

func (e *SizeError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("%s has more than the %d bytes that are read of such a file", e.Path, e.Limit)
	}
	return fmt.Sprintf("%s has %d bytes, more than the %d that are read of such a file", e.Path, e.Size, e.Limit)
}

// Open opens a regular file for reading, and tells how long it is. Links are
// followed. It never waits: a pipe or a device is an [IrregularError].
func Open(path string) (*os.File, int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, &IrregularError{path, st.Mode()}
	}
	// Without O_NONBLOCK a pipe that has just taken the file's place would be
	// waited for. It means nothing to a regular file.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = &IrregularError{path, st.Mode()}
	}
	if err != nil {
		f.Close() // nothing was done with it
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// ReadFile reads a regular file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, size, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f, path, size, limit)
}

// ReadFS is [ReadFile] in a file system.
func ReadFS(fsys fs.FS, name string, limit int64) ([]byte, error) {
	st, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &IrregularError{name, st.Mode()}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f, name, st.Size(), limit)
}

// read reads all of a file. Its size is what it said: it may have grown since,
// and those of /proc say 0.
func read(f io.Reader, name string, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, &SizeError{name, size, limit}
	}
	b := make([]byte, size)
	n, err := io.ReadFull(f, b)
	switch {
	case err == io.ErrUnexpectedEOF || err == io.EOF: // it was cut meanwhile
		return b[:n], nil
	case err != nil:
		return nil, err
	}
	rest, err := io.ReadAll(io.LimitReader(f, limit-size+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(rest)) > limit-size:
		return nil, &SizeError{Path: name, Limit: limit}
	}
	return append(b, rest...), nil
}

// Dir is the folder of that path as a file system. It is like [os.DirFS], except
// that files are opened by [Open].
func Dir(path string) fs.FS { return dir{os.DirFS(path), path} }

type dir struct {
	fs.FS
	path string
}

// Open implements [fs.FS].
func (d dir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	st, err := fs.Stat(d.FS, name)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return d.FS.Open(name)
	}
	f, _, err := Open(filepath.Join(d.path, filepath.FromSlash(name)))
	if err != nil {
		return nil, err // not f, which would be a nil in an interface
	}
	return f, nil
}

// Stat implements [fs.StatFS].
func (d dir) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.FS, name) }

// ReadDir implements [fs.ReadDirFS].
func (d dir) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.FS, name) }
