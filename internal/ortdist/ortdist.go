// Package ortdist has the builds of ONNX Runtime that carve can download, and installs
// them side by side in carve's cache.
//
// # Builds
//
// A [Build] is data: the archives of public registries that it is made of, the members
// that are used, and the size and SHA-256 of all of these. Each number was computed
// from the real bytes.
//
// "cpu" is one library. "cuda" is ONNX Runtime's own libraries and those of NVIDIA's
// that they load, so that it works on a machine with only the driver. On a machine with
// CUDA and cuDNN, NVIDIA's can be left out.
//
// # How the cuda build finds NVIDIA's libraries
//
// ONNX Runtime loads libonnxruntime_providers_cuda.so from the folder of its own
// library. That one needs libcudart, libcublas and others by bare name, later opens
// libcudnn and libnvrtc the same way, and has no RUNPATH, so the dynamic linker would
// only find them on the system. But the linker first searches, by soname, the libraries
// that the process has already opened. So before [Installed.Library], the libraries in
// [Installed.Preload] must be opened in order, with dlopen(path, RTLD_NOW|RTLD_LOCAL),
// and left open. They need not be global: the linker binds them to the libraries that
// need them.
//
// The files are laid out as in the wheels, because the RUNPATHs of cuDNN's libraries
// lead from one wheel's folder to another's.
//
// # Installing
//
// An installation is complete or not there. It is made in a temporary folder, each file
// checked as it is written, and then renamed. If several processes do so at once, the
// first one's stays. The library of "cpu" lies directly in its folder, where
// scripts/setup.sh expects it. That of "cuda" lies deeper, so that a search for
// "*/libonnxruntime.so" in the cache does not find it and open it without its preloads.
//
// A manifest in the folder describes the installation. The folders made by the first
// scripts/setup.sh have none and are recognised by name.
package ortdist

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A Build is one build of ONNX Runtime for one platform.
type Build struct {
	Name     string // "cpu" or "cuda"
	Version  string // of ONNX Runtime
	OS, Arch string // as Go names them
	// Library is the path of ONNX Runtime's library below the build's folder.
	Library string
	// Preload are the libraries, below the folder, to open before Library, in this
	// order. Those that were not installed are skipped.
	Preload  []string
	Archives []Archive
	Needs    string // what the machine must have, for the user; may be empty
}

// An Archive is a file to download and the members used of it. It is a zip (such as a
// Python wheel) or a gzipped tar, by the extension of Name.
type Archive struct {
	Name    string // a file name
	URL     string
	SHA256  string // in hex
	Size    int64  // in bytes, exactly
	Members []Member
	Licence string
	// Libraries marks NVIDIA's libraries, which may be on the system already.
	Libraries bool
}

// A Member is a regular file in an archive.
type Member struct {
	From   string // the exact path in the archive
	To     string // the path below the build's folder; empty is the same as From
	Size   int64
	SHA256 string
}

func (m Member) target() string { return cmp.Or(m.To, m.From) }

// Find returns the build with this name for this machine.
func Find(name string) (Build, error) {
	return find(Builds(), name, runtime.GOOS, runtime.GOARCH)
}

func find(builds []Build, name, goos, goarch string) (Build, error) {
	var here, all []string
	for _, b := range builds {
		all = append(all, b.Name)
		if b.OS != goos || b.Arch != goarch {
			continue
		}
		if b.Name == name {
			return b, nil
		}
		here = append(here, b.Name)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if !slices.Contains(all, name) {
		return Build{}, fmt.Errorf("no build of ONNX Runtime is called %q: there are %s", name, strings.Join(all, " and "))
	}
	what := "there is none for it at all"
	if len(here) > 0 {
		what = "there is only " + strings.Join(here, " and ")
	}
	return Build{}, fmt.Errorf("there is no build %s of ONNX Runtime for %s/%s: %s", name, goos, goarch, what)
}

// Size returns the number of bytes to download, with or without NVIDIA's libraries.
func (b Build) Size(libraries bool) int64 {
	var n int64
	for _, a := range b.wanted(libraries) {
		n += a.Size
	}
	return n
}

func (b Build) wanted(libraries bool) []Archive {
	return slices.DeleteFunc(slices.Clone(b.Archives), func(a Archive) bool { return a.Libraries && !libraries })
}

// folder returns the name of the build's folder in the cache. Without NVIDIA's
// libraries it has another name, so that the complete build can be installed beside it
// later.
func (b Build) folder(libraries bool) string {
	name := "onnxruntime-" + b.Version
	if b.Name != "cpu" {
		name += "-" + b.Name
	}
	if len(b.wanted(libraries)) < len(b.Archives) {
		name += "-bare"
	}
	return name
}

// check finds errors that would let a build write outside its folder, or make the
// installation unusable.
func (b Build) check(libraries bool) error {
	if !plain(b.Name) || !plain(b.Version) {
		return fmt.Errorf("name %q and version %q cannot be a folder's", b.Name, b.Version)
	}
	targets := map[string]bool{manifestName: true}
	for _, a := range b.wanted(libraries) {
		if !plain(a.Name) || len(a.SHA256) != 64 || !plain(a.SHA256) {
			return fmt.Errorf("archive %q, with sha256 %q, cannot be a file's name", a.Name, a.SHA256)
		}
		for _, m := range a.Members {
			if !inside(m.From) || !inside(m.target()) {
				return fmt.Errorf("archive %s: member %q, to be put at %q: not a plain path inside a folder", a.Name, m.From, m.target())
			}
			if m.Size < 0 {
				return fmt.Errorf("archive %s: member %s: negative size", a.Name, m.From)
			}
			if targets[m.target()] {
				return fmt.Errorf("archive %s: member %s: there is already a file %s", a.Name, m.From, m.target())
			}
			targets[m.target()] = true
		}
	}
	if !targets[b.Library] || b.Library == manifestName {
		return fmt.Errorf("no archive has the library %q", b.Library)
	}
	return nil
}

// inside reports whether a slash-separated path in its canonical form leads to
// something below a folder.
func inside(p string) bool { return p != "." && fs.ValidPath(p) && filepath.IsLocal(p) }

// plain reports whether a name is a single element of a path.
func plain(name string) bool { return inside(name) && !strings.ContainsAny(name, `/\`) }
