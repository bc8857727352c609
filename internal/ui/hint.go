package ui

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/carve-video/carve/internal/spelling"
)

// A hintedError carries the line that tells the user what to do.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

// WithHint adds to an error what the user can do about it. It takes the place of the
// hints that the error has already.
func WithHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return hintedError{err, hint}
}

// DidYouMean is a hint for a name that is not known: the one that was probably meant, if
// one is near, and what helps otherwise.
func DidYouMean(name string, known []string, otherwise string) string {
	meant, ok := spelling.Nearest(name, known)
	if !ok {
		return otherwise
	}
	return strings.TrimSpace(fmt.Sprintf("did you mean %q? %s", meant, otherwise))
}

// Hint is the hint that an error carries, by [WithHint] or by its own type, as [Report]
// prints it.
func Hint(err error) string {
	var hinted hintedError
	if errors.As(err, &hinted) {
		return hinted.hint
	}
	hint := OwnHint(err)
	// Of libraries there are only words.
	if hint == "" && err != nil && strings.Contains(strings.ToLower(err.Error()), syscall.EMFILE.Error()) {
		hint = "raise the limit on open files (ulimit -n)"
	}
	return hint
}

// OwnHint is the hint that the type of an error has for it, or nothing.
func OwnHint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
