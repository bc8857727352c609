package ortdist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Both are past the check for an existing installation; the second's rename meets the
// first's folder.
func TestInstallTwiceAtOnce(t *testing.T) {
	var s registry
	cache := t.TempDir()
	b := s.cpuLike(t, "1.0")
	var both sync.WaitGroup
	both.Add(2)
	// A real download locks or renames; here the two must not write at once.
	var file sync.Mutex
	get := func(ctx context.Context, a Archive, dest string) error {
		both.Done()
		both.Wait()
		file.Lock()
		defer file.Unlock()
		if err := s.get(ctx, a, dest+".part"); err != nil {
			return err
		}
		return os.Rename(dest+".part", dest)
	}
	var wg sync.WaitGroup
	var got [2]Installed
	var errs [2]error
	for i := range got {
		wg.Go(func() { got[i], errs[i] = Install(t.Context(), cache, b, Options{Get: get}) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got[0], got[1]); d != "" {
		t.Error(d)
	}
	want := []string{"downloads/", "onnxruntime-1.0/carve-manifest.json", "onnxruntime-1.0/libonnxruntime.so"}
	if d := cmp.Diff(want, files(t, cache)); d != "" {
		t.Error(d)
	}
	if err := Verify(t.Context(), got[0].Folder); err != nil {
		t.Error(err)
	}
}

// Another process finishes while this one downloads.
func TestInstallOvertaken(t *testing.T) {
	var s registry
	cache := t.TempDir()
	b := s.cudaLike(t, "1.0")
	calls := 0
	in := mustInstall(t, cache, b, Options{Libraries: true, Get: func(ctx context.Context, a Archive, dest string) error {
		calls++
		mustInstall(t, cache, b, Options{Libraries: true, Get: s.get})
		return s.get(ctx, a, dest)
	}})
	if calls != 1 {
		t.Errorf("%d archives were fetched for what was there, want the one begun", calls)
	}
	if in.Folder == "" || len(files(t, filepath.Join(cache, "downloads"))) > 0 {
		t.Errorf("%+v, with files %v", in, files(t, cache))
	}
}
