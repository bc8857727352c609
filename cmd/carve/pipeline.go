package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A pipeline runs the stages of a film at the same time:
//
//	decode → prepare → model → refine → draw → encode
//
// Its memory is bounded by the source's pool of frames: decoding waits while
// all of them are in flight. Every later stage has one item waiting and one at
// work, more would only hold frames back.
type pipeline struct {
	source   *video.Source
	sink     *video.Sink
	prep     *video.Preparer
	tracker  *tracking.Tracker
	painter  *painter
	colours  [][3]uint8
	progress *progress
	stop     <-chan struct{}                      // closed when no more frames shall be read
	observe  func(index int64, found []car.Found) // told of every frame, unless nil
	limit    int64                                // frames to read; 0 is all

	line     *line
	read     int64         // frames so far; of the decoding stage alone
	start    time.Duration // time of the first frame
	stopped  bool          // by stop
	found    []int64       // frames in which each query was found
	presence []float32     // the highest of each query
	spare    chan *car.Result
}

// A job is one frame on its way.
type job struct {
	frame  *video.Frame
	image  car.Image
	step   *tracking.Step
	result *car.Result
	shown  []car.Found // the part of result that has pixels
}

func (j *job) release() {
	if j.step != nil {
		j.step.Close()
	}
	j.frame.Release()
}

// run takes all frames through the stages. It returns when every stage has
// ended; the sink is not finished.
func (p *pipeline) run(ctx context.Context) error {
	const depth = 1
	p.found, p.presence = make([]int64, len(p.tracker.Queries)), make([]float32, len(p.tracker.Queries))
	p.spare = make(chan *car.Result, 2*depth+4) // finished results, to be used again
	p.line = newLine(ctx)
	l := p.line
	release := (*job).release

	decoded := begin(l, "decode", 2*depth, release, p.decode)
	prepared := then(l, "prepare", decoded, depth, release, release, owned(p.prepare))
	judged := then(l, "model", prepared, depth, release, release, owned(p.judge))
	refined := then(l, "refine", judged, depth, release, release, owned(p.refine))
	drawn := then(l, "draw", refined, depth, release, release, owned(p.draw))
	finish(l, "encode", drawn, release, p.encode)
	return l.wait()
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

func (p *pipeline) decode(ctx context.Context) (*job, error) {
	select {
	case <-p.stop:
		p.stopped = true
		return nil, errDone
	default:
	}
	if p.limit > 0 && p.read == p.limit {
		return nil, errDone
	}
	frame, err := p.source.Read(ctx)
	if errors.Is(err, io.EOF) {
		return nil, errDone
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

func (p *pipeline) prepare(_ context.Context, j *job) error {
	picture, err := p.prep.Prepare(j.frame)
	j.image = car.Image{Pix: picture.Pix, W: picture.W, H: picture.H}
	return err
}

func (p *pipeline) judge(ctx context.Context, j *job) (err error) {
	j.step, err = p.tracker.Step(ctx, &j.image)
	return err
}

func (p *pipeline) refine(ctx context.Context, j *job) error {
	select {
	case j.result = <-p.spare:
	default:
		j.result = new(car.Result)
	}
	err := p.tracker.Segmenter.RefineInto(ctx, j.step.Scene, j.step.Outcome, j.result)
	j.step.Close()
	j.step = nil
	j.shown = visible(j.result)
	return err
}

func (p *pipeline) draw(_ context.Context, j *job) error {
	return p.painter.draw(j.frame, j.shown, j.result.W, j.result.H, p.colours)
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

func (p *pipeline) encode(ctx context.Context, j *job) error {
	defer j.frame.Release()
	if err := p.sink.Encode(ctx, j.frame); err != nil {
		return err
	}
	var present []string
	for _, f := range j.shown {
		p.found[f.Query]++
		present = append(present, f.Label)
	}
	for _, v := range j.result.Verdicts {
		p.presence[v.Query] = max(p.presence[v.Query], v.Presence)
	}
	if p.observe != nil {
		p.observe(j.frame.Index, j.shown)
	}
	select {
	case p.spare <- j.result:
	default:
	}
	p.progress.frame(j.frame.Time(), time.Since(p.line.begun), present)
	return nil
}
