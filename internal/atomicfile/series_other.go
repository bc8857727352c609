//go:build !linux

package atomicfile

import "os"

func syncFile(f *os.File) error { return f.Sync() }

// syncAll does nothing: every file has been synced.
func (s *Series) syncAll() error { return nil }
