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

// releaseOnError makes a stage of a function on an item. If it fails, the item is released.
func releaseOnError(work func(context.Context, *item) error) func(context.Context, *item) (*item, error) {
	return func(ctx context.Context, it *item) (*item, error) {
		if err := work(ctx, it); err != nil {
			it.release()
			return nil, err
		}
		return it, nil
	}
}

// decode reads the next frame of the source.
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
	frame, err := r.job.Source.Next(ctx)
	if errors.Is(err, io.EOF) {
		r.stopping() // a source that was interrupted also returns io.EOF
		return nil, pipeline.ErrDone
	}
	if err != nil {
		return nil, err
	}
	r.read++
	it := r.takeItem()
	it.Index, it.Time, it.Decoded = frame.Index, frame.Time(), frame
	return it, nil
}

// stopping reports whether [Job.Stop] is closed, and notes it in the report.
func (r *run) stopping() bool {
	select {
	case <-r.job.Stop:
		r.tally.Stopped = true
	default:
	}
	return r.tally.Stopped
}

// prepare makes the image that the model sees.
func (r *run) prepare(_ context.Context, it *item) error {
	p, err := r.prep.Prepare(it.Decoded)
	it.image = car.Image{Pix: p.Pix, W: p.W, H: p.H}
	return err
}

// analyzeMotion computes the motion since the last frame.
func (r *run) analyzeMotion(_ context.Context, it *item) error {
	it.analysis = r.session.Motion.Analyze(&it.image, it.Time)
	r.markCheckpoint(it)
	return nil
}

// prefetch takes one item, and returns those that the prefetcher no longer holds back.
func (r *run) prefetch(ctx context.Context, it *item) ([]*item, error) {
	r.prefetching = append(r.prefetching, it)
	analyses, err := r.prefetcher.Next(ctx, it.analysis)
	return removeFirst(&r.prefetching, len(analyses)), err
}

// flushPrefetch returns the items that are held back after the last frame.
func (r *run) flushPrefetch(ctx context.Context) ([]*item, error) {
	analyses, err := r.prefetcher.Flush(ctx)
	return removeFirst(&r.prefetching, len(analyses)), err
}

// track decides which queries are present. New queries take effect here.
func (r *run) track(ctx context.Context, it *item) (err error) {
	r.tracked = it
	if bank := r.job.Control.next.Swap(nil); bank != nil {
		if err := r.session.Tracker.SetQueries(bank); err != nil {
			return err
		}
	}
	it.step, err = r.session.Tracker.Step(ctx, it.analysis, r.readFeedback)
	return err
}

// explain copies what the tracker has decided to the item in hand.
func (r *run) explain(x *tracking.Explanation) {
	d := &r.tracked.decision
	queries := append(d.Queries[:0], x.Queries...)
	*d = *x
	d.Queries = queries
}

// readFeedback waits until the propagating stage has reported how well the masks fitted in
// the last key frame.
func (r *run) readFeedback(ctx context.Context) (float64, error) {
	select {
	case carriedIoU := <-r.feedback:
		return carriedIoU, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// propagate takes one item, and returns those whose masks are final.
func (r *run) propagate(ctx context.Context, it *item) ([]*item, error) {
	r.propagating = append(r.propagating, it)
	if it.step.Key && !r.tracking.Stateless {
		carriedIoU, err := r.session.Propagator.Refine(ctx, it.step)
		if err == nil { // Next returns the error
			select {
			case r.feedback <- carriedIoU:
			case <-ctx.Done():
			}
		}
	}
	steps, err := r.session.Propagator.Next(ctx, it.step)
	return r.collect(removeFirst(&r.propagating, len(steps))), err
}

// flushPropagate returns the items that are held back after the last frame.
func (r *run) flushPropagate(context.Context) ([]*item, error) {
	done := r.collect(removeFirst(&r.propagating, len(r.session.Propagator.Flush())))
	for _, it := range r.propagating { // left if propagation failed
		it.release()
	}
	r.propagating = nil
	return done, nil
}

// collect copies the results of the items' steps to the items, and closes the steps.
func (r *run) collect(done []*item) []*item {
	for _, it := range done {
		it.Result, it.Instances, it.bank = it.step.Result, it.step.Instances, it.step.Bank
		it.takeCheckpoint(r.outputs)
		it.step.Close()
		it.step, it.analysis = nil, nil
	}
	return done
}

// makeLayers completes the frame that the sinks get.
func (r *run) makeLayers(_ context.Context, it *item) error {
	if it.bank != r.bank {
		colours, err := Colours(it.bank.Queries())
		if err != nil {
			it.release()
			return err
		}
		r.bank, r.colours = it.bank, colours
		r.tally.setQueries(it.bank.Queries())
	}
	it.Queries = it.bank.Queries()
	it.Layers = appendLayers(it.Layers[:0], it.Result, it.Instances, r.colours)
	if r.outputs.wantMasks() {
		if err := r.upsampler.Masks(it.Decoded, it.Layers, it.Result.W, it.Result.H); err != nil {
			it.release()
			return err
		}
	}
	it.Decision = &it.decision
	for q := range it.decision.Queries {
		it.decision.Queries[q].Shown = &notShown
		if hasLayer(it.Layers, q) {
			it.decision.Queries[q].Shown = &shown
		}
	}
	r.tally.add(&it.Frame)
	it.refs.Store(int32(len(r.outputs)))
	var err error
	if it.checkpoint != nil && it.waiting.Load() == 0 { // there is no sink to wait for
		err = r.writeCheckpoint(it)
	}
	if len(r.outputs) == 0 || err != nil { // no sink will release it
		it.refs.Store(0)
		it.release()
	}
	return err
}

// Values for [tracking.QueryExplanation.Shown], which is a pointer.
var notShown, shown = false, true

// removeFirst removes the first n items of a list and returns them.
func removeFirst(list *[]*item, n int) []*item {
	done := slices.Clone((*list)[:n])
	*list = slices.Delete(*list, 0, n)
	return done
}

// takeItem returns an empty item.
func (r *run) takeItem() *item {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.spare); n > 0 {
		it := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return it
	}
	return &item{run: r}
}

// recycle empties an item, so that takeItem returns it again.
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
