//go:build unix

package video

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// without runs do while no file can be opened any more.
func without(t *testing.T, do func()) {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	free := f.Fd()
	f.Close()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = uint64(free)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	do()
}

// Want of descriptors is not taken for something wrong with the file.
func TestTooManyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.mkv")
	sink, err := write(path, "libx264", "")
	if err != nil {
		t.Fatal(err)
	}
	var opened, readBack error
	without(t, func() {
		_, opened = openDemuxer(path, false)
		readBack = sink.readBack(path)
	})
	if !errors.Is(opened, ErrUnreadable) || !strings.HasSuffix(opened.Error(), "cannot be read (too many open files)") {
		t.Errorf("opening: %v", opened)
	}
	if !errors.Is(readBack, ErrReadBack) || !strings.HasSuffix(readBack.Error(), "cannot be read back (too many open files)") {
		t.Errorf("reading back: %v", readBack)
	}
}
