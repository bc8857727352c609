package carve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// ErrNoFrames is the error of a run whose source had no frame, or none after a checkpoint.
var ErrNoFrames = errors.New("the source has no frames left")

// ErrBegun is the error of a run whose source has been read from before: the run would
// lack the first frames.
var ErrBegun = errors.New("the source of the job has been read from already")

// ErrBusy is the error of a run whose segmenter is in use.
var ErrBusy = errors.New("the segmenter is in use by another run")

// claimed holds the segmenters in use. A segmenter has buffers for one run at a time.
var claimed sync.Map

func claim(s *car.Segmenter) error {
	if _, taken := claimed.LoadOrStore(s, true); taken {
		return ErrBusy
	}
	return nil
}

func release(s *car.Segmenter) { claimed.Delete(s) }

// ErrStopped is the error of a run that was stopped before its first frame was finished.
// There is no output then.
var ErrStopped = errors.New("stopped before the first frame")

// Run does a job. It returns when every goroutine that it started has ended. If everything
// succeeds the outputs are committed; after an error no output remains.
//
// If ctx ends, the run ends without output, and the error is the cause of ctx. To end a run
// early and keep its output, use [Job.Stop].
func Run(ctx context.Context, job Job) (*Report, error) {
	r, err := newRun(job)
	if err != nil {
		return nil, err
	}
	defer r.prep.Close()
	if err := claim(job.Segmenter); err != nil {
		return nil, err
	}
	defer release(job.Segmenter)
	defer r.outputs.close()
	err = r.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause // even after the last frame
	}
	if err == nil {
		err = r.outputs.commit(job.Commit)
	}
	if err != nil {
		return nil, err
	}
	return r.report(), nil
}

// run does everything except committing the outputs.
func (r *run) run(ctx context.Context) error {
	if err := r.outputs.open(ctx, r.stream()); err != nil {
		return err
	}
	if err := r.session.Initialize(ctx); err != nil {
		return err
	}
	if k := r.job.Restore; k != nil {
		if err := r.session.Restore(k); err != nil {
			return err
		}
		r.prefetcher.Restore(k)
		if err := r.outputs.restore(k); err != nil {
			return err
		}
		r.lastMark = k.Frame
		if source, ok := r.job.Source.(interface{ SkipCopies(time.Duration) }); ok {
			source.SkipCopies(k.Frame.Time)
		}
	}
	r.job.Control.setRunning(true)
	defer r.job.Control.setRunning(false)
	defer r.interruptOnStop()()
	if err := r.stages(ctx); err != nil {
		return err
	}
	switch {
	case r.tally.Frames > 0:
		return nil
	case r.tally.Stopped:
		return ErrStopped
	}
	return ErrNoFrames
}

