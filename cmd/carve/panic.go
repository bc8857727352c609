package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/carve-video/carve/internal/cstderr"
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
	return "this is a fault of carve: please report it, with what GOTRACEBACK=all in front of the same command prints"
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

// printStack prints where a panic was, if that was asked for.
func printStack(w io.Writer, err error) {
	var internal *internalError
	if errors.As(err, &internal) && cstderr.TracebackAsked() {
		fmt.Fprintf(w, "%s\n", internal.stack)
	}
}
