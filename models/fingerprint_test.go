package models

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDamagedSums: a cached checksum is used only if it has the form of one, because
// folders are named after it.
func TestDamagedSums(t *testing.T) {
	cache := useBuiltCache(t)
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, []byte("weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := cachedSum(path)
	if err != nil || !isSum(want) {
		t.Fatalf("%q, %v", want, err)
	}
	notes, err := filepath.Glob(filepath.Join(cache, "sums", "*"))
	if err != nil || len(notes) != 1 {
		t.Fatalf("%q, %v", notes, err)
	}
	b, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	with := func(sum string) []byte {
		var s sumRecord
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		s.Sum = sum
		changed, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	for name, note := range map[string][]byte{
		"short": with("ab"), "no number": with(strings.Repeat("x", 64)), "a way out": with("../../../../../../../../tmp/elsewhere"),
		"empty": nil, "cut": b[:len(b)/2], "long": append(b, make([]byte, maxRecord)...), "a list": []byte("[1]"),
	} {
		if err := os.WriteFile(notes[0], note, 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := cachedSum(path); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := errors.Join(os.Remove(notes[0]), syscall.Mkfifo(notes[0], 0o666)); err != nil {
		t.Fatal(err)
	}
	if got, err := cachedSum(path); got != want || err != nil {
		t.Errorf("a pipe: %q, %v", got, err)
	}
}
