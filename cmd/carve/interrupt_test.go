package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// interruptedRun segments the demo clip, and sends the process a SIGINT at each of the
// given frames.
func interruptedRun(t *testing.T, at ...int64) (dir, stderr string, code int) {
	neverExit(t)
	// Without this, a signal that comes too late would kill the test.
	guard := make(chan os.Signal, 4)
	signal.Notify(guard, os.Interrupt)
	defer signal.Stop(guard)

	dir = t.TempDir()
	in, out := filepath.Join(dir, "in.mp4"), filepath.Join(dir, "out.mp4")
	if err := os.WriteFile(in, democlip.Clip, 0o644); err != nil {
		t.Fatal(err)
	}
	var o segmentOptions
	if err := newSegmentFlags(&o).Parse([]string{"-i", in, "-o", out, "-q", "dog", "-q", "pizza", "-m", "demo"}); err != nil {
		t.Fatal(err)
	}
	o.observers = []carve.Sink{carve.SinkFunc(func(_ context.Context, f *carve.Frame) error {
		for _, a := range at {
			if f.Index == a {
				if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
					t.Error(err)
				}
				// Frames come in bursts, and two signals at the same time count as one.
				time.Sleep(200 * time.Millisecond)
			}
		}
		return nil
	})}
	var stdout, errs bytes.Buffer
	// Both the run and the goroutine of the signals print.
	_, err := segment(&o, &stdout, ui.NewConsole(&errs, false))
	needsRuntime(t, err)
	code = ui.Report(&errs, false, err)
	return dir, errs.String(), code
}

// neverExit lets stages take longer than exitTimeout to end, as on a busy machine, instead
// of ending the test.
func neverExit(t *testing.T) {
	exit := exitNow
	exitNow = func() {}
	t.Cleanup(func() { exitNow = exit })
}

// TestFirstInterrupt: the frames in flight are finished and the file is complete.
func TestFirstInterrupt(t *testing.T) {
	dir, stderr, code := interruptedRun(t, 3)
	if code != ui.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, ui.ExitInterrupted)
	}
	if !strings.Contains(stderr, "stopped at 0:00.") {
		t.Errorf("stderr does not say where it stopped:\n%s", stderr)
	}
	src := &video.Source{Path: filepath.Join(dir, "out.mp4")}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	n := int64(0)
	for {
		f, err := src.Read(t.Context())
		if err != nil {
			break
		}
		f.Release()
		n++
	}
	if n < 4 || n > 3+video.DefaultFrames+1 {
		t.Errorf("%d frames were written; those in flight at the fourth are 1 to %d more", n, video.DefaultFrames)
	}
	if d := src.Damage(); d.Count > 0 {
		t.Errorf("the file is damaged: %v", d.Err)
	}
}

// TestSecondInterrupt: no file is left.
func TestSecondInterrupt(t *testing.T) {
	dir, stderr, code := interruptedRun(t, 3, 4)
	if code != ui.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, ui.ExitInterrupted)
	}
	if !strings.Contains(stderr, "no output was completed") {
		t.Errorf("stderr does not say that there is no file:\n%s", stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "in.mp4" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestInterruptWhileOpening: a signal that comes while models are opened ends the run as
// interrupted, once the current model is open.
func TestInterruptWhileOpening(t *testing.T) {
	neverExit(t)
	guard := make(chan os.Signal, 4) // as above
	signal.Notify(guard, os.Interrupt)
	defer signal.Stop(guard)
	var o segmentOptions
	if err := newSegmentFlags(&o).Parse([]string{"-m", "demo"}); err != nil {
		t.Fatal(err)
	}
	preset, err := o.presetFor()
	if err != nil {
		t.Fatal(err)
	}
	// The demo model does not know this query, which is logged once its files are open.
	log := slog.New(slog.NewTextHandler(interrupter{t, guard}, nil))
	m, err := openModels(&o.runOptions, []car.Query{car.Named("zeppelin")}, preset, io.Discard, log)
	needsRuntime(t, err)
	var interrupted ui.InterruptedError
	if m != nil && err == nil || !errors.As(err, &interrupted) {
		t.Errorf("error %v", err)
	}
}

// An interrupter sends the process a SIGINT at every write, and waits for it.
type interrupter struct {
	t        *testing.T
	received <-chan os.Signal
}

func (i interrupter) Write(line []byte) (int, error) {
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		i.t.Error(err)
	}
	<-i.received
	// Another goroutine receives it as well, and cancels.
	time.Sleep(200 * time.Millisecond)
	return len(line), nil
}
