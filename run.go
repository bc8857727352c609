package carve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// ErrNoFrames says that the source had no frame, or none any more.
var ErrNoFrames = errors.New("the source has no frames left")

// ErrBegun says that the source has been read from before: the run would lack its
// beginning.
var ErrBegun = errors.New("the source of the job has been read from already")

// ErrBusy says that another run has the segmenter.
var ErrBusy = errors.New("the segmenter is in use by another run")

// claimed are the segmenters that runs have: they keep memory that is for one run.
var claimed sync.Map

func claim(s *car.Segmenter) error {
	if _, taken := claimed.LoadOrStore(s, true); taken {
		return ErrBusy
	}
	return nil
}

func release(s *car.Segmenter) { claimed.Delete(s) }

// ErrStopped says that a run was stopped before its first frame was done: there is no
// output.
var ErrStopped = errors.New("stopped before the first frame")

// Run does a job, and returns when all that it started has ended. Outputs are committed
// when everything has succeeded; after an error none of them is there.
//
// When ctx ends the run is given up, and the error is its cause. [Job.Stop] ends it with
// what was done until then.
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
		err = cause // a run that is given up at its last frame leaves nothing either
	}
	if err == nil {
		err = r.outputs.commit(job.Commit)
	}
	if err != nil {
		return nil, err
	}
	return r.report(), nil
}

// run does everything but to commit the outputs.
func (r *run) run(ctx context.Context) error {
	if err := r.outputs.open(ctx, r.stream()); err != nil {
		return err
	}
	if err := r.session.Initialize(ctx); err != nil {
		return err
	}
	r.job.Control.run(true)
	defer r.job.Control.run(false)
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

// interruptOnStop tells the source when the run is to stop, since it may wait for bytes.
// What it returns ends that.
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

// A run takes the frames of a source through the stages, all at the same time.
type run struct {
	job        Job
	tracking   Tracking
	session    *tracking.Session
	prefetcher *tracking.Prefetcher
	prep       *video.Preparer
	upsampler  *Upsampler
	outputs    outputs
	colours    [][3]uint8 // of the queries of bank
	bank       *car.Bank  // of the last frame that was finished

	line        *pipeline.Line
	read        int64        // frames so far; of the decoding stage alone
	feedback    chan float64 // of key frames, from propagate to track
	prefetching []*item      // with an analysis that the prefetcher holds
	propagating []*item      // with a step that the propagator holds
	judged      *item        // in hand in the tracking stage
	tally       tally

	mu    sync.Mutex
	spare []*item
}

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
	if job.Queries, err = job.Control.begin(&job); err != nil {
		return nil, err
	}
	t := DefaultTracking()
	if job.Tracking != nil {
		t = *job.Tracking
	}
	job.MaxSide = cmp.Or(job.MaxSide, job.Segmenter.Preset().MaxSide, DefaultMaxSide)
	info := job.Source.Info()
	r := &run{
		job: job, tracking: t,
		session:    t.Session(job.Segmenter, job.Queries, job.Threads),
		prefetcher: t.prefetcher(job.Segmenter),
		feedback:   make(chan float64, 4), // one is read a key frame later
		prep:       &video.Preparer{Info: info, MaxSide: job.MaxSide},
		upsampler:  &Upsampler{Info: info, Overlap: job.Segmenter.Preset().Overlap, Threads: job.Threads},
		outputs:    newOutputs(job.Sinks),
	}
	r.session.Tracker.Explain = r.explain
	if err := r.prep.Initialize(); err != nil {
		return nil, fmt.Errorf("preparing frames of %s: %w", info.Path, err)
	}
	job.Source.Reserve(t.Held() + 1)
	return r, nil
}

func (r *run) stream() *Stream {
	w, h := r.prep.Size()
	return &Stream{Source: r.job.Source, Info: r.job.Source.Info(), Queries: r.job.Queries, Width: w, Height: h,
		Threads: cmp.Or(r.job.Threads, runtime.GOMAXPROCS(0))}
}

// stages takes all frames through. It returns when every stage has ended.
//
// Every later stage than the first has one frame waiting and one at work: more would
// only hold frames back. Sinks have none waiting, since masks at the source's size are
// what takes most memory.
func (r *run) stages(ctx context.Context) error {
	const depth = 1
	r.line = pipeline.New(ctx)
	l := r.line
	free := (*item).release

	decoded := pipeline.Produce(l, "decode", 2*depth, free, r.decode)
	prepared := pipeline.Map(l, "prepare", decoded, depth, free, owned(r.prepare))
	analyzed := pipeline.Map(l, "motion", prepared, depth, free, owned(r.analyzeMotion))
	prefetched := pipeline.Buffer(l, "prefetch", analyzed, depth, free, r.prefetch, r.flushPrefetch)
	tracked := pipeline.Map(l, "track", prefetched, depth, free, owned(r.track))
	propagated := pipeline.Buffer(l, "propagate", tracked, depth, free, r.propagate, r.flushPropagate)
	branches := pipeline.Tee(l, "layers", propagated, free, r.outputs.branches(), r.finish)
	for i, o := range r.outputs {
		pipeline.Consume(l, o.name, branches[i], o.write)
	}
	return l.Wait()
}

// owned makes a stage out of work on an item: when that fails the item ends there.
func owned(work func(context.Context, *item) error) func(context.Context, *item) (*item, error) {
	return func(ctx context.Context, it *item) (*item, error) {
		if err := work(ctx, it); err != nil {
			it.release()
			return nil, err
		}
		return it, nil
	}
}

