//go:build linux

package main

import "fmt"

// A class is what a finding is counted as.
type class int

// The classes, in the order of the table's columns and of their weight.
const (
	crash class = iota
	hang
	loss     // frames or data are missing and the exit code is 0
	leftover // a file that should not be there, or one that is not what it should be
	socket
	other
	classes
)

var classNames = [classes]string{"crashes", "hangs", "quiet losses", "leftovers", "sockets", "other"}

func (c class) String() string { return classNames[c] }

// A finding is one thing that carve did wrong in a trial.
type finding struct {
	class class
	text  string
}

func found(c class, format string, args ...any) finding {
	return finding{c, fmt.Sprintf(format, args...)}
}
