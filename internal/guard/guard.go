// Package guard turns a panic into an error, so that what was begun is cleaned up as
// after every other failure. Package cstderr reports the crashes that cannot be caught.
package guard

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic that was caught: a fault of the program's own.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // where it was called, as [debug.Stack] prints it
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Hint says what to do about it.
func (e *PanicError) Hint() string {
	return "this is a fault of carve: please report it, with what GOTRACEBACK=all in front of the same command prints"
}

// Run calls do and returns its error. A panic in do is returned as a [*PanicError].
func Run(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{value, debug.Stack()}
		}
	}()
	return do()
}
