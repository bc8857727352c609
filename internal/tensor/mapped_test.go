package tensor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMap(t *testing.T) {
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "file"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{file: "tensors", empty: ""} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Map(file)
	if err != nil || string(m) != "tensors" {
		t.Fatalf("%q, %v", m, err)
	}
	if err := m.Unmap(); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		empty: "is empty", dir: "is a folder", filepath.Join(dir, "none"): "no such file", "/dev/null": "not a regular file",
	} {
		if _, err := Map(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", path, err, want)
		}
	}
}
