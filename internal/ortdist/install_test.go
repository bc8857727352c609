package ortdist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstall(t *testing.T) {
	var s registry
	cache := filepath.Join(t.TempDir(), "not", "there", "yet")
	b := s.cudaLike(t, "1.30.0")
	in := mustInstall(t, cache, b, Options{Get: s.get, Libraries: true})
	folder := filepath.Join(cache, "onnxruntime-1.30.0-cuda")
	want := Installed{
		Name: "cuda", Version: "1.30.0", OS: b.OS, Arch: b.Arch, Folder: folder,
		Library:   filepath.Join(folder, "ort/capi/libonnxruntime.so.1"),
		Preload:   []string{filepath.Join(folder, "nvidia/lib/liba.so"), filepath.Join(folder, "nvidia/lib/libb.so")},
		Libraries: true, Manifest: true,
		Size: int64(len("library 1.30.0")*1000 + len("do what you like") + 2),
	}
	if d := cmp.Diff(want, in); d != "" {
		t.Error(d)
	}
	wantFiles := []string{
		"downloads/",
		"onnxruntime-1.30.0-cuda/carve-manifest.json",
		"onnxruntime-1.30.0-cuda/licences/more.txt",
		"onnxruntime-1.30.0-cuda/nvidia/lib/liba.so",
		"onnxruntime-1.30.0-cuda/nvidia/lib/libb.so",
		"onnxruntime-1.30.0-cuda/ort/capi/libonnxruntime.so.1",
	}
	if d := cmp.Diff(wantFiles, files(t, cache)); d != "" {
		t.Error(d)
	}
	if got, err := os.ReadFile(filepath.Join(folder, "licences/more.txt")); err != nil || string(got) != "do what you like" {
		t.Errorf("a member has %q (%v)", got, err)
	}
	if err := Verify(t.Context(), folder); err != nil {
		t.Errorf("verify: %v", err)
	}

	// An existing installation is left alone.
	again := mustInstall(t, cache, b, Options{Get: s.get, Libraries: true})
	if d := cmp.Diff(in, again); d != "" {
		t.Error(d)
	}
	if n := s.fetched.Load(); n != 3 {
		t.Errorf("%d archives were fetched, want 3", n)
	}

	// The installation without NVIDIA's libraries is another one, beside the first.
	bare := mustInstall(t, cache, b, Options{Get: s.get})
	if bare.Folder != folder+"-bare" || bare.Libraries || bare.Preload != nil {
		t.Errorf("without the libraries: %+v", bare)
	}
	if n := s.fetched.Load(); n != 5 {
		t.Errorf("%d archives were fetched, want 5", n)
	}
	if got, ok := CUDA(cache); !ok || got.Folder != folder {
		t.Errorf("found %+v, want the one with the libraries", got)
	}
}

func TestInstallCPU(t *testing.T) {
	var s registry
	cache := t.TempDir()
	b := s.cpuLike(t, "1.30.0")
	in := mustInstall(t, cache, b, Options{Get: s.get})
	if want := filepath.Join(cache, "onnxruntime-1.30.0", "libonnxruntime.so"); in.Library != want {
		t.Errorf("the library is %s, want %s", in.Library, want)
	}

	// The folder made by the first scripts/setup.sh counts as installed.
	cache = t.TempDir()
	write(t, "by hand", cache, "onnxruntime-1.30.0", "libonnxruntime.so")
	if in := mustInstall(t, cache, b, Options{Get: s.get}); in.Manifest {
		t.Errorf("the folder without a manifest was replaced: %+v", in)
	}
}

