package video

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A part is an output in the making: a hidden file beside its final name, so
// that the last step is a rename within one file system and a reader never
// sees half a file.
type part struct {
	final     string // where it goes
	path      string // where it is
	overwrite bool
}

// newPart checks the final name and creates the file. input is the file that
// must not be overwritten.
func newPart(path, input string, overwrite bool) (*part, error) {
	mode := fs.FileMode(0)
	fi, err := os.Stat(path)
	switch {
	case err == nil && fi.IsDir():
		return nil, &PathError{Path: path, Err: ErrIsDirectory}
	case err == nil:
		if in, err := os.Stat(input); err == nil && os.SameFile(fi, in) {
			return nil, &PathError{Path: path, Err: ErrSameFile}
		}
		if !fi.Mode().IsRegular() {
			// Renaming over a device or a pipe would replace it.
			return nil, &PathError{Path: path, Err: ErrNotRegular}
		}
		if !overwrite {
			return nil, &PathError{Path: path, Err: ErrExists}
		}
		mode = fi.Mode().Perm() // who may read it stays as it was
		// A link stays a link: what it points to is replaced.
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, fmt.Errorf("resolving the output: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, &PathError{Path: path, Err: err, Detail: "output"}
	}
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	stem = stem[:min(len(stem), 100)] // room for what is added, in 255 bytes
	for range 100 {
		name := fmt.Sprintf(".%s.part-%06x%s", stem, rand.Uint32()&0xffffff, ext)
		p := &part{final: path, path: filepath.Join(dir, name), overwrite: overwrite}
		f, err := os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("creating a file beside %s: %w", path, err)
		}
		if mode != 0 {
			err = f.Chmod(mode)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			p.remove()
			return nil, fmt.Errorf("creating a file beside %s: %w", path, err)
		}
		return p, nil
	}
	return nil, fmt.Errorf("creating a file beside %s: no free name", path)
}

// finish makes the file durable and gives it its name.
func (p *part) finish() error {
	if err := syncPath(p.path); err != nil {
		return fmt.Errorf("writing %s to disk: %w", p.final, err)
	}
	if p.overwrite {
		if err := os.Rename(p.path, p.final); err != nil {
			return fmt.Errorf("naming the output: %w", err)
		}
	} else {
		// A link, unlike a rename, fails where something has come up meanwhile.
		err := os.Link(p.path, p.final)
		switch {
		case err == nil:
			os.Remove(p.path)
		case errors.Is(err, fs.ErrExist):
			return &PathError{Path: p.final, Err: ErrExists}
		default: // a file system without links
			if _, err := os.Lstat(p.final); err == nil {
				return &PathError{Path: p.final, Err: ErrExists}
			}
			if err := os.Rename(p.path, p.final); err != nil {
				return fmt.Errorf("naming the output: %w", err)
			}
		}
	}
	// The name is safe once the folder is; not every file system can say so.
	_ = syncPath(filepath.Dir(p.final))
	return nil
}

func (p *part) remove() { os.Remove(p.path) }

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}
