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

// An Installed is a build that lies in the cache.
type Installed struct {
	Name, Version string
	// OS and Arch are empty where nothing says them.
	OS, Arch string
	Folder   string
	// Library is the path of ONNX Runtime's library.
	Library string
	// Preload are the paths of the libraries to open before Library, in order;
	// the package comment says how.
	Preload []string
	// Libraries says that NVIDIA's libraries are there too.
	Libraries bool
	// Size is how many bytes its files have.
	Size int64
	// Manifest says that there is one, so that Verify can tell something.
	Manifest bool
}

// read looks at one folder: at its manifest and at whether the files are
// there, not at their bytes.
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

// readBare reads a folder as the first scripts/setup.sh made it.
func readBare(folder string) (Installed, error) {
	version := strings.TrimPrefix(filepath.Base(folder), "onnxruntime-")
	library := filepath.Join(folder, "libonnxruntime.so")
	st, err := os.Stat(library)
	if err != nil || !st.Mode().IsRegular() || version == "" || strings.Trim(version, ".0123456789") != "" {
		return Installed{}, fmt.Errorf("%s is not an installation of ONNX Runtime: %w", folder, ErrNoManifest)
	}
	return Installed{Name: "cpu", Version: version, Folder: folder, Library: library, Size: st.Size()}, nil
}

// fits reports whether the installation is one of that build.
func (in Installed) fits(b Build) error {
	if in.Name != b.Name || in.Version != b.Version || in.OS != "" && (in.OS != b.OS || in.Arch != b.Arch) {
		return fmt.Errorf("the folder holds the build %s %s for %s/%s instead", in.Name, in.Version, in.OS, in.Arch)
	}
	return nil
}

// List returns what is installed in the cache, the newest version first. The
// error lists the folders that look like an installation and are none that
// works; the others are returned nevertheless.
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
		// Somebody may have put a link to a folder there.
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

// CUDA finds the newest cuda build that is installed for this machine; of two
// of one version, the one that has NVIDIA's libraries.
func CUDA(cache string) (Installed, bool) {
	list, _ := List(cache) // what is damaged cannot be used
	for _, in := range list {
		// In a folder's order, the one with the libraries comes first.
		if in.Name == "cuda" && in.OS == runtime.GOOS && in.Arch == runtime.GOARCH {
			return in, true
		}
	}
	return Installed{}, false
}

// Of finds the installation that a library belongs to: that of a folder that it
// lies in, or that one's parent.
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
		n, _ := strconv.Atoi(part) // what is no number counts as 0
		out = append(out, n)
	}
	return out
}
