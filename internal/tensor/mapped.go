package tensor

import (
	"fmt"
	"os"

	"github.com/edsrzf/mmap-go"
)

// Map maps a file of tensors for reading. The bytes are valid until Unmap.
func Map(path string) (mmap.MMap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("failed to open weights: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to open weights: %w", err)
	case st.IsDir():
		return nil, fmt.Errorf("failed to open weights: %s is a folder", path)
	case !st.Mode().IsRegular(): // a pipe would block, a device never end
		return nil, fmt.Errorf("failed to open weights: %s is not a regular file", path)
	case st.Size() == 0:
		return nil, fmt.Errorf("failed to open weights: %s is empty", path)
	}
	m, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("failed to map %s: %w", path, err)
	}
	return m, nil
}
