package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
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
	if err := o.applyJob(fs); err != nil {
		return err
	}
	if err := o.check(fs.Args()); err != nil {
		return o.fromJob.located(err)
	}
	if o.saveJob != "" {
		return o.fromJob.located(o.writeJob(fs, stdout, stderr))
	}
	summary, err := segment(&o, stdout, stderr)
	if summary != nil {
		summary.print(&o, stdout, stderr)
	}
	return o.fromJob.located(err)
}

// segment does what the options say. All mistakes that can be found before the first
// frame are found then, the cheapest checks first: the queries, the names of the outputs,
// the input, the encoding, the models. A summary is returned if a file was written.
func segment(o *segmentOptions, stdout, stderr io.Writer) (*summary, error) {
	log := o.newLog(stderr)
	video.SetLog(log)
	defer video.SetLog(nil)

	queries, preset, err := o.plan(log)
	if err != nil {
		return nil, err
	}
	in, err := o.openInput(log, preset, len(queries))
	if err != nil {
		return nil, err
	}
	defer in.source.Close()
	outputs, err := o.tryOutputs(in, queries, log)
	if err != nil {
		return nil, err
	}
	m, err := openModels(&o.runOptions, queries, preset, stderr, log)
	if err != nil {
		return nil, err
	}
	defer m.Close()

	// Outputs that are pipes wait for their readers here, while Ctrl-C still ends the
	// process. Later it would only request the end of the run.
	for _, path := range o.pipes() {
		release, err := atomicfile.AwaitReader(path)
		if err != nil {
			return nil, outputError(err)
		}
		defer release()
	}
	// From here on, the first signal finishes the frames in flight. Handlers are installed
	// after the models are open, because ONNX Runtime's CUDA provider replaces handlers that
	// were installed before.
	ctx, stop, release := handleSignals(log)
	defer release()
	defer keepHeapSmall()()

	memory := o.tracking(in.budget.plan.Rate)
	fitBatch(&memory, m.device, in.budget.plan.frames)
	progress := &progress{Progress: ui.NewProgress(o.progressMode(), in.source.Info().Frames, stdout, stderr)}
	began := time.Now()
	report, err := carve.Run(ctx, carve.Job{
		Source: in.source, Segmenter: m.segmenter, Queries: queries, Sinks: o.sinks(outputs, progress, in.overwrite),
		Tracking: &memory, MaxSide: o.side(preset, m.device), Threads: o.threads, Limit: o.limit, Stop: stop,
		Checkpoint: o.checkpointWriter(in.overwrite, o.inputs(), log), CheckpointEvery: o.checkpointEvery, Restore: o.from,
		Commit: func(name func() error) error { return o.commit(outputs, name) },
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
	s := newSummary(o.specs, report, time.Since(began), lost(o.specs, outputs))
	return s, s.outcome(o, report, in.source)
}

// plan reads what the command line names, besides the input, and checks it: the queries, the
// preset, the names of the outputs, and the checkpoint to go on from.
func (o *segmentOptions) plan(log *slog.Logger) (queries []car.Query, preset car.Preset, err error) {
	if queries, preset, err = o.planTexts(log); err != nil {
		return nil, preset, err
	}
	o.expandOutputs(o.input, queries)
	if err := o.planOutputs(log, o.overwrite); err != nil {
		return nil, preset, err
	}
	if err := o.readCheckpoint(); err != nil {
		return nil, preset, err
	}
	if o.from != nil {
		if _, err := o.from.Numbered(queries); err != nil {
			return nil, preset, mismatchError(err, o.restore)
		}
	}
	return queries, preset, nil
}

// planTexts is the part of plan that reads texts only.
func (o *segmentOptions) planTexts(log *slog.Logger) (queries []car.Query, preset car.Preset, err error) {
	if queries, err = o.readQueries(log); err != nil {
		return nil, preset, err
	}
	if _, err := queryColours(queries); err != nil {
		return nil, preset, err
	}
	if preset, err = o.presetFor(); err != nil {
		return nil, preset, err
	}
	if len(o.specs) == 0 { // the caller has set the path alone
		if err := o.parseOutputs(); err != nil {
			return nil, preset, err
		}
	}
	return queries, preset, o.checkConcepts(queries)
}

// sinks returns the sinks of a run.
func (o *segmentOptions) sinks(outputs []carve.Sink, p *progress, overwrite bool) []carve.Sink {
	sinks := slices.Clone(outputs)
	if o.explain != "" {
		sinks = append(sinks, &carve.Decisions{Path: o.explain, Overwrite: overwrite, Protect: o.inputs()})
	}
	return append(append(sinks, p), o.observers...)
}

// An input is the opened source of a run, and what depends on it.
type input struct {
	source    *video.Source
	log       *slog.Logger
	budget    *budget
	overwrite bool     // files that exist may be replaced
	protect   []string // files that are never replaced
}

// openInput opens the source within the bound of memory, and checks whether the outputs
// fit it.
func (o *segmentOptions) openInput(log *slog.Logger, preset car.Preset, queries int) (_ *input, err error) {
	if err := o.limitThreads(processCapacity(), log); err != nil {
		return nil, err
	}
	in := &input{log: log, budget: o.budget(o.side(preset, o.device), queries), overwrite: o.overwrite}
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
	log.Debug("memory: " + in.budget.plan.String())
	if in.source.Info().Playlist {
		// The run will read the files that it names, which are not known beforehand.
		in.overwrite = false
		if err := o.planOutputs(log, in.overwrite); err != nil {
			return nil, ui.WithHint(err, playlistHint)
		}
	}
	for _, s := range o.encoded() {
		if err := video.CheckOutput(s.Path, s.format(), s.encoding().Encoder, in.source.Info()); err != nil {
			return nil, o.fromJob.lined(s.line, ui.UsageError{Err: outputError(err)}) // it is about names on the command line
		}
		if err := s.checkEncoderPreset(in.source.Info()); err != nil {
			return nil, o.fromJob.lined(s.line, err)
		}
		if o.strict && !s.encoding().videoOnly {
			if err := strictError(s.Path, video.Losses(s.Path, s.format(), in.source)); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

// tryOutputs makes the sinks of the outputs, and tests encoders, files and folders before
// models are opened or downloaded. What it creates for the test is removed, even if the user
// interrupts it.
func (o *segmentOptions) tryOutputs(in *input, queries []car.Query, log *slog.Logger) (sinks []carve.Sink, err error) {
	ctx, release := interruptible()
	defer release()
	in.protect = o.inputs()
	stream := &carve.Stream{Source: in.source, Info: in.source.Info(), Queries: queries, Threads: 1}
	for i := range o.specs {
		s := &o.specs[i]
		if trial, ok := s.keys.sink(s.Path, in).(trier); ok {
			err = trial.Try(ctx, stream)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ui.InterruptedError{}
		case err != nil:
			return nil, outputError(err)
		}
		sinks = append(sinks, s.keys.sink(s.Path, in))
	}
	for _, s := range o.encoded() {
		o.warnUnused(s, log, in.source.Info())
	}
	return sinks, nil
}

// pipes are the outputs that may be pipes.
func (o *segmentOptions) pipes() []string {
	paths := []string{o.explain}
	for _, s := range o.specs {
		if _, folder := s.keys.(folderOutput); !folder {
			paths = append(paths, s.Path)
		}
	}
	return paths
}

// A loss is something of the input that some of the outputs do not have.
type loss struct {
	video.Loss
	outputs []string // their paths
}

// lost returns what of the input the outputs do not have.
func lost(specs []output, sinks []carve.Sink) (list []loss) {
	for i, s := range sinks {
		s, ok := s.(losing)
		if !ok {
			continue
		}
		for _, l := range s.Lost() {
			k := slices.IndexFunc(list, func(other loss) bool { return other.What() == l.What() && lossReason(other.Loss) == lossReason(l) })
			if k < 0 {
				list = append(list, loss{Loss: l})
				k = len(list) - 1
			}
			list[k].outputs = append(list[k].outputs, specs[i].Path)
		}
	}
	return list
}

// runError adds context and a hint to the error of a run.
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
	err = fmt.Errorf("segmenting %s: %w", o.input, err)
	if errors.Is(err, syscall.EPIPE) {
		return ui.WithHint(err, "the program that reads the output has ended or closed it")
	}
	return err
}

// keepHeapSmall collects garbage when the heap has grown by a tenth, not only when it has
// doubled. Frames reuse the memory of earlier ones, so there is very little to collect,
// and a heap that doubles once an hour looks like a leak. GOGC takes precedence if it is
// set. Call undo to restore the old setting.
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
	case errors.Is(err, video.ErrEmpty) && isStdin(path):
		return ui.WithHint(err, "nothing was piped in: the program before carve may have failed")
	case errors.Is(err, video.ErrNotMedia) && isPipe(path):
		return ui.WithHint(err, "a pipe needs a container, such as nut, matroska, mpegts or yuv4mpegpipe: raw frames do not say what they are")
	case errors.Is(err, video.ErrNoFrame) && isPipe(path):
		return ui.WithHint(err, "an MP4 or MOV file with its index at the end needs seeking: name the file, or write it with -movflags +faststart")
	case errors.Is(err, video.ErrNotFound) && strings.Contains(path, "://"):
		return ui.WithHint(err, "carve reads local files and pipes, and does not read URLs yet")
	case errors.Is(err, video.ErrNoVideo):
		return ui.WithHint(err, "carve needs a video stream or an image")
	case errors.Is(err, video.ErrColours):
		return ui.WithHint(err, "convert it to BT.709 or BT.2020 first, for instance with FFmpeg's filter libplacebo")
	case errors.Is(err, video.ErrPlaylist):
		return ui.WithHint(err, "carve segment and carve try open it with --allow-playlists")
	case errors.Is(err, video.ErrIsDirectory):
		return ui.WithHint(err, "name a file in it; ffmpeg can make a video of several images")
	}
	return err
}
