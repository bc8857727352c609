package ortdist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// An entry is an entry of a test archive.
type entry struct {
	name, body string
	link       bool // a symbolic link to body
	hard       bool // a hard link to body
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func makeZip(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o755)
		if e.link {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func makeTar(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	g := gzip.NewWriter(&buf)
	w := tar.NewWriter(g)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: tar.TypeReg}
		switch {
		case e.link:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e.body, 0
		case e.hard:
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, e.body, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), g.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// A registry has archives by URL, and counts downloads.
type registry struct {
	files   map[string][]byte
	fetched atomic.Int32
}

func (s *registry) get(ctx context.Context, a Archive, dest string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.fetched.Add(1)
	b, ok := s.files[a.URL]
	if !ok {
		return errors.New("not on sale")
	}
	return os.WriteFile(dest, b, 0o666)
}

// archive adds an archive with the given members.
func (s *registry) archive(t *testing.T, name string, members ...entry) Archive {
	t.Helper()
	members = append([]entry{{name: "unwanted/first", body: "x"}}, members...)
	var b []byte
	if strings.HasSuffix(name, ".tgz") {
		b = makeTar(t, members...)
	} else {
		b = makeZip(t, members...)
	}
	a := Archive{Name: name, URL: "https://example.com/" + name, SHA256: sum(b), Size: int64(len(b)), Licence: "MIT"}
	for _, m := range members[1:] {
		a.Members = append(a.Members, Member{From: m.name, Size: int64(len(m.body)), SHA256: sum([]byte(m.body))})
	}
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	s.files[a.URL] = b
	return a
}

// cudaLike is a build for this machine, made of a wheel, a tar and a wheel of NVIDIA's.
func (s *registry) cudaLike(t *testing.T, version string) Build {
	t.Helper()
	body := strings.Repeat("library "+version, 1000)
	own := s.archive(t, "own-"+version+".whl", entry{name: "ort/capi/libonnxruntime.so.1", body: body})
	more := s.archive(t, "more-"+version+".tgz", entry{name: "package/licence", body: "do what you like"})
	more.Members[0].To = "licences/more.txt"
	nvidia := s.archive(t, "nvidia-"+version+".whl", entry{name: "nvidia/lib/libb.so", body: "b"}, entry{name: "nvidia/lib/liba.so", body: "a"})
	nvidia.Libraries = true
	return Build{
		Name: "cuda", Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH,
		Library:  "ort/capi/libonnxruntime.so.1",
		Preload:  []string{"nvidia/lib/liba.so", "nvidia/lib/libb.so"},
		Archives: []Archive{own, more, nvidia},
	}
}

func (s *registry) cpuLike(t *testing.T, version string) Build {
	t.Helper()
	a := s.archive(t, "node-"+version+".tgz", entry{name: "package/bin/libonnxruntime.so.1", body: "cpu " + version})
	a.Members[0].To = "libonnxruntime.so"
	return Build{
		Name: "cpu", Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH,
		Library: "libonnxruntime.so", Archives: []Archive{a},
	}
}

// files lists all files and all empty folders below a folder.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if d.IsDir() {
			inner, err := os.ReadDir(path)
			if len(inner) == 0 {
				out = append(out, rel+"/")
			}
			return err
		}
		out = append(out, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustInstall(t *testing.T, cache string, b Build, o Options) Installed {
	t.Helper()
	in, err := Install(t.Context(), cache, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

func write(t *testing.T, body string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(body), 0o666)); err != nil {
		t.Fatal(fmt.Errorf("failed to prepare the test: %w", err))
	}
}
