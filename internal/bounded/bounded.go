// Package bounded reads files of other origin: a downloaded model, a cache that may be
// damaged.
//
// A name may lead to something unexpected: a link to /dev/zero, which never ends, a
// pipe without a writer, a sparse file of a terabyte. So only regular files are opened.
// That is checked before opening, because opening a device can have effects, and again
// after it, because the file may have been replaced in between. And each read has a
// limit that suits the kind of file.
package bounded

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// An IrregularError says that a name does not lead to a regular file.
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

// A SizeError says that a file is longer than the limit for its kind.
type SizeError struct {
	Path        string
	Size, Limit int64 // Size is 0 if unknown
}

func (e *SizeError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("%s has more than the %d bytes that are read of such a file", e.Path, e.Limit)
	}
	return fmt.Sprintf("%s has %d bytes, more than the %d that are read of such a file", e.Path, e.Size, e.Limit)
}

// Open opens a regular file for reading, and returns its length. It follows links. It
// never blocks: a pipe or a device is an [IrregularError].
func Open(path string) (*os.File, int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, &IrregularError{path, st.Mode()}
	}
	// Without O_NONBLOCK, opening a pipe that has just replaced the file would block.
	// The flag has no effect on a regular file.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = &IrregularError{path, st.Mode()}
	}
	if err != nil {
		f.Close() // nothing was written
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

// ReadFS is [ReadFile] for a file system.
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

// read reads all of a file. size is only the size at opening: the file may have grown
// since, and files of /proc have size 0.
func read(f io.Reader, name string, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, &SizeError{name, size, limit}
	}
	b := make([]byte, size)
	n, err := io.ReadFull(f, b)
	switch {
	case err == io.ErrUnexpectedEOF || err == io.EOF: // it was truncated meanwhile
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

// Dir returns the folder at path as a file system. It is like [os.DirFS], except that
// files are opened by [Open].
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
		return nil, err // not f, which would be a non-nil interface
	}
	return f, nil
}

// Stat implements [fs.StatFS].
func (d dir) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.FS, name) }

// ReadDir implements [fs.ReadDirFS].
func (d dir) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.FS, name) }
