package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A filmRun takes the frames of a film through its stages, all at the same time:
//
//	decode → prepare → watch → look → model → refine → draw → encode
//
// Watching needs no state of the queries: motion is computed ahead while the model
// is busy. Nor does looking, where it is certain that a frame will be looked at.
// Refinement holds frames back, as many as the look-ahead says.
//
// Its memory is bounded by the source's pool of frames: decoding waits while
// all of them are in flight. Every later stage has one item waiting and one at
// work, more would only hold frames back.
type filmRun struct {
	source   *video.Source
	sink     *video.Sink
	prep     *video.Preparer
	session  *tracking.Session
	looker   *tracking.Looker
	painter  *painter
	colours  [][3]uint8
	progress *progress
	stop     <-chan struct{}                      // closed when no more frames shall be read
	observe  func(index int64, found []car.Found) // told of every frame, unless nil
	limit    int64                                // frames to read; 0 is all

	line     *pipeline.Line
	read     int64         // frames so far; of the decoding stage alone
	start    time.Duration // time of the first frame
	stopped  bool          // by stop
	found    []int64       // frames in which each query was found
	presence []float32     // the highest of each query
	things   []int         // the highest number of a thing of each; 0 where they have none
	looking  []*job        // whose sights the looker holds
	held     []*job        // whose steps the carrier holds
}

// A job is one frame on its way.
type job struct {
	frame  *video.Frame
	image  car.Image
	sight  *tracking.Sight
	step   *tracking.Step
	result *car.Result
	shown  []car.Found // the part of result that has pixels
	parts  []part      // what is drawn of it
}

func (j *job) release() {
	switch {
	case j.step != nil:
		j.step.Close() // the sight with it
	case j.sight != nil:
		j.sight.Close()
	}
	j.frame.Release()
}

// run takes all frames through the stages. It returns when every stage has
// ended; the sink is not finished.
func (p *filmRun) run(ctx context.Context) error {
	const depth = 1
	queries := len(p.session.Tracker.Queries)
	p.found, p.presence, p.things = make([]int64, queries), make([]float32, queries), make([]int, queries)
	p.line = pipeline.New(ctx)
	l := p.line
	release := (*job).release

	decoded := pipeline.Produce(l, "decode", 2*depth, release, p.decode)
	prepared := pipeline.Map(l, "prepare", decoded, depth, release, owned(p.prepare))
	watched := pipeline.Map(l, "watch", prepared, depth, release, owned(p.watch))
	looked := pipeline.Buffer(l, "look", watched, depth, release, p.look, p.flushLook)
	judged := pipeline.Map(l, "model", looked, depth, release, owned(p.judge))
	refined := pipeline.Buffer(l, "refine", judged, depth, release, p.refine, p.flush)
	drawn := pipeline.Map(l, "draw", refined, depth, release, owned(p.draw))
	pipeline.Consume(l, "encode", drawn, p.encode)
	return l.Wait()
}

// owned makes a stage out of work on a job: when that fails the job ends there.
func owned(work func(context.Context, *job) error) func(context.Context, *job) (*job, error) {
	return func(ctx context.Context, j *job) (*job, error) {
		if err := work(ctx, j); err != nil {
			j.release()
			return nil, err
		}
		return j, nil
	}
}

func (p *filmRun) decode(ctx context.Context) (*job, error) {
	select {
	case <-p.stop:
		p.stopped = true
		return nil, pipeline.ErrDone
	default:
	}
	if p.limit > 0 && p.read == p.limit {
		return nil, pipeline.ErrDone
	}
	frame, err := p.source.Read(ctx)
	if errors.Is(err, io.EOF) {
		select {
		case <-p.stop:
			p.stopped = true // a pipe that was broken off is at its end
		default:
		}
		return nil, pipeline.ErrDone
	}
	if err != nil {
		return nil, err
	}
	if frame.Index == 0 {
		p.start = frame.Time()
	}
	p.read++
	return &job{frame: frame}, nil
}

func (p *filmRun) prepare(_ context.Context, j *job) error {
	picture, err := p.prep.Prepare(j.frame)
	j.image = car.Image{Pix: picture.Pix, W: picture.W, H: picture.H}
	return err
}

func (p *filmRun) watch(_ context.Context, j *job) error {
	j.sight = p.session.Watcher.Watch(&j.image, j.frame.Time())
	return nil
}

// look takes one job and gives those that may go on.
func (p *filmRun) look(ctx context.Context, j *job) ([]*job, error) {
	p.looking = append(p.looking, j)
	sights, err := p.looker.Next(ctx, j.sight)
	return p.looked(len(sights)), err
}

// flushLook gives the jobs that are held after the last one.
func (p *filmRun) flushLook(ctx context.Context) ([]*job, error) {
	sights, err := p.looker.Flush(ctx)
	return p.looked(len(sights)), err
}

// looked gives the first n of the jobs that the looker held.
func (p *filmRun) looked(n int) []*job {
	done := slices.Clone(p.looking[:n])
	p.looking = slices.Delete(p.looking, 0, n)
	return done
}

func (p *filmRun) judge(ctx context.Context, j *job) (err error) {
	j.step, err = p.session.Tracker.Step(ctx, j.sight)
	return err
}

// refine takes one job and gives those that are done.
func (p *filmRun) refine(ctx context.Context, j *job) ([]*job, error) {
	p.held = append(p.held, j)
	steps, err := p.session.Carrier.Next(ctx, j.step)
	return p.let(len(steps)), err
}

// flush gives the jobs that are held after the last one.
func (p *filmRun) flush(context.Context) ([]*job, error) {
	done := p.let(len(p.session.Carrier.Flush()))
	for _, j := range p.held { // where carrying failed
		j.release()
	}
	p.held = nil
	return done, nil
}

// let gives the first n of the held jobs, with what they came to.
func (p *filmRun) let(n int) []*job {
	done := slices.Clone(p.held[:n])
	p.held = slices.Delete(p.held, 0, n)
	for _, j := range done {
		j.result = j.step.Result
		j.shown = visible(j.result)
		j.parts = partsOf(j.shown, j.step.Instances, p.colours, j.result.W, j.result.H)
		j.step.Close()
		j.step, j.sight = nil, nil
	}
	return done
}

func (p *filmRun) draw(_ context.Context, j *job) error {
	return p.painter.draw(j.frame, j.parts, j.result.W, j.result.H)
}

// visible leaves out queries that were kept and won no pixel.
func visible(r *car.Result) []car.Found {
	shown := r.Found[:0:0]
	for _, f := range r.Found {
		if f.Area > 0 {
			shown = append(shown, f)
		}
	}
	return shown
}

func (p *filmRun) encode(ctx context.Context, j *job) error {
	defer j.frame.Release()
	if err := p.sink.Encode(ctx, j.frame); err != nil {
		return err
	}
	var present []string
	for _, f := range j.shown {
		p.found[f.Query]++
	}
	for _, f := range j.parts {
		present = append(present, f.label)
		p.things[f.query] = max(p.things[f.query], f.id)
	}
	for _, v := range j.result.Verdicts {
		p.presence[v.Query] = max(p.presence[v.Query], v.Presence)
	}
	if p.observe != nil {
		p.observe(j.frame.Index, j.shown)
	}
	p.session.Carrier.Recycle(j.result)
	p.progress.frame(j.frame.Time(), p.line.Elapsed(), present)
	return nil
}
