//go:build linux

package main

import "fmt"

// A class is a kind of finding.
type class int

// The classes, in the order of the table's columns and of severity.
const (
	crash class = iota
	hang
	loss     // frames or data are missing, and the exit code is 0
	leftover // a file that should not be there, or a wrong one
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

func newFinding(c class, format string, args ...any) finding {
	return finding{c, fmt.Sprintf(format, args...)}
}
