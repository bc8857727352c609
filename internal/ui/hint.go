package ui

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/carve-video/carve/internal/spelling"
)

// A hintedError has a line that tells the user what to do.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

// WithHint adds to an error what the user can do about it. It replaces the error's own
// hints.
func WithHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return hintedError{err, hint}
}

// DidYouMean returns a hint for an unknown name: the nearest known name if one is
// similar, or else otherwise.
func DidYouMean(name string, known []string, otherwise string) string {
	meant, ok := spelling.Nearest(name, known)
	if !ok {
		return otherwise
	}
	return strings.TrimSpace(fmt.Sprintf("did you mean %q? %s", meant, otherwise))
}

// Hint returns the hint of an error, from [WithHint] or from the error's type, as
// [Report] prints it.
func Hint(err error) string {
	var hinted hintedError
	if errors.As(err, &hinted) {
		return hinted.hint
	}
	hint := OwnHint(err)
	// Errors of libraries are only text.
	if hint == "" && err != nil && strings.Contains(strings.ToLower(err.Error()), syscall.EMFILE.Error()) {
		hint = "raise the limit on open files (ulimit -n)"
	}
	return hint
}

// OwnHint returns the hint from the type of an error, or "".
func OwnHint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
