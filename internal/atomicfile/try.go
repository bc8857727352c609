package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// tryHidden makes a hidden file in a folder and removes it. Permissions are not enough
// to know: root always has them, and file systems may refuse for other reasons.
func tryHidden(dir string) error {
	f, err := createHidden(filepath.Join(dir, "try"), "part", func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return err
	}
	register(f.Name())
	defer unregister(f.Name())
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
