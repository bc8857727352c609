// Package nowhere has the error of a path that leads to nothing, in carve's words.
package nowhere

import (
	"errors"
	"fmt"
	"io/fs"
)

// Err is [fs.ErrNotExist] without what the system was doing when it found that.
var Err error = noFile{}

type noFile struct{}

func (noFile) Error() string        { return "no such file or folder" }
func (noFile) Is(target error) bool { return target == fs.ErrNotExist }

// Named is the error of looking at a path, which says it in these words if there is
// nothing.
func Named(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, Err)
	}
	return err
}
