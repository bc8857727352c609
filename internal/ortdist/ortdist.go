// Package ortdist knows the builds of ONNX Runtime that carve can fetch, and
// installs them beside each other in carve's cache.
//
// # Builds
//
// A [Build] is data: which archives of public registries it is made of, which
// members of them are wanted, and what all of these must be, by size and
// SHA-256. Each number was computed from the real bytes.
//
// "cpu" is one library. "cuda" is ONNX Runtime's own libraries, and of
// NVIDIA's those that they load, so that a machine with nothing but the driver
// can use it. Whoever has CUDA and cuDNN already leaves NVIDIA's out.
//
// # How the cuda build finds NVIDIA's libraries
//
// ONNX Runtime loads libonnxruntime_providers_cuda.so from the folder of its
// own library. That one needs libcudart, libcublas and others by bare name,
// later opens libcudnn and libnvrtc the same way, and has no RUNPATH: the
// dynamic linker would look for them only on the system. But it first looks
// among the libraries that the process has open already, by soname. So whoever
// opens [Installed.Library] opens [Installed.Preload] before it, one after the
// other, with dlopen(path, RTLD_NOW|RTLD_LOCAL), and leaves them open. They
// need not be global: what needs them is bound to them by the linker.
//
// The files lie as they do in the wheels, because the RUNPATHs of cuDNN's
// libraries lead from one wheel's folder to the other's.
//
// # Installing
//
// An installation is there whole or not at all. It is made in a temporary
// folder, each file checked as it is written, and then renamed; of several
// processes that do so at once, the first one's stays. The library of "cpu"
// lies directly in its folder, where scripts/setup.sh expects it. That of
// "cuda" lies deeper, so that a search for "*/libonnxruntime.so" in the cache
// does not come upon it and open it without its preloads.
//
// A manifest in the folder says what it is. The folders that the first
// scripts/setup.sh made have none and are known by their names.
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
	Version  string // ONNX Runtime's
	OS, Arch string // as Go names them
	// Library is the path of ONNX Runtime's library below the build's folder.
	Library string
	// Preload are the libraries, below the folder, that must be open before
	// Library is, in this order. Those that were left out are not preloaded.
	Preload  []string
	Archives []Archive
	Needs    string // what the machine must have, in words; may be empty
}

// An Archive is a file to fetch and what is wanted of it. It is a zip (a
// Python wheel is one) or a gzipped tar, as the end of Name says.
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

// Find returns the build of that name for this machine.
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

// Size is the number of bytes to fetch, with or without NVIDIA's libraries.
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

// folder is the name of the build's folder in the cache. One that lacks
// libraries has a name of its own, so that the whole one can be installed
// beside it later.
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

// check finds what would let a build write outside its folder, or leave its
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

// inside reports whether a path leads to something below a folder, by the one
// spelling that it has.
func inside(p string) bool { return p != "." && fs.ValidPath(p) && filepath.IsLocal(p) }

// plain reports whether a name is one element of a path.
func plain(name string) bool { return inside(name) && !strings.ContainsAny(name, `/\`) }
