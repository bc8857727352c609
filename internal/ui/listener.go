package ui

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// A Listener is standard output or standard error. If its reader is gone, as after head
// has read enough or a terminal was closed, output is discarded and the run continues.
// Other errors, such as a full disk, are kept.
type Listener struct {
	w io.Writer

	mu   sync.Mutex
	gone bool
	err  error // the first that is not a missing reader
}

// NewListener makes a listener that writes to w, standard output or standard error.
func NewListener(w io.Writer) *Listener { return &Listener{w: w} }

// IgnorePipeSignal makes a write to a closed pipe an error. Otherwise Go would end the
// process.
func IgnorePipeSignal() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Write implements io.Writer. It never fails.
func (l *Listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return len(b), nil
	}
	if _, err := l.w.Write(b); err != nil {
		l.gone = true
		// A closed terminal returns EIO.
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.EIO) && !errors.Is(err, os.ErrClosed) {
			l.err = err
		}
	}
	return len(b), nil
}

// WriteError returns the first error of writing to standard output. A missing reader is
// no error.
func WriteError(stdout io.Writer) error {
	if c, ok := stdout.(*Console); ok {
		c.Flush()
		stdout = c.w
	}
	l, ok := stdout.(*Listener)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Unwrap returns the underlying writer, for [Terminal].
func (l *Listener) Unwrap() io.Writer { return l.w }
