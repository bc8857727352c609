//go:build linux || darwin

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// muteStderr sends what the whole process writes to its standard error, C
// libraries included, nowhere, until restore is called.
func muteStderr() (restore func(), err error) {
	const stderr = 2
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer nowhere.Close()
	saved, err := unix.Dup(stderr)
	if err != nil {
		return nil, err
	}
	if err := replaceFile(int(nowhere.Fd()), stderr); err != nil {
		return nil, errors.Join(err, unix.Close(saved))
	}
	return func() {
		replaceFile(saved, stderr) // both were open a moment ago
		unix.Close(saved)
	}, nil
}
