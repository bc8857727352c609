//go:build unix

package ort

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// Want of descriptors does not look as if there were no library.
func TestTooManyFiles(t *testing.T) {
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
	t.Setenv("CARVE_ONNXRUNTIME", "")
	_, err = FindLibrary()
	if e := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, syscall.EMFILE) || errors.Is(err, ErrNoRuntime) {
		t.Error(err)
	}
}
