package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
)

// An internalError is a panic: a fault of carve's own. Where it can be caught it is an
// error like all others, so that what was begun is cleaned up and the exit code is that of
// a failure; where not, package cstderr tells it.
type internalError struct {
	what  any
	stack []byte
}

func (e *internalError) Error() string { return fmt.Sprintf("internal error: %v", e.what) }

// Hint says what to do about it.
func (e *internalError) Hint() string {
	return "this is a fault of carve: please report it, with what the same command prints with --verbose"
}

// guarded returns what do returns. A panic in it is an error.
func guarded(do func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = &internalError{what, debug.Stack()}
		}
	}()
	return do()
}

// printStack prints where a panic was, for those who asked for more than one line.
func printStack(w io.Writer, err error, args []string) {
	var internal *internalError
	if !errors.As(err, &internal) || !slices.Contains(args, "-v") && !slices.Contains(args, "--verbose") {
		return
	}
	fmt.Fprintf(w, "%s\n", internal.stack)
}
