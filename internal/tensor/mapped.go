package tensor

import (
	"fmt"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/edsrzf/mmap-go"
)

// Map maps a file of tensors for reading. The bytes are valid until Unmap.
func Map(path string) (mmap.MMap, error) {
	f, size, err := bounded.Open(path)
	if err != nil {
		return nil, fmt.Errorf("failed to open weights: %w", err)
	}
	defer f.Close()
	if size == 0 {
		return nil, fmt.Errorf("failed to open weights: %s is empty", path)
	}
	m, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("failed to map %s: %w", path, err)
	}
	return m, nil
}