func TestInstallRefuses(t *testing.T) {
	long := strings.Repeat("long", 100)
	body := func(s string) Member { return Member{Size: int64(len(s)), SHA256: sum([]byte(s))} }
	tests := []struct {
		name    string
		archive string
		entries []entry
		from    string
		want    Member // the values in the build's data, except From and To
		to      string
		err     []string
	}{
		{"missing in a zip", "a.whl", nil, "lib.so", body("x"), "", []string{"a.whl", "no member lib.so"}},
		{"missing in a tar", "a.tgz", nil, "lib.so", body("x"), "", []string{"a.tgz", "no member lib.so"}},
		{"from above", "a.whl", []entry{{name: "../lib.so", body: "x"}}, "../lib.so", body("x"), "lib.so", []string{"a.whl", "../lib.so"}},
		{"from the root", "a.tgz", []entry{{name: "/lib.so", body: "x"}}, "/lib.so", body("x"), "lib.so", []string{"a.tgz", "/lib.so"}},
		{"to above", "a.whl", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("x"), "../lib.so", []string{"a.whl", "../lib.so"}},
		{"to above, later", "a.whl", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("x"), "a/../../lib.so", []string{"a.whl", "../lib.so"}},
		{"onto the manifest", "a.whl", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("x"), manifestName, []string{"already a file"}},
		{"too long in a zip", "a.whl", []entry{{name: "lib.so", body: long}}, "lib.so", body(long[:9]), "", []string{"a.whl", "lib.so", "more than 9 bytes"}},
		{"too long in a tar", "a.tgz", []entry{{name: "lib.so", body: long}}, "lib.so", body(long[:9]), "", []string{"a.tgz", "lib.so", "more than 9 bytes"}},
		{"too short", "a.tgz", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("xy"), "", []string{"lib.so", "only 1 bytes"}},
		{"another file", "a.whl", []entry{{name: "lib.so", body: "y"}}, "lib.so", body("x"), "", []string{"lib.so", "sha256"}},
		{"link in a zip", "a.whl", []entry{{name: "lib.so", body: "x", link: true}}, "lib.so", body("x"), "", []string{"lib.so", "not a regular file"}},
		{"link in a tar", "a.tgz", []entry{{name: "lib.so", body: "x", link: true}}, "lib.so", body(""), "", []string{"lib.so", "not a regular file"}},
		{"hard link", "a.tgz", []entry{{name: "lib.so", body: "x", hard: true}}, "lib.so", body(""), "", []string{"lib.so", "not a regular file"}},
		{"twice", "a.whl", []entry{{name: "lib.so", body: "x"}, {name: "lib.so", body: "x"}}, "lib.so", body("x"), "", nil},
		{"unknown kind", "a.rar", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("x"), "", []string{"a.rar", "neither"}},
		{"archive's name", "../a.whl", []entry{{name: "lib.so", body: "x"}}, "lib.so", body("x"), "", []string{"../a.whl"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s registry
			cache := t.TempDir()
			a := s.archive(t, test.archive, test.entries...)
			m := test.want
			m.From, m.To = test.from, test.to
			a.Members = []Member{m}
			b := Build{Name: "cuda", Version: "1.0", Library: m.target(), Archives: []Archive{a}}
			_, err := Install(t.Context(), cache, b, Options{Get: s.get})
			if test.err == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, append(test.err, "failed to install the build cuda of ONNX Runtime 1.0")...)
			for _, f := range files(t, cache) {
				if f != "downloads/" {
					t.Errorf("%s was left", f)
				}
			}
			if above := files(t, filepath.Dir(cache)); len(above) > 1 {
				t.Errorf("above the cache there is %v", above)
			}
		})
	}
}

func TestInstallBadBuild(t *testing.T) {
	var s registry
	good := s.cpuLike(t, "1.0")
	tests := []struct {
		name   string
		change func(*Build, *Options)
		err    string
	}{
		{"no Get", func(b *Build, o *Options) { o.Get = nil }, "nothing to fetch it with"},
		{"name", func(b *Build, o *Options) { b.Name = "../cpu" }, "cannot be a folder's"},
		{"version", func(b *Build, o *Options) { b.Version = "1/2" }, "cannot be a folder's"},
		{"sha256", func(b *Build, o *Options) { b.Archives[0].SHA256 = "12" }, "cannot be a file's name"},
		{"library", func(b *Build, o *Options) { b.Library = "lib.so" }, "no archive has the library"},
		{"size of a member", func(b *Build, o *Options) { b.Archives[0].Members[0].Size = -1 }, "negative size"},
		{"size of the archive", func(b *Build, o *Options) { b.Archives[0].Size++ }, "bytes, not"},
		{"cut off", func(b *Build, o *Options) {
			o.Get = func(ctx context.Context, a Archive, dest string) error {
				return errors.Join(s.get(ctx, a, dest), os.Truncate(dest, 20))
			}
		}, "has 20 bytes"},
		{"nothing got", func(b *Build, o *Options) {
			o.Get = func(ctx context.Context, a Archive, dest string) error { return nil }
		}, "failed to open archive"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cache := t.TempDir()
			b, o := good, Options{Get: s.get}
			a := b.Archives[0]
			a.Members = []Member{a.Members[0]}
			b.Archives = []Archive{a}
			test.change(&b, &o)
			_, err := Install(t.Context(), cache, b, o)
			wantError(t, err, test.err)
			if got := files(t, cache); len(got) > 1 || len(got) == 1 && got[0] != "downloads/" {
				t.Errorf("%v was left", got)
			}
		})
	}
}

