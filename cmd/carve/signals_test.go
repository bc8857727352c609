//go:build unix

package main

import (
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestExitNow: if a stage does not end, the process ends at most two seconds after the
// second signal, and at once at the third.
func TestExitNow(t *testing.T) {
	exited := make(chan time.Time, 1)
	defer func(f func()) { exitNow = f }(exitNow)
	exitNow = func() { exited <- time.Now() }
	terminate := func() time.Time {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		return time.Now()
	}
	steps := make(chan int, 2)
	begin := func() (end func()) {
		return onSignals(func() { steps <- 1 }, func() { steps <- 2 })
	}
	second := func() time.Time {
		t.Helper()
		terminate()
		if n := <-steps; n != 1 {
			t.Fatalf("the first signal was step %d", n)
		}
		at := terminate()
		if n := <-steps; n != 2 {
			t.Fatalf("the second signal was step %d", n)
		}
		return at
	}

	end := begin()
	at := second()
	if took := (<-exited).Sub(at); took < exitTimeout/2 || took > 2*time.Second {
		t.Errorf("ended %v after the second signal", took)
	}
	end()

	end = begin()
	second()
	at = terminate()
	if took := (<-exited).Sub(at); took > exitTimeout/2 {
		t.Errorf("ended %v after the third signal", took)
	}
	end()

	end = begin()
	second()
	end() // the stages ended in time
	select {
	case <-exited:
		t.Error("ended after the release")
	case <-time.After(10 * time.Millisecond):
	}
}

// TestReleasedTwice: an interruptible context may be released twice.
func TestReleasedTwice(t *testing.T) {
	_, release := interruptible()
	release()
	release()
}

// TestNamedIsForgotten: after a run has named its outputs, the next run in the process can
// still be ended. The command bench runs several.
func TestNamedIsForgotten(t *testing.T) {
	_, _, release := handleSignals(slog.New(slog.DiscardHandler))
	naming.Lock()
	naming.done = true
	naming.Unlock()
	release()
	naming.Lock()
	defer naming.Unlock()
	if naming.done {
		t.Error("outputs of the next run count as named")
	}
}
