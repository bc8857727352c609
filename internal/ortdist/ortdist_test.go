package ortdist

import (
	"encoding/hex"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestBuildsAreSane(t *testing.T) {
	isHash := func(s string) bool {
		b, err := hex.DecodeString(s)
		return err == nil && len(b) == 32 && s == strings.ToLower(s)
	}
	seen := map[string]bool{}
	for _, b := range Builds() {
		id := b.Name + " " + b.OS + "/" + b.Arch
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		for _, libraries := range []bool{true, false} {
			if err := b.check(libraries); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		var all []string
		for _, a := range b.Archives {
			u, err := url.Parse(a.URL)
			if err != nil || u.Scheme != "https" || u.Host == "" || path.Base(u.Path) != a.Name {
				t.Errorf("%s: archive %s: URL %q (%v)", id, a.Name, a.URL, err)
			}
			if !isHash(a.SHA256) || a.Size <= 0 || a.Licence == "" || len(a.Members) == 0 {
				t.Errorf("%s: archive %s is incomplete", id, a.Name)
			}
			for _, m := range a.Members {
				if !isHash(m.SHA256) || m.Size <= 0 {
					t.Errorf("%s: member %s is incomplete", id, m.From)
				}
				all = append(all, m.target())
			}
			if strings.HasPrefix(a.Name, "nvidia") != a.Libraries {
				t.Errorf("%s: archive %s: Libraries is %v", id, a.Name, a.Libraries)
			}
		}
		for _, p := range b.Preload {
			if !slices.Contains(all, p) {
				t.Errorf("%s: nothing to preload is called %s", id, p)
			}
		}
	}
}

// ONNX Runtime looks for its provider in the folder of its own library.
func TestProvidersLieBesideLibrary(t *testing.T) {
	b := cuda()
	for _, name := range []string{"libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"} {
		want := path.Join(path.Dir(b.Library), name)
		if !slices.ContainsFunc(b.Archives[0].Members, func(m Member) bool { return m.target() == want }) {
			t.Errorf("there is no %s", want)
		}
	}
	if path.Base(b.Library) == "libonnxruntime.so" {
		t.Error("a search for libonnxruntime.so would find it without its preloads")
	}
}

// scripts/setup.sh looks for the cpu build before there is a program that could tell it
// where it is.
func TestWhereSetupLooks(t *testing.T) {
	source, err := os.ReadFile("builds.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^const onnxRuntime = "(.*)"$`).FindSubmatch(source)
	if m == nil {
		t.Fatal("builds.go has no line that scripts/setup/runtime.sh could read the version from")
	}
	for _, arch := range []string{"amd64", "arm64"} {
		b, err := find(Builds(), "cpu", "linux", arch)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := path.Join(b.folder(false), b.Library), "onnxruntime-"+string(m[1])+"/libonnxruntime.so"; got != want {
			t.Errorf("%s: the library is %s, setup looks at %s", arch, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, test := range []struct{ name, os, arch, err string }{
		{"cpu", "linux", "amd64", ""},
		{"cpu", "linux", "arm64", ""},
		{"cuda", "linux", "amd64", ""},
		{"cuda", "linux", "arm64", "no build cuda of ONNX Runtime for linux/arm64: there is only cpu"},
		{"cpu", "plan9", "amd64", "no build cpu of ONNX Runtime for plan9/amd64: there is none for it at all"},
		{"rocm", "linux", "amd64", `called "rocm": there are cpu and cuda`},
		{"", "linux", "amd64", `called ""`},
	} {
		b, err := find(Builds(), test.name, test.os, test.arch)
		if test.err != "" {
			wantError(t, err, test.err)
			continue
		}
		if err != nil || b.Name != test.name || b.OS != test.os || b.Arch != test.arch {
			t.Errorf("%+v: found %s for %s/%s (%v)", test, b.Name, b.OS, b.Arch, err)
		}
	}
	if _, err := Find("rocm"); err == nil {
		t.Error("rocm was found")
	}
}

func TestSize(t *testing.T) {
	b := Build{Archives: []Archive{{Size: 1}, {Size: 10, Libraries: true}, {Size: 100}}}
	if b.Size(true) != 111 || b.Size(false) != 101 {
		t.Errorf("sizes %d and %d", b.Size(true), b.Size(false))
	}
	if len(b.Archives) != 3 || !b.Archives[1].Libraries {
		t.Errorf("the build was changed: %+v", b)
	}
}
