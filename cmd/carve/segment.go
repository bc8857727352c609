package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/video"
)

func runSegment(args []string, stdout, stderr io.Writer) error {
	var o segmentOptions
	fs := newSegmentFlags(&o)
	if err := parse(fs, args, segmentHelp, stdout); err != nil {
		return err
	}
	if err := o.check(fs.Args()); err != nil {
		return err
	}
	summary, err := segment(&o, stdout, stderr)
	if summary != nil {
		summary.print(&o, stdout, stderr)
	}
	return err
}

// segment does what the options say. Everything that can be known to be wrong is
// looked at before the first frame is worked on, the cheapest first: the words, the
// names of the outputs, the input, what is to be encoded, the models. A summary is
// returned when a file was written.
func segment(o *segmentOptions, stdout, stderr io.Writer) (*summary, error) {
	log := o.newLog(stderr)
	video.SetLog(log)
	defer video.SetLog(nil)

	queries, err := o.readQueries(log)
	if err != nil {
		return nil, err
	}
	if _, err := queryColours(queries); err != nil {
		return nil, err
	}
	preset, err := o.presetFor()
	if err != nil {
		return nil, err
	}
	if err := o.planOutputs(log, o.overwrite); err != nil {
		return nil, err
	}
	if err := o.readCheckpoint(); err != nil {
		return nil, err
	}
	if o.from != nil {
		if _, err := o.from.Numbered(queries); err != nil {
			return nil, mismatchError(err, o.restore)
		}
	}

	in, err := o.openInput(log, preset, len(queries))
	if err != nil {
		return nil, err
	}
	defer in.source.Close()
	output, err := o.tryOutput(in, log)
	if err != nil {
		return nil, err
	}
	m, err := openModels(&o.runOptions, queries, preset, stderr, log)
	if err != nil {
		return nil, err
	}
	defer m.Close()

	// A pipe without a reader is waited for while Ctrl-C ends the process by itself:
	// later it would only ask for an end.
	for _, path := range []string{o.output, o.explain} {
		release, err := atomicfile.AwaitReader(path)
		if err != nil {
			return nil, outputError(err)
		}
		defer release()
	}
	// What a first signal asks for is another thing from here on. ONNX Runtime's CUDA
	// provider replaces the handlers that stood before its sessions were made.
	ctx, stop, release := handleSignals(log)
	defer release()
	defer keepHeapSmall()()

	memory := o.tracking(in.budget.spent.Rate)
	fitBatch(&memory, m.device, in.budget.spent.frames)
	progress := &progress{Progress: ui.NewProgress(o.progressMode(), in.source.Info().Frames, stdout, stderr)}
	began := time.Now()
	report, err := carve.Run(ctx, carve.Job{
		Source: in.source, Segmenter: m.segmenter, Queries: queries, Sinks: o.sinks(output, progress, in.overwrite),
		Tracking: &memory, MaxSide: o.side(preset, m.device), Threads: o.threads, Limit: o.limit, Stop: stop,
		Checkpoint: o.checkpointWriter(in.overwrite, o.inputs(), log), CheckpointEvery: o.checkpointEvery, Restore: o.from,
		Commit: func(name func() error) error { return o.commit(&output.Output, name) },
	})
	progress.Done()
	if err != nil {
		return nil, o.runError(err)
	}
	if o.verbose && !o.quiet && o.logFormat != "json" { // the summary has it as JSON
		if err := report.PrintStages(stderr); err != nil {
			return nil, err
		}
	}
	s := newSummary(o.output, report, time.Since(began), output.Output.Lost())
	return s, s.outcome(o, report, in.source)
}

// sinks are those of a run, in the order in which they are asked for a frame.
func (o *segmentOptions) sinks(output *carve.Overlay, p *progress, overwrite bool) []carve.Sink {
	sinks := []carve.Sink{output}
	if o.explain != "" {
		sinks = append(sinks, &carve.Decisions{Path: o.explain, Overwrite: overwrite, Protect: o.inputs()})
	}
	return append(append(sinks, p), o.observers...)
}

// An input is the opened source of a run, with what follows from it.
type input struct {
	source    *video.Source
	budget    *budget
	overwrite bool // files that exist may be replaced
}

