package models

import (
	"path/filepath"
	"slices"
)

// CompanionFiles lists the files that may belong to the checkpoint at path: those that
// describe it, and its other shards. They must not be overwritten while it is in use.
func CompanionFiles(path string) []string {
	dir, base := filepath.Split(path)
	if !isCheckpoint(base) && filepath.Ext(base) != ".json" {
		return nil
	}
	var files []string
	for _, name := range companionNames {
		files = append(files, filepath.Join(dir, name))
	}
	for _, pattern := range []string{"*.safetensors", "*.pt", "*.pth", "*.bin", "*.index.json"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is well-formed
		files = append(files, found...)
	}
	return slices.DeleteFunc(files, func(f string) bool { return f == path })
}
