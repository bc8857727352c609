//go:build linux && race

package main

// raceDetector says that the detector is at work, which asks for terabytes of
// address space.
const raceDetector = true
