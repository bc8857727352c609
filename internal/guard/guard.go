// Package guard turns a panic into an error, so that cleaning up works as after every
// other failure. Package cstderr reports crashes that cannot be caught.
package guard

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic that was caught: a bug of the program.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // the stack at the panic, as [debug.Stack] prints it
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Hint returns how to report the bug.
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