// openInput opens the source within the memory that there is, and checks the
// outputs against it.
func (o *segmentOptions) openInput(log *slog.Logger, preset car.Preset, queries int) (_ *input, err error) {
	if err := o.settleThreads(roomHere(), log); err != nil {
		return nil, err
	}
	in := &input{budget: o.budget(o.side(preset, o.device), queries), overwrite: o.overwrite}
	in.source = &video.Source{Path: o.input, Strict: o.strict, Log: log, Afford: in.budget.afford,
		AllowPlaylists: o.allowPlaylists}
	if err := in.source.Initialize(); err != nil {
		return nil, inputError(err)
	}
	defer func() {
		if err != nil {
			in.source.Close()
		}
	}()
	log.Debug("memory: " + in.budget.spent.String())
	if in.source.Info().Playlist {
		// What it names is read by this run, and is not known beforehand.
		in.overwrite = false
		if err := o.planOutputs(log, in.overwrite); err != nil {
			return nil, ui.WithHint(err, playlistHint)
		}
	}
	if err := video.CheckOutput(o.output, o.encoder, in.source.Info()); err != nil {
		return nil, ui.UsageError{Err: outputError(err)} // it is about names
	}
	if err := o.checkEncoderPreset(in.source.Info()); err != nil {
		return nil, err
	}
	if o.strict {
		if err := strictly(o.output, video.Losses(o.output, in.source)); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// tryOutput makes the overlay of a run, and finds what is wrong with it before models are
// opened, or fetched. The file that it begins for that is gone again, even if the user
// stops it.
func (o *segmentOptions) tryOutput(in *input, log *slog.Logger) (*carve.Overlay, error) {
	output := &carve.Overlay{Output: video.Sink{Path: o.output, Source: in.source, Encoder: o.encoder, CRF: o.crf, Lossless: o.crf == 0,
		Preset: o.encoderPreset, Threads: in.budget.encoderThreads, Lookahead: in.budget.encoderAhead,
		Overwrite: in.overwrite, Protect: o.inputs(), Log: log}}
	ctx, release := interruptible()
	defer release()
	err := output.Output.Try()
	switch {
	case ctx.Err() != nil:
		return nil, ui.InterruptedError{}
	case err != nil:
		return nil, outputError(err)
	}
	o.warnIdle(log, in.source.Info())
	return output, nil
}

// runError is the error of a run that has begun.
func (o *segmentOptions) runError(err error) error {
	if mismatch := mismatchError(err, o.restore); mismatch != nil {
		return mismatch
	}
	var damage *video.DamageError
	var sink *carve.SinkError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, carve.ErrStopped):
		return ui.InterruptedError{}
	case errors.As(err, &sink) && sink.Op == "opening":
		return outputError(sink.Err)
	case errors.Is(err, models.ErrTooLong):
		return textError(err)
	case errors.As(err, &damage):
		return ui.WithHint(fmt.Errorf("reading %s: %w", o.input, err), "without --strict damaged frames are skipped and counted")
	}
	return fmt.Errorf("segmenting %s: %w", o.input, err)
}

// keepHeapSmall has the garbage collected when the heap has grown by a tenth, and
// not only when it has doubled: frames use the memory of those before, so that there
// is next to nothing to collect, and a heap that doubles once an hour looks like a
// leak. GOGC, where it is set, takes precedence. What it returns undoes it.
func keepHeapSmall() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(10)
	return func() { debug.SetGCPercent(before) }
}

func (o *segmentOptions) progressMode() string {
	if o.quiet && o.progress == "auto" {
		return "none"
	}
	return o.progress
}

func inputError(err error) error {
	if errors.Is(err, errMemory) {
		return err
	}
	path := ""
	if wrong := (*video.PathError)(nil); errors.As(err, &wrong) {
		path = wrong.Path
	}
	err = fmt.Errorf("opening input: %w", err)
	switch {
	case errors.Is(err, video.ErrNotFound) && path == "-":
		return ui.WithHint(err, "standard input is -i /dev/stdin")
	case errors.Is(err, video.ErrNotFound) && strings.Contains(path, "://"):
		return ui.WithHint(err, "carve reads files and pipes of this machine, and no URLs yet")
	case errors.Is(err, video.ErrNoVideo):
		return ui.WithHint(err, "carve needs a stream with pictures")
	case errors.Is(err, video.ErrPlaylist):
		return ui.WithHint(err, "carve segment and carve try open it with --allow-playlists")
	case errors.Is(err, video.ErrIsDirectory):
		return ui.WithHint(err, "name a file in it; several images become a clip with ffmpeg")
	}
	return err
}
