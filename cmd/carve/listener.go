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

// failed returns why nothing is written any more, unless the reader has left.
func (l *listener) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Fd tells who asks for a terminal which file it is.
func (l *listener) Fd() uintptr {
	if f, ok := l.w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
