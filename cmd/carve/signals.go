package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/ui"
)

// patience is how long stages may take to end once they have been told to. A
// library that does not listen must not keep the user waiting.
const patience = 1500 * time.Millisecond

// endings are the signals that end a run, but for those that were ignored when carve
// began: a hang-up under nohup, Ctrl-C in the background of a script.
func endings() []os.Signal {
	return slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
}

// handleSignals returns a context that the second Ctrl-C ends, and a channel
// that the first one closes. SIGTERM and a hang-up count as Ctrl-C. A third one, or stages that do not end after the second, end the
// process: the patience begins at the second.
func handleSignals(log *slog.Logger) (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan struct{})
	end := onSignals(func() {
		log.Warn("interrupted: finishing the frames in flight; once more stops at once and leaves no file")
		close(first)
	}, cancel)
	return ctx, first, func() {
		end()
		cancel()
		// The process may go on, with another run or another command.
		naming.Lock()
		naming.done = false
		naming.Unlock()
	}
}

// interruptible returns a context that Ctrl-C ends.
func interruptible() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	end := onSignals(cancel)
	return ctx, func() {
		end()
		cancel()
	}
}

// onSignals calls one of steps with each signal. After the last step the process
// has its patience to end, or until the next signal. end gives the signals back and
// waits.
func onSignals(steps ...func()) (end func()) {
	signals := make(chan os.Signal, 4) // the kernel sends, one goroutine receives
	released, done := make(chan struct{}), make(chan struct{})
	signal.Notify(signals, endings()...)
	go func() {
		defer close(done)
		for _, step := range steps {
			select {
			case <-signals:
				step()
			case <-released:
				return
			}
		}
		select {
		case <-signals:
		case <-time.After(patience):
		case <-released:
			return
		}
		giveUp()
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(released)
		<-done
	})
}

// giveUp ends the process without waiting for stages, and removes what they were
// writing. Tests replace it.
var giveUp = func() {
	naming.Lock() // and for good: no output gets its name any more
	if naming.done {
		naming.Unlock()
		return // all have theirs, and the run is at its end
	}
	atomicfile.RemoveAll()
	format := logFormatOf(os.Args[1:])
	errs := ui.NewConsole(cstderr.File(), format == "json")
	if ui.IsTerminal(errs) {
		ui.Overwrite(errs, "") // the progress line
	}
	ui.Report(errs, format == "json", ui.InterruptedError{})
	os.Exit(ui.ExitInterrupted)
}
