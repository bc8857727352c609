package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// A listener is standard output or standard error. When its reader is gone, as after
// head has read enough or a terminal was closed, what is written goes nowhere and the
// run goes on. Other errors, such as a full disk, are kept.
type listener struct {
	w io.Writer

	mu   sync.Mutex
	gone bool
	err  error // the first that is not the reader's leaving
}

// ignorePipeSignal makes a write to a closed pipe an error. Left alone, Go ends
// the process there.
func ignorePipeSignal() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Write implements io.Writer. It never fails.
func (l *listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return len(b), nil
	}
	if _, err := l.w.Write(b); err != nil {
		l.gone = true
		// EIO is what a terminal that is gone answers.
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.EIO) && !errors.Is(err, os.ErrClosed) {
			l.err = err
		}
	}
	return len(b), nil
}

// lost returns the error of writing to standard output, if there was one. That its
// reader has left is none.
func lost(stdout io.Writer) error {
	if c, ok := stdout.(*console); ok {
		c.flush()
		stdout = c.w
	}
	l, ok := stdout.(*listener)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Unwrap returns what is behind it. terminal asks for that.
func (l *listener) Unwrap() io.Writer { return l.w }