func (r *run) decode(ctx context.Context) (*item, error) {
	if r.stopping() || r.job.Limit > 0 && r.read == r.job.Limit {
		return nil, pipeline.ErrDone
	}
	picture, err := r.job.Source.Next(ctx)
	if errors.Is(err, io.EOF) {
		r.stopping() // a pipe that was broken off is at its end
		return nil, pipeline.ErrDone
	}
	if err != nil {
		return nil, err
	}
	r.read++
	it := r.take()
	it.Index, it.Time, it.Picture = picture.Index, picture.Time(), picture
	return it, nil
}

// stopping reports, and notes, whether the run is to end here.
func (r *run) stopping() bool {
	select {
	case <-r.job.Stop:
		r.tally.Stopped = true
	default:
	}
	return r.tally.Stopped
}

func (r *run) prepare(_ context.Context, it *item) error {
	p, err := r.prep.Prepare(it.Picture)
	it.image = car.Image{Pix: p.Pix, W: p.W, H: p.H}
	return err
}

func (r *run) analyzeMotion(_ context.Context, it *item) error {
	it.analysis = r.session.Motion.Analyze(&it.image, it.Time)
	return nil
}

// look takes one item and gives those that may go on.
func (r *run) prefetch(ctx context.Context, it *item) ([]*item, error) {
	r.prefetching = append(r.prefetching, it)
	sights, err := r.prefetcher.Next(ctx, it.analysis)
	return first(&r.prefetching, len(sights)), err
}

// flushLook gives the items that are held after the last one.
func (r *run) flushPrefetch(ctx context.Context) ([]*item, error) {
	sights, err := r.prefetcher.Flush(ctx)
	return first(&r.prefetching, len(sights)), err
}

func (r *run) track(ctx context.Context, it *item) (err error) {
	r.judged = it
	if bank := r.job.Control.next.Swap(nil); bank != nil {
		if err := r.session.Tracker.SetQueries(bank); err != nil {
			return err
		}
	}
	it.step, err = r.session.Tracker.Step(ctx, it.analysis, r.readFeedback)
	return err
}

// explain is told by the tracker what it has decided in the frame at hand.
func (r *run) explain(x *tracking.Explanation) {
	d := &r.judged.decision
	queries := append(d.Queries[:0], x.Queries...)
	*d = *x
	d.Queries = queries
}

// readFeedback waits for the propagating stage to say how well masks fitted in the key frame
// before.
func (r *run) readFeedback(ctx context.Context) (float64, error) {
	select {
	case carried := <-r.feedback:
		return carried, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// propagate takes one item and returns those that are done.
func (r *run) propagate(ctx context.Context, it *item) ([]*item, error) {
	r.propagating = append(r.propagating, it)
	if it.step.Key && !r.tracking.Stateless {
		carried, err := r.session.Propagator.Refine(ctx, it.step)
		if err == nil { // or else Next returns the error
			select {
			case r.feedback <- carried:
			case <-ctx.Done():
			}
		}
	}
	steps, err := r.session.Propagator.Next(ctx, it.step)
	return r.collect(first(&r.propagating, len(steps))), err
}

// flushRefine gives the items that are held after the last one.
func (r *run) flushPropagate(context.Context) ([]*item, error) {
	done := r.collect(first(&r.propagating, len(r.session.Propagator.Flush())))
	for _, it := range r.propagating { // where carrying failed
		it.release()
	}
	r.propagating = nil
	return done, nil
}

// settle takes from steps what they came to, and closes them.
func (r *run) collect(done []*item) []*item {
	for _, it := range done {
		it.Result, it.Instances, it.bank = it.step.Result, it.step.Instances, it.step.Bank
		it.step.Close()
		it.step, it.analysis = nil, nil
	}
	return done
}

// finish makes of a result what sinks are given.
func (r *run) finish(_ context.Context, it *item) error {
	if it.bank != r.bank {
		colours, err := Colours(it.bank.Queries())
		if err != nil {
			it.release()
			return err
		}
		r.bank, r.colours = it.bank, colours
		r.tally.set(it.bank.Queries())
	}
	it.Queries = it.bank.Queries()
	it.Layers = appendLayers(it.Layers[:0], it.Result, it.Instances, r.colours)
	if r.outputs.wantMasks() {
		if err := r.upsampler.Masks(it.Picture, it.Layers, it.Result.W, it.Result.H); err != nil {
			it.release()
			return err
		}
	}
	it.Decision = &it.decision
	for q := range it.decision.Queries {
		it.decision.Queries[q].Shown = &answers[0]
		if shows(it.Layers, q) {
			it.decision.Queries[q].Shown = &answers[1]
		}
	}
	r.tally.add(&it.Frame)
	it.refs.Store(int32(len(r.outputs)))
	if len(r.outputs) == 0 { // the report alone is wanted
		it.release()
	}
	return nil
}

// answers are what [tracking.QueryExplanation.Shown] points to: no and yes.
var answers = [2]bool{false, true}

// first takes the first n items out of a list.
func first(list *[]*item, n int) []*item {
	done := slices.Clone((*list)[:n])
	*list = slices.Delete(*list, 0, n)
	return done
}

// take returns an item without a frame.
func (r *run) take() *item {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.spare); n > 0 {
		it := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return it
	}
	return &item{run: r}
}

// keep takes back an item whose frame has ended, for the next.
func (r *run) recycle(it *item) {
	layers, queries := it.Layers[:0], it.decision.Queries[:0]
	it.Frame, it.image, it.bank, it.analysis, it.step = Frame{Layers: layers}, car.Image{}, nil, nil, nil
	it.decision = tracking.Explanation{Queries: queries}
	it.refs.Store(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spare = append(r.spare, it)
}

// report is what the run came to.
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
