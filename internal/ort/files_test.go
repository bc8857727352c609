//go:build unix

package ort

import (
	"errors"
	"syscall"
	"testing"

	"github.com/carve-video/carve/internal/nofiles"
)

// Running out of file descriptors is not reported as a missing library.
func TestTooManyFiles(t *testing.T) {
	t.Setenv("CARVE_ONNXRUNTIME", "")
	var err error
	nofiles.During(t, func() { _, err = FindLibrary() })
	if !errors.Is(err, syscall.EMFILE) || errors.Is(err, ErrNoRuntime) {
		t.Error(err)
	}
}
