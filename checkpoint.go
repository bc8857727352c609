package carve

import (
	"context"
	"fmt"

	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/tracking"
)

// skip reads the frames up to that of the checkpoint, and drops them. The last of them must
// have the time that it had when the checkpoint was taken.
func (r *run) skip(ctx context.Context, k *tracking.Checkpoint) error {
	for {
		frame, err := r.job.Source.Next(ctx)
		if r.stopping() {
			if err == nil {
				frame.Release()
			}
			return pipeline.ErrDone
		}
		if err != nil {
			return err
		}
		index, at := frame.Index, frame.Time()
		frame.Release()
		if index < k.Frame.Frame {
			continue
		}
		if index != k.Frame.Frame || at != k.Frame.Time {
			return &tracking.MismatchError{Reason: fmt.Sprintf("its last frame, %d, is at %v there, and frame %d is at %v here: the source is another one",
				k.Frame.Frame, k.Frame.Time, index, at)}
		}
		return nil
	}
}

// markCheckpoint asks for a checkpoint at this frame or soon after it, if it is time.
func (r *run) markCheckpoint(it *item) {
	if r.job.Checkpoint == nil || !r.job.CheckpointEvery.Elapsed(r.lastMark, it.analysis.Moment) {
		return
	}
	it.analysis.Checkpoint, r.lastMark = true, it.analysis.Moment
}

// takeCheckpoint moves the checkpoint of the step to the item, and counts the sinks that it
// waits for: those that get every frame.
func (it *item) takeCheckpoint(list outputs) {
	if it.checkpoint = it.step.Checkpoint; it.checkpoint == nil {
		return
	}
	waiting := int32(0)
	for _, o := range list {
		if !o.traits.Drop {
			waiting++
		}
	}
	it.waiting.Store(waiting)
}

// delivered notes that an output has the frame. After the last output it writes the
// checkpoint, if there is one. Checkpoints are written one at a time, because that output
// has no later frame yet.
func (it *item) delivered(o *output) error {
	if it.checkpoint == nil || o.traits.Drop {
		return nil
	}
	if s, ok := o.Sink.(Stateful); ok && o.err == nil {
		state, err := s.State()
		if err != nil {
			return o.fail("saving the state of", err)
		}
		it.states.Store(o.name, state)
	}
	if it.waiting.Add(-1) > 0 {
		return nil
	}
	it.checkpoint.Sinks = make(map[string][]byte)
	it.states.Range(func(name, state any) bool {
		it.checkpoint.Sinks[name.(string)] = state.([]byte)
		return true
	})
	it.states.Clear()
	return it.run.writeCheckpoint(it)
}

// restore gives the outputs the states that they had in the run of a checkpoint. Outputs that
// run did not have begin as new ones.
func (list outputs) restore(k *tracking.Checkpoint) error {
	for _, o := range list {
		s, ok := o.Sink.(Stateful)
		state, known := k.Sinks[o.name]
		if !ok || !known {
			continue
		}
		if err := s.SetState(state); err != nil {
			return o.fail("restoring", err)
		}
	}
	return nil
}

func (r *run) writeCheckpoint(it *item) error {
	it.checkpoint.Numbering = r.job.Control.copyNumbering()
	if err := r.job.Checkpoint(it.checkpoint); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	return nil
}
