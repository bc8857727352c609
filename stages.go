package carve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/tracking"
)

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
	if k := r.job.Restore; k != nil && r.read == 0 {
		if err := r.skip(ctx, k); errors.Is(err, io.EOF) {
			return nil, &tracking.MismatchError{Reason: fmt.Sprintf("it was written after frame %d, and the source has fewer", k.Frame.Frame)}
		} else if err != nil {
			return nil, err
		}
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
	r.markCheckpoint(it)
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
		it.takeCheckpoint(r.outputs)
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
	var err error
	if it.checkpoint != nil && it.waiting.Load() == 0 { // for no sink
		err = r.writeCheckpoint(it)
	}
	if len(r.outputs) == 0 || err != nil { // the report alone is wanted
		it.refs.Store(0)
		it.release()
	}
	return err
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
	it.checkpoint = nil
	it.decision = tracking.Explanation{Queries: queries}
	it.refs.Store(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spare = append(r.spare, it)
}
