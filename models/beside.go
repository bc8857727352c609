package models

import (
	"path/filepath"
	"slices"
)

// Beside lists the files that may belong to a checkpoint which is named by its path:
// those that describe it, and other pieces of it. None of them may be written over
// while it is in use.
func Beside(path string) []string {
	dir, base := filepath.Split(path)
	if !isCheckpoint(base) && filepath.Ext(base) != ".json" {
		return nil
	}
	var files []string
	for _, name := range companions {
		files = append(files, filepath.Join(dir, name))
	}
	for _, pattern := range []string{"*.safetensors", "*.pt", "*.pth", "*.bin", "*.index.json"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is well-formed
		files = append(files, found...)
	}
	return slices.DeleteFunc(files, func(f string) bool { return f == path })
}
