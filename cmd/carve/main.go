// Carve segments objects in videos by name.
//
//	carve -i clip.mp4 -q dog -q "red frisbee" -o out.mp4
//
// This package connects the others: package video decodes and encodes, package models
// runs CLIP, package car proposes and judges masks, and package tracking keeps the state
// from frame to frame. It adds the command line: flags, errors with hints, progress, exit
// codes.
package main

import (
	"io"
	"os"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/ui"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ui.IgnorePipeSignal()
	// Output of C libraries on standard error must not mix with carve's own. If it cannot be
	// redirected, both go there directly.
	var stderr io.Writer = os.Stderr
	if cstderr.Take() == nil {
		stderr = cstderr.File()
	}
	code := run(os.Args[1:], ui.NewListener(os.Stdout), ui.NewListener(stderr))
	cstderr.Give()
	os.Exit(code)
}
