package bounded

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// mustReturn fails the test if f does not return: a file that is not regular must not
// block.
func mustReturn(t *testing.T, name string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: still waiting", name)
		return nil
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	root := t.TempDir()
	pipe, link, sock := filepath.Join(root, "pipe"), filepath.Join(root, "link"), filepath.Join(root, "socket")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o666), os.Symlink("/dev/zero", link), os.Mkdir(filepath.Join(root, "folder"), 0o777)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink(pipe, filepath.Join(root, "link to a pipe")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "link", "socket", "folder", "link to a pipe"} {
		for way, read := range map[string]func() error{
			"file":      func() error { _, err := ReadFile(filepath.Join(root, name), 1<<20); return err },
			"folder":    func() error { _, err := ReadFS(Dir(root), name, 1<<20); return err },
			"os.DirFS":  func() error { _, err := ReadFS(os.DirFS(root), name, 1<<20); return err },
			"only open": func() error { _, _, err := Open(filepath.Join(root, name)); return err },
		} {
			var irregular *IrregularError
			if err := mustReturn(t, name, read); !errors.As(err, &irregular) {
				t.Errorf("%s, as a %s: %v", name, way, err)
			}
		}
	}
	if f, err := Dir(root).Open("pipe"); err == nil || f != nil {
		t.Errorf("a pipe was opened: %v", f)
	}
	for _, read := range []func() error{
		func() error { _, err := ReadFile(filepath.Join(root, "nothing"), 1); return err },
		func() error { _, err := ReadFS(Dir(root), "nothing", 1); return err },
	} {
		if err := read(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("nothing: %v", err)
		}
	}
	if _, err := ReadFS(Dir(filepath.Join(root, "folder")), "../pipe", 1); err == nil {
		t.Error("a way out of the folder was taken")
	}
}

func TestLimit(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "file")
	want := bytes.Repeat([]byte("abc"), 1000)
	if err := os.WriteFile(path, want, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	sparse := filepath.Join(root, "sparse")
	if err := errors.Join(os.WriteFile(sparse, nil, 0o666), os.Truncate(sparse, 1<<40)); err != nil {
		t.Fatal(err)
	}
	memory := fstest.MapFS{"file": {Data: want}}
	for _, name := range []string{"file", "link"} {
		for _, limit := range []int64{3000, 3001, 1 << 40} {
			if b, err := ReadFile(filepath.Join(root, name), limit); err != nil || !bytes.Equal(b, want) {
				t.Errorf("%s up to %d: %d bytes, %v", name, limit, len(b), err)
			}
		}
	}
	if b, err := ReadFS(memory, "file", 3000); err != nil || !bytes.Equal(b, want) {
		t.Errorf("in memory: %d bytes, %v", len(b), err)
	}
	for name, read := range map[string]func() error{
		"longer":              func() error { _, err := ReadFile(path, 2999); return err },
		"longer, in memory":   func() error { _, err := ReadFS(memory, "file", 2999); return err },
		"longer, in a folder": func() error { _, err := ReadFS(Dir(root), "file", 2999); return err },
		"sparse":              func() error { _, err := ReadFile(sparse, 1<<20); return err },
	} {
		var size *SizeError
		if err := read(); !errors.As(err, &size) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A file without a stated size.
	if b, err := ReadFile("/proc/self/status", 1<<16); err != nil || len(b) == 0 {
		t.Errorf("/proc/self/status: %d bytes, %v", len(b), err)
	}
	var size *SizeError
	if _, err := ReadFile("/proc/self/status", 10); !errors.As(err, &size) || size.Size != 0 {
		t.Errorf("/proc/self/status up to 10: %v", err)
	}
}
