package ortdist

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// An Installed is a build in the cache.
type Installed struct {
	Name, Version string
	// OS and Arch are empty if unknown.
	OS, Arch string
	Folder   string
	// Library is the path of ONNX Runtime's library.
	Library string
	// Preload are the paths of the libraries to open before Library, in order. See the
	// package comment.
	Preload []string
	// Libraries says that NVIDIA's libraries are included.
	Libraries bool
	// Size is the total size of its files in bytes.
	Size int64
	// Manifest says that there is a manifest for Verify.
	Manifest bool
}

// read reads the manifest of a folder and checks that the files are there, but not
// their contents.
func read(folder string) (Installed, error) {
	m, err := readManifest(folder)
	if errors.Is(err, ErrNoManifest) {
		return readBare(folder)
	}
	if err == nil {
		err = m.present(folder)
	}
	if err != nil {
		return Installed{}, err
	}
	in := Installed{
		Name: m.Name, Version: m.Version, OS: m.OS, Arch: m.Arch,
		Folder: folder, Library: filepath.Join(folder, filepath.FromSlash(m.Library)),
		Libraries: m.Libraries, Manifest: true,
	}
	for _, p := range m.Preload {
		in.Preload = append(in.Preload, filepath.Join(folder, filepath.FromSlash(p)))
	}
	for _, f := range m.Files {
		in.Size += f.Size
	}
	return in, nil
}

// readBare reads a folder made by the first scripts/setup.sh.
func readBare(folder string) (Installed, error) {
	version := strings.TrimPrefix(filepath.Base(folder), "onnxruntime-")
	library := filepath.Join(folder, "libonnxruntime.so")
	st, err := os.Stat(library)
	if err != nil || !st.Mode().IsRegular() || version == "" || strings.Trim(version, ".0123456789") != "" {
		return Installed{}, fmt.Errorf("%s is not an installation of ONNX Runtime: %w", folder, ErrNoManifest)
	}
	return Installed{Name: "cpu", Version: version, Folder: folder, Library: library, Size: st.Size()}, nil
}

// fits returns an error if the installation is not of that build.
func (in Installed) fits(b Build) error {
	if in.Name != b.Name || in.Version != b.Version || in.OS != "" && (in.OS != b.OS || in.Arch != b.Arch) {
		return fmt.Errorf("the folder holds the build %s %s for %s/%s instead", in.Name, in.Version, in.OS, in.Arch)
	}
	return nil
}

// List returns the installations in the cache, the newest version first. The error
// lists the folders that look like an installation but do not work; the others are
// returned all the same.
func List(cache string) ([]Installed, error) {
	entries, err := os.ReadDir(cache)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to list what is installed: %w", err)
	}
	var list []Installed
	var bad []error
	for _, e := range entries {
		folder := filepath.Join(cache, e.Name())
		// A folder may also be a link.
		st, err := os.Stat(folder)
		if !strings.HasPrefix(e.Name(), "onnxruntime-") || err != nil || !st.IsDir() {
			continue
		}
		in, err := read(folder)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		list = append(list, in)
	}
	slices.SortStableFunc(list, func(a, b Installed) int {
		return cmp.Or(-slices.Compare(numbers(a.Version), numbers(b.Version)), cmp.Compare(a.Folder, b.Folder))
	})
	return list, errors.Join(bad...)
}

// CUDA returns the newest cuda build that is installed for this machine; of two with
// the same version, the one with NVIDIA's libraries.
func CUDA(cache string) (Installed, bool) {
	list, _ := List(cache) // damaged ones cannot be used
	for _, in := range list {
		// Sorted by folder, the one with the libraries comes first.
		if in.Name == "cuda" && in.OS == runtime.GOOS && in.Arch == runtime.GOARCH {
			return in, true
		}
	}
	return Installed{}, false
}

// Of returns the installation of a library: that in the library's folder or the folder
// above.
func Of(library string) (Installed, bool) {
	folder := filepath.Dir(library)
	for range 3 {
		if in, err := read(folder); err == nil && in.Library == library {
			return in, true
		}
		folder = filepath.Dir(folder)
	}
	return Installed{}, false
}

// numbers makes 1.10 come after 1.9.
func numbers(version string) (out []int) {
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part) // anything else counts as 0
		out = append(out, n)
	}
	return out
}
