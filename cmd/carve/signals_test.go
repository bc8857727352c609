//go:build unix

package main

import (
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestGiveUp: a stage that does not listen keeps the user waiting for two seconds
// at most, and a third signal not at all.
func TestGiveUp(t *testing.T) {
	gaveUp := make(chan time.Time, 1)
	defer func(f func()) { giveUp = f }(giveUp)
	giveUp = func() { gaveUp <- time.Now() }
	hangUp := func() time.Time {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
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
		hangUp()
		if n := <-steps; n != 1 {
			t.Fatalf("the first signal was step %d", n)
		}
		at := hangUp()
		if n := <-steps; n != 2 {
			t.Fatalf("the second signal was step %d", n)
		}
		return at
	}

	end := begin()
	at := second()
	if took := (<-gaveUp).Sub(at); took < patience/2 || took > 2*time.Second {
		t.Errorf("given up %v after the second signal", took)
	}
	end()

	end = begin()
	second()
	at = hangUp()
	if took := (<-gaveUp).Sub(at); took > patience/2 {
		t.Errorf("given up %v after the third signal", took)
	}
	end()

	end = begin()
	second()
	end() // the stages ended in time
	select {
	case <-gaveUp:
		t.Error("given up after the end")
	case <-time.After(10 * time.Millisecond):
	}
}

// TestReleasedTwice: an interruptible context may be released by a defer and
// before it.
func TestReleasedTwice(t *testing.T) {
	_, release := interruptible()
	release()
	release()
}

// TestNamedIsForgotten: that a run had named its outputs does not keep what comes
// after it from being ended, as bench does with one run after the other.
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
