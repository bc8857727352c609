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

var setCrashOutput = debug.SetCrashOutput // tests replace it

// take installs the pipe and returns Go's ends of it.
func take() (real, lines *os.File, err error) {
	var r, l, c C.int
	if n := C.carveStderrTake(&r, &l, &c); n != 0 {
		return nil, nil, fmt.Errorf("failed to take over standard error: %w", syscall.Errno(n))
	}
	real = os.NewFile(uintptr(r), "stderr")
	lines = os.NewFile(uintptr(l), "what libraries print")
	// The runtime keeps its own copy.
	crash := os.NewFile(uintptr(c), "what a crash prints")
	defer crash.Close()
	if err := setCrashOutput(crash, debug.CrashOptions{}); err != nil {
		// Without it a crash would not be noticed: everything is restored.
		C.carveStderrGive()
		lines.Close()
		real.Close()
		return nil, nil, fmt.Errorf("failed to take over what a crash prints: %w", err)
	}
	return real, lines, nil
}

func form(json, whole bool) {
	number := map[bool]C.int{true: 1}
	C.carveStderrForm(number[json], number[whole])
}

func give() error {
	// This must come first: once the thread is gone nothing reads the pipe, and a crash
	// would block on it.
	err := setCrashOutput(nil, debug.CrashOptions{})
	C.carveStderrGive()
	return err
}
