//go:build linux && race

package main

// raceDetector tells whether the race detector is on. It reserves terabytes of address
// space.
const raceDetector = true
