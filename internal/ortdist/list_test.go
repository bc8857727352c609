package ortdist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	cache := t.TempDir()
	if list, err := List(filepath.Join(cache, "gone")); list != nil || err != nil {
		t.Errorf("of no cache: %v, %v", list, err)
	}
	if in, ok := CUDA(cache); ok {
		t.Errorf("cuda in an empty cache: %+v", in)
	}
	var s registry
	for _, version := range []string{"1.9.0", "1.30.0"} {
		mustInstall(t, cache, s.cudaLike(t, version), Options{Get: s.get, Libraries: true})
	}
	mustInstall(t, cache, s.cudaLike(t, "1.30.0"), Options{Get: s.get})
	mustInstall(t, cache, s.cpuLike(t, "1.30.0"), Options{Get: s.get})
	other := s.cudaLike(t, "1.31.0")
	other.Arch = "another"
	mustInstall(t, cache, other, Options{Get: s.get, Libraries: true})
	write(t, "by hand", cache, "onnxruntime-1.20.1", "libonnxruntime.so")
	write(t, "", cache, "onnxruntime-file")
	write(t, "", cache, "onnxruntime.AbCdEf", "libonnxruntime.so") // setup.sh's temporary folder
	write(t, "", cache, "ffmpeg-7.1", "lib")

	type row struct {
		Folder, Name, Version string
		Libraries, Manifest   bool
	}
	want := []row{
		{"onnxruntime-1.31.0-cuda", "cuda", "1.31.0", true, true},
		{"onnxruntime-1.30.0", "cpu", "1.30.0", false, true},
		{"onnxruntime-1.30.0-cuda", "cuda", "1.30.0", true, true},
		{"onnxruntime-1.30.0-cuda-bare", "cuda", "1.30.0", false, true},
		{"onnxruntime-1.20.1", "cpu", "1.20.1", false, false},
		{"onnxruntime-1.9.0-cuda", "cuda", "1.9.0", true, true},
	}
	check := func() error {
		t.Helper()
		list, err := List(cache)
		var got []row
		for _, in := range list {
			got = append(got, row{filepath.Base(in.Folder), in.Name, in.Version, in.Libraries, in.Manifest})
			if st, err := os.Stat(in.Library); err != nil || st.Size() == 0 || in.Size < st.Size() {
				t.Errorf("%s: library %s (%v), %d bytes in all", in.Folder, in.Library, err, in.Size)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		return err
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	in, ok := CUDA(cache)
	if !ok || filepath.Base(in.Folder) != "onnxruntime-1.30.0-cuda" || len(in.Preload) != 2 {
		t.Errorf("cuda: %+v", in)
	}

	// Bad folders do not hide the good ones.
	write(t, "", cache, "onnxruntime-2.0-bad", "libonnxruntime.so")
	write(t, "", cache, "onnxruntime-2.0", "other.so")
	write(t, `{"name": "cuda", "version": "9"}`, cache, "onnxruntime-9", manifestName)
	wantError(t, check(), "onnxruntime-2.0-bad", "onnxruntime-2.0 is not", "onnxruntime-9")
}

func TestManifestIsNotTrusted(t *testing.T) {
	for name, test := range map[string]struct{ manifest, err string }{
		"not JSON":        {`<html>`, "not a valid manifest"},
		"empty":           {`{}`, "no name"},
		"file above":      {`{"name": "a", "version": "1", "library": "../x", "files": [{"path": "../x"}]}`, "outside"},
		"file at root":    {`{"name": "a", "version": "1", "library": "/x", "files": [{"path": "/x"}]}`, "outside"},
		"strange library": {`{"name": "a", "version": "1", "library": "../x", "files": [{"path": "x"}]}`, "not among"},
		"strange preload": {`{"name": "a", "version": "1", "library": "x", "preload": ["/x"], "files": [{"path": "x"}]}`, "not among"},
		"too long":        {string(make([]byte, maxManifest+1)), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			folder := filepath.Join(cache, "onnxruntime-1")
			write(t, test.manifest, folder, manifestName)
			wantError(t, Verify(t.Context(), folder), test.err, manifestName)
			list, err := List(cache)
			wantError(t, err, test.err)
			if list != nil {
				t.Errorf("it was listed: %+v", list)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	var s registry
	cache := t.TempDir()
	in := mustInstall(t, cache, s.cudaLike(t, "1.0"), Options{Get: s.get, Libraries: true})
	if err := Verify(t.Context(), in.Folder); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Verify(ctx, in.Folder); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}

	f, err := os.OpenFile(in.Library, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("!"), 5000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, Verify(t.Context(), in.Folder), in.Library+" has sha256")
	// A changed byte is not noticed without Verify.
	if _, ok := CUDA(cache); !ok {
		t.Error("a changed byte hides the build")
	}

	if err := os.Remove(in.Preload[0]); err != nil {
		t.Fatal(err)
	}
	wantError(t, Verify(t.Context(), in.Folder), in.Library+" has sha256", in.Preload[0]+" is missing")

	bare := filepath.Join(cache, "onnxruntime-0.9")
	write(t, "x", bare, "libonnxruntime.so")
	if err := Verify(t.Context(), bare); !errors.Is(err, ErrNoManifest) {
		t.Errorf("without a manifest: %v", err)
	}
}
