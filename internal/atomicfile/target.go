package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxLinks bounds the symbolic links that are followed, as in Linux.
const maxLinks = 40

// A target is where an output goes once all links are followed.
type target struct {
	path    string // without links; the device itself if inPlace
	exists  bool
	inPlace bool
	mode    fs.FileMode // of an existing file
	info    fs.FileInfo // of an existing file, for its owner
	fd      int         // an open file of this process that the path stands for, or -1
}

// check follows a path and returns what is wrong with writing there.
func check(path string, o Options) (target, error) {
	to, err := follow(path)
	if err != nil {
		return to, &Error{path, err}
	}
	if err := to.protected(o.Inputs); err != nil {
		return to, &Error{path, err}
	}
	switch {
	case to.exists && to.mode.IsDir():
		return to, &Error{path, ErrIsDirectory}
	case to.inPlace:
		return to, nil
	case to.exists && !o.Overwrite:
		return to, &Error{path, ErrExists}
	}
	if err := writable(filepath.Dir(to.path)); err != nil {
		return to, &Error{path, fmt.Errorf("its folder cannot be written: %w", cause(err))}
	}
	return to, nil
}

// follow resolves links. If the last one dangles, the target is the file that it names.
func follow(path string) (target, error) {
	if path == "" {
		return target{}, errors.New("is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return target{}, err
	}
	if strings.HasSuffix(path, string(filepath.Separator)) {
		return target{}, ErrIsDirectory
	}
	to := target{path: abs, fd: -1}
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(to.path))
		if errors.Is(err, fs.ErrNotExist) {
			return to, ErrNoFolder
		}
		if err != nil {
			return to, fmt.Errorf("following its folder: %w", cause(err))
		}
		to.path = filepath.Join(dir, filepath.Base(to.path))
		if fd, ok := descriptor(to.path); ok {
			return to.through(fd)
		}
		fi, err := os.Lstat(to.path)
		if errors.Is(err, fs.ErrNotExist) {
			return to, nil
		}
		if err != nil {
			return to, cause(err)
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			to.exists, to.mode, to.info = true, fi.Mode(), fi
			to.inPlace = !fi.Mode().IsRegular() && !fi.IsDir()
			if isDisk(fi.Mode()) {
				return to, ErrBlockDevice
			}
			return to, nil
		}
		next, err := os.Readlink(to.path)
		if err != nil {
			return to, cause(err)
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(dir, next)
		}
		to.path = next
	}
	return to, errors.New("is a link to itself, or through too many others")
}

// descriptor recognises the names of this process's own open files, such as
// /dev/stdout. They are written through the open file: if they were opened again,
// writing would begin at the start and overwrite other output.
func descriptor(path string) (fd int, ok bool) {
	dir, base := filepath.Split(path)
	own := dir == "/dev/fd/" || dir == "/proc/self/fd/" || dir == fmt.Sprintf("/proc/%d/fd/", os.Getpid())
	if !own {
		return 0, false
	}
	fd, err := strconv.Atoi(base)
	return fd, err == nil
}

// through makes the target an open file of this process.
func (to target) through(fd int) (target, error) {
	f, err := duplicate(fd, to.path)
	if err != nil {
		return to, cause(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
		return to, cause(err)
	case fi.IsDir():
		return to, ErrIsDirectory
	case isDisk(fi.Mode()):
		return to, ErrBlockDevice
	}
	if err := writableFile(f); err != nil {
		return to, cause(err)
	}
	to.fd, to.exists, to.inPlace, to.mode = fd, true, true, fi.Mode()
	return to, nil
}

// isDisk tells disks from other devices. Writing to a disk would destroy its contents.
func isDisk(m fs.FileMode) bool { return m&fs.ModeDevice != 0 && m&fs.ModeCharDevice == 0 }

// stat describes the existing file.
func (to target) stat() (fs.FileInfo, error) {
	if to.fd < 0 {
		return os.Stat(to.path)
	}
	f, err := duplicate(to.fd, to.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// protected returns an error if the target is an input, or lies in an input folder.
func (to target) protected(inputs []string) error {
	if !to.exists {
		return nil
	}
	fi, err := to.stat()
	if err != nil {
		return cause(err)
	}
	if fi.Mode()&fs.ModeCharDevice != 0 {
		return nil // a terminal can be both input and output
	}
	for _, input := range inputs {
		in, err := os.Stat(input)
		if err != nil {
			continue // if it is missing, reading it reports that
		}
		if os.SameFile(fi, in) {
			return ErrIsInput
		}
		if !in.IsDir() {
			continue
		}
		entries, err := os.ReadDir(input)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if inside, err := os.Stat(filepath.Join(input, e.Name())); err == nil && os.SameFile(fi, inside) {
				return ErrIsInput
			}
		}
	}
	return nil
}

// open opens a device or a pipe for writing.
func (to target) open() (*os.File, error) {
	if to.fd >= 0 {
		return duplicate(to.fd, to.path)
	}
	f, err := openInPlace(to.path)
	return f, cause(err)
}

// AwaitReader waits until a named pipe has a reader, so that [Create] does not have to.
// It does not wait for other paths. The pipe stays open until release is called:
// otherwise its reader would see the end of the stream before Create.
func AwaitReader(path string) (release func(), err error) {
	to, err := follow(path)
	if err != nil || to.mode&fs.ModeNamedPipe == 0 || to.fd >= 0 {
		return func() {}, nil // Create reports what is wrong with it
	}
	f, err := to.open()
	if err != nil {
		return nil, &Error{path, err}
	}
	return func() { f.Close() }, nil
}

// InPlace reports whether a path is a pipe or a device, which is written in place.
func InPlace(path string) bool {
	to, err := follow(path)
	return err == nil && to.inPlace
}

// A Plan is the outputs of one run. It finds errors in their paths before any work is
// done, and leaves no files.
type Plan struct {
	Options
	targets []target
}

// Add checks a path against the inputs, the options, and the outputs added before.
func (p *Plan) Add(path string) error {
	to, err := check(path, p.Options)
	if err != nil {
		return err
	}
	for _, other := range p.targets {
		if !to.exists && other.path == to.path || to.same(other) {
			return &Error{path, ErrIsOutput}
		}
	}
	p.targets = append(p.targets, to)
	return nil
}

// same reports whether two existing targets are one file or one pipe, under whatever
// names. Terminals and /dev/null take any number of outputs.
func (to target) same(other target) bool {
	if !to.exists || !other.exists {
		return false
	}
	a, errA := to.stat()
	b, errB := other.stat()
	return errA == nil && errB == nil && a.Mode()&fs.ModeCharDevice == 0 && os.SameFile(a, b)
}

// Occupy refuses outputs that would go to the same file as an open file of this process
// with other output.
func (p *Plan) Occupy(f *os.File) {
	if fi, err := f.Stat(); err == nil {
		p.targets = append(p.targets, target{path: f.Name(), exists: true, inPlace: true, mode: fi.Mode(), fd: int(f.Fd())})
	}
}

// Folders lists the folders of the outputs.
func (p *Plan) Folders() []string {
	var dirs []string
	seen := map[string]bool{}
	for _, to := range p.targets {
		if dir := filepath.Dir(to.path); !to.inPlace && !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
