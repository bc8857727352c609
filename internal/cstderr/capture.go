//go:build (linux || darwin) && cgo

package cstderr

// #cgo LDFLAGS: -lpthread
// #include "cstderr.h"
import "C"

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
)

// take puts the pipe in place and gives the ends that Go has.
func take() (real, lines *os.File, err error) {
	var r, l, c C.int
	if n := C.carveStderrTake(&r, &l, &c); n != 0 {
		return nil, nil, fmt.Errorf("failed to take over standard error: %w", syscall.Errno(n))
	}
	real = os.NewFile(uintptr(r), "stderr")
	lines = os.NewFile(uintptr(l), "what libraries print")
	// The runtime keeps a copy of its own.
	crash := os.NewFile(uintptr(c), "what a crash prints")
	defer crash.Close()
	return real, lines, debug.SetCrashOutput(crash, debug.CrashOptions{})
}

func form(json, whole bool) {
	number := map[bool]C.int{true: 1}
	C.carveStderrForm(number[json], number[whole])
}

func give() error {
	// First, because once the thread is gone nobody reads what a crash prints there, and
	// the crash would wait for that.
	err := debug.SetCrashOutput(nil, debug.CrashOptions{})
	C.carveStderrGive()
	return err
}
