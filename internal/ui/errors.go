package ui

import (
	"errors"
	"fmt"
	"strings"
)

// ErrHelp says that help was requested and printed. It is not an error.
var ErrHelp = errors.New("help requested")

// A UsageError is a mistake on the command line.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake itself.
func (e UsageError) Unwrap() error { return e.Err }

// Usagef formats a [UsageError].
func Usagef(format string, args ...any) error {
	return UsageError{Err: fmt.Errorf(format, args...)}
}

// A LostError says that the output is whole but lacks a part of the input.
type LostError struct{ What []string }

func (e LostError) Error() string { return "lost: " + strings.Join(e.What, "; ") }

// An InterruptedError says that the user stopped the run.
type InterruptedError struct {
	At      string // the time of the last frame written, or empty
	Written string // the file, or empty if it was dropped
}

func (e InterruptedError) Error() string {
	if e.Written == "" {
		return "interrupted: no output was completed"
	}
	return fmt.Sprintf("stopped at %s: %s holds everything up to there", e.At, e.Written)
}