// interruptOnStop calls the source's Interrupt, if it has one, when [Job.Stop] is closed,
// because its Next may be waiting for input. The caller must call end when the run is over.
func (r *run) interruptOnStop() (end func()) {
	source, ok := r.job.Source.(interface{ Interrupt() })
	if !ok || r.job.Stop == nil {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-r.job.Stop:
			source.Interrupt()
		case <-over:
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// A run is the state of one call of Run. Each stage is a goroutine, and the fields belong to
// one stage each, unless they say otherwise.
type run struct {
	job        Job
	tracking   Tracking
	session    *tracking.Session
	prefetcher *tracking.Prefetcher
	prep       *video.Preparer
	upsampler  *Upsampler
	outputs    outputs
	colours    [][3]uint8 // of the queries in bank
	bank       *car.Bank  // of the last frame that got layers

	line        *pipeline.Line
	read        int64           // number of frames decoded
	feedback    chan float64    // see tracking.Feedback; from propagate to track
	prefetching []*item         // items whose analysis the prefetcher holds back
	propagating []*item         // items whose step the propagator holds back
	lastMark    tracking.Moment // the last frame that was marked for a checkpoint
	tracked     *item           // the item that track works on
	tally       tally

	mu    sync.Mutex
	spare []*item // for reuse, under mu
}

// newRun checks a job and prepares its run. It starts nothing and opens no sink.
func newRun(job Job) (*run, error) {
	if err := job.check(); err != nil {
		return nil, err
	}
	if _, err := Colours(job.Queries); err != nil {
		return nil, err
	}
	if job.Control == nil {
		job.Control = new(Control)
	}
	var err error
	if job.Restore != nil {
		if job.Queries, err = job.Restore.Numbered(job.Queries); err != nil {
			return nil, err
		}
		job.Control.restoreNumbering(job.Restore.Numbering)
	}
	if job.Queries, err = job.Control.begin(&job); err != nil {
		return nil, err
	}
	t := DefaultTracking()
	if job.Tracking != nil {
		t = *job.Tracking
	}
	if job.CheckpointEvery == (tracking.Interval{}) {
		job.CheckpointEvery = DefaultCheckpointEvery
	}
	job.MaxSide = cmp.Or(job.MaxSide, job.Segmenter.Preset().MaxSide, DefaultMaxSide)
	info := job.Source.Info()
	r := &run{
		job: job, tracking: t,
		session:    t.Session(job.Segmenter, job.Queries, job.Threads),
		prefetcher: t.prefetcher(job.Segmenter),
		feedback:   make(chan float64, 4), // each value is read one key frame later
		prep:       &video.Preparer{Info: info, MaxSide: job.MaxSide},
		upsampler:  &Upsampler{Info: info, Overlap: job.Segmenter.Preset().Overlap, Threads: job.Threads},
		outputs:    newOutputs(job.Sinks),
	}
	r.session.Tracker.Explain = r.explain
	if err := r.prep.Initialize(); err != nil {
		return nil, fmt.Errorf("preparing frames of %s: %w", info.Path, err)
	}
	if w, h := r.prep.Size(); job.Restore != nil && (w != job.Restore.W || h != job.Restore.H) {
		r.prep.Close()
		return nil, &tracking.MismatchError{Reason: fmt.Sprintf("its frames have %dx%d pixels for the model, and those of the source %dx%d", job.Restore.W, job.Restore.H, w, h)}
	}
	job.Source.Reserve(t.Held() + 1)
	return r, nil
}

func (r *run) stream() *Stream {
	w, h := r.prep.Size()
	return &Stream{Source: r.job.Source, Info: r.job.Source.Info(), Queries: r.job.Queries, Width: w, Height: h,
		Threads: cmp.Or(r.job.Threads, runtime.GOMAXPROCS(0))}
}

// stages runs all stages, and returns when every one has ended.
//
// After the first stage, each channel holds one waiting frame; more would only add memory.
// Sinks have no waiting frames, because masks at the size of the video take most of the
// memory.
func (r *run) stages(ctx context.Context) error {
	const depth = 1
	r.line = pipeline.New(ctx)
	l := r.line
	free := (*item).release

	decoded := pipeline.Produce(l, "decode", 2*depth, free, r.decode)
	prepared := pipeline.Map(l, "prepare", decoded, depth, free, releaseOnError(r.prepare))
	analyzed := pipeline.Map(l, "motion", prepared, depth, free, releaseOnError(r.analyzeMotion))
	prefetched := pipeline.Buffer(l, "prefetch", analyzed, depth, free, r.prefetch, r.flushPrefetch)
	tracked := pipeline.Map(l, "track", prefetched, depth, free, releaseOnError(r.track))
	propagated := pipeline.Buffer(l, "propagate", tracked, depth, free, r.propagate, r.flushPropagate)
	branches := pipeline.Tee(l, "layers", propagated, free, r.outputs.branches(), r.makeLayers)
	for i, o := range r.outputs {
		pipeline.Consume(l, o.name, branches[i], o.write)
	}
	return l.Wait()
}

// report sums up the run.
func (r *run) report() *Report {
	report := r.tally.Report
	report.Elapsed = r.line.Elapsed()
	for _, s := range r.line.Stages() {
		report.Stages = append(report.Stages, StageReport{s.Name(), s.Items(), s.Busy(), s.Waiting(), s.Blocked(), s.Queue()})
	}
	for _, o := range r.outputs {
		report.Sinks = append(report.Sinks, SinkReport{o.name, o.written, o.dropped, o.err})
	}
	return &report
}
