// Carve names things in a video and gets them segmented through all of it.
//
//	carve -i clip.mp4 -q dog -q "red frisbee" -o out.mp4
//
// This package wires the others together: package video decodes and encodes,
// package models runs CLIP, package car proposes and judges masks, package
// tracking carries the surviving queries from frame to frame. What it adds is
// the command line: flags, errors and their hints, progress, exit codes.
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
	// What C libraries print on standard error must not get between what carve does. Where
	// it cannot be taken from them it is as it always was.
	var stderr io.Writer = os.Stderr
	if cstderr.Take() == nil {
		stderr = cstderr.File()
	}
	code := run(os.Args[1:], ui.NewListener(os.Stdout), ui.NewListener(stderr))
	cstderr.Give()
	os.Exit(code)
}
