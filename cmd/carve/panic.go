package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/guard"
)

// printStack prints the stack of a panic if GOTRACEBACK requests it.
func printStack(w io.Writer, err error) {
	var fault *guard.PanicError
	if errors.As(err, &fault) && cstderr.TracebackAsked() {
		fmt.Fprintf(w, "%s\n", fault.Stack)
	}
}