func TestInstallGetFails(t *testing.T) {
	var s registry
	cache := t.TempDir()
	b := s.cudaLike(t, "1.0")
	gone := s.files[b.Archives[1].URL]
	delete(s.files, b.Archives[1].URL)
	_, err := Install(t.Context(), cache, b, Options{Get: s.get, Libraries: true})
	wantError(t, err, "not on sale", b.Archives[1].URL)
	kept := []string{"downloads/" + b.Archives[0].SHA256[:12] + "-own-1.0.whl"}
	if d := cmp.Diff(kept, files(t, cache)); d != "" {
		t.Error(d)
	}

	s.files[b.Archives[1].URL] = gone
	mustInstall(t, cache, b, Options{Get: s.get, Libraries: true})
	if left := files(t, filepath.Join(cache, "downloads")); left != nil {
		t.Errorf("downloads were left: %v", left)
	}
}

// Cancelled while it downloads the second archive, or before it unpacks it.
func TestInstallCancel(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		var s registry
		cache := t.TempDir()
		b := s.cudaLike(t, "1.0")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := Install(ctx, cache, b, Options{Libraries: true, Get: func(ctx context.Context, a Archive, dest string) error {
			if a.Name == b.Archives[1].Name {
				cancel()
				if heeds {
					return ctx.Err()
				}
			}
			return s.get(context.WithoutCancel(ctx), a, dest)
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want that it was cancelled", err)
		}
		for _, f := range files(t, cache) {
			if !strings.HasPrefix(f, "downloads/") {
				t.Errorf("%s was left", f)
			}
		}
		// Downloads are kept for the next attempt.
		if n, want := len(files(t, filepath.Join(cache, "downloads"))), map[bool]int{true: 1, false: 2}[heeds]; n != want {
			t.Errorf("%d downloads were kept, want %d", n, want)
		}
	}
}

func TestInstallDamaged(t *testing.T) {
	var s registry
	b := s.cudaLike(t, "1.0")
	for name, damage := range map[string]func(folder string) error{
		"file gone":      func(f string) error { return os.Remove(filepath.Join(f, "nvidia/lib/liba.so")) },
		"file cut off":   func(f string) error { return os.Truncate(filepath.Join(f, b.Library), 3) },
		"no manifest":    func(f string) error { return os.Remove(filepath.Join(f, manifestName)) },
		"a broken one":   func(f string) error { return os.Truncate(filepath.Join(f, manifestName), 30) },
		"all gone":       func(f string) error { return errors.Join(os.RemoveAll(f), os.Mkdir(f, 0o777)) },
		"a file instead": func(f string) error { return errors.Join(os.RemoveAll(f), os.WriteFile(f, nil, 0o666)) },
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			in := mustInstall(t, cache, b, Options{Get: s.get, Libraries: true})
			if err := damage(in.Folder); err != nil {
				t.Fatal(err)
			}
			_, err := Install(t.Context(), cache, b, Options{Get: s.get, Libraries: true})
			wantError(t, err, "remove "+in.Folder)
			if got, ok := CUDA(cache); ok {
				t.Errorf("it was found nevertheless: %+v", got)
			}
		})
	}
}
