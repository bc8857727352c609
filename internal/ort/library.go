package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/carve-video/carve/internal/ortdist"
)

// BuildLibrary is the path of the shared library at build time. It is set with -ldflags
// "-X …/internal/ort.BuildLibrary=PATH".
var BuildLibrary string

// ErrNoRuntime is matched by every [NoRuntimeError].
var ErrNoRuntime = errors.New("ONNX Runtime's library was not found")

// A NoRuntimeError says that ONNX Runtime was not found, and where it was looked for.
type NoRuntimeError struct {
	Looked []string // in order
}

func (e *NoRuntimeError) Error() string {
	return fmt.Sprintf("%v (looked at %s)", ErrNoRuntime, strings.Join(e.Looked, ", "))
}

// Is makes errors.Is(err, ErrNoRuntime) true.
func (e *NoRuntimeError) Is(target error) bool { return target == ErrNoRuntime }

// Hint says what to do about it.
func (e *NoRuntimeError) Hint() string {
	return "carve runtime pull cpu fetches it; or set CARVE_ONNXRUNTIME to the path of a libonnxruntime.so"
}

// A Found is a library to open, and the libraries to open before it.
type Found struct {
	Path    string
	Preload []string
}

// FindLibrary returns the shared library to use. The first of these that exists is
// used:
//
//   - the path in CARVE_ONNXRUNTIME; if it is set and cannot be used, that is an error;
//   - with an NVIDIA driver, the GPU build in carve's cache ("carve runtime pull cuda");
//   - the library installed with the program (make install);
//   - the one known at build time;
//   - the newest one in the cache;
//   - the newest one on the system.
func FindLibrary() (Found, error) {
	// Folders that cannot be opened are skipped below. Without free file descriptors
	// all would be skipped, which must not look like a missing library.
	if spare, err := os.Open(os.DevNull); err == nil {
		spare.Close()
	} else if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return Found{}, fmt.Errorf("failed to look for ONNX Runtime's library: %w", err)
	}
	var looked []string
	exists := func(path string) bool {
		looked = append(looked, path)
		st, err := os.Stat(path)
		return err == nil && st.Mode().IsRegular()
	}
	if path := os.Getenv("CARVE_ONNXRUNTIME"); path != "" {
		if exists(path) {
			in, _ := ortdist.Of(path) // an unknown build has its own way to find its libraries
			return Found{path, in.Preload}, nil
		}
		return Found{}, &NoRuntimeError{Looked: []string{path + " (CARVE_ONNXRUNTIME)"}}
	}
	if cache := CacheDir(); cache != "" && HasDriver() {
		if in, ok := ortdist.CUDA(cache); ok {
			return Found{in.Library, in.Preload}, nil
		}
	}
	if program, err := executable(); err == nil {
		if path := filepath.Join(filepath.Dir(program), "..", "lib", "carve", "libonnxruntime.so"); exists(path) {
			return Found{Path: path}, nil
		}
	}
	if BuildLibrary != "" && exists(BuildLibrary) {
		return Found{Path: BuildLibrary}, nil
	}
	// Set by the environment of the build, so for tests.
	if path := os.Getenv("CARVE_BUILD_ONNXRUNTIME"); path != "" && exists(path) {
		return Found{Path: path}, nil
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
				return Found{Path: path}, nil
			}
		}
		looked = append(looked, p)
	}
	return Found{}, &NoRuntimeError{Looked: looked}
}

// executable returns the path of the program, with links resolved. Tests replace it.
var executable = func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// driverFiles exist if an NVIDIA driver is loaded, on Linux or on Linux under Windows.
var driverFiles = []string{"/proc/driver/nvidia/version", "/dev/nvidiactl", "/usr/lib/wsl/lib/libcuda.so.1"}

// HasDriver tells whether an NVIDIA driver is loaded.
func HasDriver() bool {
	for _, f := range driverFiles {
		if _, err := os.Stat(f); err == nil {
			return true
		}
	}
	return false
}

// CacheDir is carve's cache: CARVE_CACHE, or "carve" in the user's cache. It is empty
// if there is neither.
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

// compareVersions orders paths by the numbers in them, so that 1.10 comes after 1.9.
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
