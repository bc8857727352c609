package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
)

// checkpointOptions say where the state of a run is kept, and from which one it goes on.
type checkpointOptions struct {
	checkpoint      string
	checkpointEvery tracking.Interval
	restore         string

	from *tracking.Checkpoint // what restore holds
}

func (o *checkpointOptions) addFlags(fs *pflag.FlagSet) {
	o.checkpointEvery = carve.DefaultCheckpointEvery
	fs.StringVar(&o.checkpoint, "checkpoint", "", "file to keep the state of the run in, replaced each time; a %d in its name is the frame, and then each is kept")
	fs.Var(&o.checkpointEvery, "checkpoint-every", "with --checkpoint, time of the input between two of them: seconds, or frames as in 100f")
	fs.StringVar(&o.restore, "restore", "", "go on after the last frame of a checkpoint, with the same input and flags; outputs begin there")
}

// frameNumber is where the name of a checkpoint has the number of its frame.
var frameNumber = regexp.MustCompile(`%0?[0-9]?d`)

func (o *checkpointOptions) checkCheckpoint() error {
	if o.checkpointEvery.Time == 0 && o.checkpointEvery.Frames == 0 {
		return ui.Usagef("--checkpoint-every is 0; it is a frame, 1f, or more")
	}
	if n := len(frameNumber.FindAllString(o.checkpoint, -1)); n > 1 {
		return ui.Usagef("--checkpoint %s has %d places for the number of the frame; it has one at most", o.checkpoint, n)
	}
	return nil
}

// path is the name of the checkpoint of a frame.
func (o *checkpointOptions) checkpointPath(frame int64) string {
	return frameNumber.ReplaceAllStringFunc(o.checkpoint, func(verb string) string { return fmt.Sprintf(verb, frame) })
}

// plan adds the file that is written to the outputs of a run. A run that goes on from a
// checkpoint may replace it.
func (o *checkpointOptions) planCheckpoint(plan *atomicfile.Plan, log *slog.Logger) error {
	if o.checkpoint == "" || o.continues() {
		return nil
	}
	pattern := frameNumber.ReplaceAllString(o.checkpoint, "*")
	if there, _ := filepath.Glob(pattern); len(there) > 0 && pattern != o.checkpoint && !plan.Overwrite {
		return outputError(&atomicfile.Error{Path: there[0], Err: atomicfile.ErrExists})
	}
	return addOutputs(plan, log, o.checkpointPath(0))
}

// continues says that the run keeps its state where it found it.
func (o *checkpointOptions) continues() bool {
	return o.restore != "" && filepath.Clean(o.checkpoint) == filepath.Clean(o.restore)
}

// read reads the checkpoint to go on from, if there is one.
func (o *checkpointOptions) readCheckpoint() error {
	if o.restore == "" {
		return nil
	}
	const hint = "--checkpoint FILE writes one"
	f, err := os.Open(o.restore)
	if err != nil {
		return openTextError("a checkpoint", o.restore, err, hint)
	}
	defer f.Close()
	if o.from, err = tracking.ReadCheckpoint(f); err != nil {
		return ui.WithHint(fmt.Errorf("%s: %w", o.restore, err), hint)
	}
	return nil
}

// writer returns what writes the checkpoints of a run; nil if none are wanted.
func (o *checkpointOptions) checkpointWriter(overwrite bool, inputs []string, log *slog.Logger) func(*tracking.Checkpoint) error {
	if o.checkpoint == "" {
		return nil
	}
	if o.continues() {
		overwrite = true
		inputs = slices.DeleteFunc(inputs, func(path string) bool { return filepath.Clean(path) == filepath.Clean(o.restore) })
	}
	return func(k *tracking.Checkpoint) error {
		began := time.Now()
		var file bytes.Buffer
		if _, err := k.WriteTo(&file); err != nil {
			return err
		}
		path := o.checkpointPath(k.Frame.Frame)
		if err := atomicfile.WriteFile(path, file.Bytes(), atomicfile.Options{Overwrite: overwrite, Inputs: inputs}); err != nil {
			return err
		}
		// From now on it is the run's own.
		overwrite = overwrite || path == o.checkpoint
		log.Debug("checkpoint written", "file", path, "frame", k.Frame.Frame, "bytes", file.Len(), "took", time.Since(began).Round(100*time.Microsecond))
		return nil
	}
}

// mismatchError puts into words what of a checkpoint is not as in this run.
func mismatchError(err error, path string) error {
	if mismatch := (*tracking.MismatchError)(nil); errors.As(err, &mismatch) {
		return ui.WithHint(ui.UsageError{Err: fmt.Errorf("%w: %s", mismatch, path)}, "give the input and the flags of the run that wrote it, and other outputs")
	}
	return nil
}
