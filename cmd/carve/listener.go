package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// A listener is standard output or standard error. Somebody may stop reading, as
// head does, or a terminal may be closed: what is written from then on goes
// nowhere, and the run goes on. Other errors, such as a full disk, are kept.
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

// lost returns why nothing is written any more to standard output, unless its reader
// has left.
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

// Unwrap returns the file behind it, for those who ask whether it is a terminal.
func (l *listener) Unwrap() io.Writer { return l.w }
