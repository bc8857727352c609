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

// exitTimeout is how long stages may take to end after they were cancelled. A library that
// does not react must not keep the user waiting.
const exitTimeout = 1500 * time.Millisecond

// endingSignals returns the signals that end a run, except those that were ignored when
// carve started: SIGHUP under nohup, SIGINT in the background of a script.
func endingSignals() []os.Signal {
	return slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
}

// handleSignals returns a context that the second Ctrl-C cancels, and a channel that the
// first one closes. SIGTERM and SIGHUP count as Ctrl-C. A third one ends the process, and
// so do stages that have not ended exitTimeout after the second.
func handleSignals(log *slog.Logger) (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan struct{})
	end := onSignals(func() {
		log.Warn("interrupted: finishing the frames in flight; once more stops at once and completes no output")
		close(first)
	}, cancel)
	return ctx, first, func() {
		end()
		cancel()
		// Another run may follow in the same process.
		naming.Lock()
		naming.done = false
		naming.Unlock()
	}
}

// interruptible returns a context that Ctrl-C cancels.
func interruptible() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	end := onSignals(cancel)
	return ctx, func() {
		end()
		cancel()
	}
}

// onSignals calls the next of steps at each signal. After the last step it ends the process
// at the next signal, or after exitTimeout. end stops that and waits for the goroutine.
func onSignals(steps ...func()) (end func()) {
	signals := make(chan os.Signal, 4) // signal.Notify does not block, so a few are buffered
	released, done := make(chan struct{}), make(chan struct{})
	signal.Notify(signals, endingSignals()...)
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
		case <-time.After(exitTimeout):
		case <-released:
			return
		}
		exitNow()
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(released)
		<-done
	})
}

// exitNow ends the process without waiting for stages, and removes their unfinished files.
// Tests replace it.
var exitNow = func() {
	naming.Lock() // never unlocked: no output gets its name from now on
	if naming.done {
		naming.Unlock()
		return // all outputs have their names, and the run is about to end
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
