//go:build !unix

package atomicfile

import (
	"errors"
	"os"
)

func writable(dir string) error { return tryHidden(dir) }

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func (target) keepOwner(*os.File) {}

func writableFile(*os.File) error { return nil }

func openInPlace(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY, 0)
}
