// Carve names things in a video and gets them segmented through all of it.
//
//	carve -i clip.mp4 -q dog -q "red frisbee" -o out.mp4
//
// This package wires the others together: package video decodes and encodes,
// package models runs CLIP, package car proposes and judges masks, package
// tracking carries the surviving queries from frame to frame. What it adds is
// the command line: flags, errors and their hints, progress, exit codes.
package main

import "os"

// version is set by the linker.
var version = "unknown"

func main() {
	ignorePipeSignal()
	os.Exit(run(os.Args[1:], &listener{w: os.Stdout}, &listener{w: os.Stderr}))
}
