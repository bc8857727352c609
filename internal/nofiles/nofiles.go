//go:build unix

// Package nofiles runs code in a process without free file descriptors. It is for
// tests: a file that cannot be opened then is not missing or broken, and must not be
// reported so.
package nofiles

import (
	"os"
	"syscall"
	"testing"
)

// During runs do while no file can be opened. Other goroutines cannot open files
// either, so the test must not be parallel.
func During(t testing.TB, do func()) {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	free := f.Fd() // the lowest free descriptor
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
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}()
	do()
}
