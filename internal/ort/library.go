package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// BuildLibrary is a path of the shared library that was known when the program
// was built. It is set with -ldflags "-X …/internal/ort.BuildLibrary=PATH".
var BuildLibrary string

// ErrNoRuntime is what a [NoRuntimeError] is.
var ErrNoRuntime = errors.New("ONNX Runtime's library was not found")

// A NoRuntimeError says that there is no ONNX Runtime, and where was looked.
type NoRuntimeError struct {
	Looked []string // places, in order
}

func (e *NoRuntimeError) Error() string {
	return fmt.Sprintf("%v (looked at %s)", ErrNoRuntime, strings.Join(e.Looked, ", "))
}

// Is makes errors.Is(err, ErrNoRuntime) true.
func (e *NoRuntimeError) Is(target error) bool { return target == ErrNoRuntime }

// Hint says what to do about it.
func (e *NoRuntimeError) Hint() string {
	return "run `make setup` in carve's source, or set CARVE_ONNXRUNTIME to the path of a libonnxruntime.so"
}

// FindLibrary returns the path of the shared library: the one that
// CARVE_ONNXRUNTIME names, else the one known at build time, else the newest
// in carve's cache, else the newest on the system. A path that the user named
// is taken or is an error; it is never passed over for another.
func FindLibrary() (string, error) {
	var looked []string
	exists := func(path string) bool {
		looked = append(looked, path)
		st, err := os.Stat(path)
		return err == nil && st.Mode().IsRegular()
	}
	if path := os.Getenv("CARVE_ONNXRUNTIME"); path != "" {
		if exists(path) {
			return path, nil
		}
		return "", &NoRuntimeError{Looked: []string{path + " (CARVE_ONNXRUNTIME)"}}
	}
	if BuildLibrary != "" && exists(BuildLibrary) {
		return BuildLibrary, nil
	}
	// Set by the build's own environment, so for tests.
	if path := os.Getenv("CARVE_BUILD_ONNXRUNTIME"); path != "" && exists(path) {
		return path, nil
	}
	var patterns []string
	if cache := CacheDir(); cache != "" {
		patterns = append(patterns, filepath.Join(cache, "onnxruntime-*", "libonnxruntime.so"))
	}
	for _, dir := range []string{"/usr/local/lib", "/usr/lib/*", "/usr/lib", "/usr/lib64", "/opt/onnxruntime/lib"} {
		patterns = append(patterns, filepath.Join(dir, "libonnxruntime.so.1.*"))
	}
	for _, p := range patterns {
		found, _ := filepath.Glob(p) // the patterns are well-formed
		slices.SortFunc(found, func(a, b string) int { return -compareVersions(a, b) })
		for _, path := range found {
			if exists(path) {
				return path, nil
			}
		}
		looked = append(looked, p)
	}
	return "", &NoRuntimeError{Looked: looked}
}

// CacheDir is where carve keeps what it fetched: CARVE_CACHE, or "carve" in
// the user's cache. It is empty where there is neither.
func CacheDir() string {
	if dir := os.Getenv("CARVE_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "carve")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".cache", "carve")
}

// compareVersions orders paths by the numbers in them, so that 1.10 comes
// after 1.9.
func compareVersions(a, b string) int {
	na, nb := numbers(a), numbers(b)
	if c := slices.Compare(na, nb); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func numbers(s string) (out []int) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(f)
		if err == nil {
			out = append(out, n)
		}
	}
	return out
}
