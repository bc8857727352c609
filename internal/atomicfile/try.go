package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// tryHidden makes a hidden file in a folder and removes it again: what permissions say
// is not all. Root has them everywhere, and file systems refuse for reasons of their own.
func tryHidden(dir string) error {
	f, err := hidden(filepath.Join(dir, "try"), "part", func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return err
	}
	remember(f.Name())
	defer forget(f.Name())
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
