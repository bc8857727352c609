//go:build !unix

package atomicfile

import (
	"context"
	"errors"
	"os"
)

func writable(string) error { return nil }

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func openInPlace(_ context.Context, path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY, 0)
}
