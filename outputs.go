package carve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/pipeline"
)

// A SinkError is the error of a sink.
type SinkError struct {
	Name string // such as "the overlay"
	Op   string // what failed: "opening", "writing", "finishing", "naming" or "closing"
	Sink Sink
	Err  error
}

func (e *SinkError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Name, e.Err) }

// Unwrap returns the error that the sink returned.
func (e *SinkError) Unwrap() error { return e.Err }

// An output is a sink in a run.
type output struct {
	Sink
	name   string
	traits Traits

	opened           bool
	committed        bool // its file is no longer removed on an error
	written, dropped int64
	err              error // why it was given up
}

// outputs are the outputs of a run, in the order of its sinks.
type outputs []*output

func newOutputs(sinks []Sink) outputs {
	list := make(outputs, len(sinks))
	for i, s := range sinks {
		o := &output{Sink: s}
		if t, ok := s.(Traited); ok {
			o.traits = t.Traits()
		}
		if o.name = o.traits.Name; o.name == "" {
			o.name = fmt.Sprintf("sink %d", i+1)
		}
		// Names are unique: the states of a checkpoint go by them.
		for n := 2; slices.ContainsFunc(list[:i], func(p *output) bool { return p.name == o.name }); n++ {
			o.name = fmt.Sprintf("%s %d", strings.TrimSuffix(o.name, fmt.Sprintf(" %d", n-1)), n)
		}
		list[i] = o
	}
	return list
}

// fail returns the error of the output as a SinkError.
func (o *output) fail(op string, err error) error {
	name := o.name
	if o.traits.Name != "" {
		name = "the " + name
	}
	return &SinkError{Name: name, Op: op, Sink: o.Sink, Err: err}
}

// open opens all outputs.
func (list outputs) open(ctx context.Context, s *Stream) error {
	for _, o := range list {
		o.opened = true
		if err := o.Open(ctx, s); err != nil {
			return o.fail("opening", err)
		}
	}
	return nil
}

// branches returns the channels that lead from the last common stage to the outputs.
func (list outputs) branches() []pipeline.Branch {
	branches := make([]pipeline.Branch, len(list))
	for i, o := range list {
		if o.traits.Drop {
			branches[i] = pipeline.Branch{Depth: 1, Dropped: func() { o.dropped++ }}
		}
	}
	return branches
}

// wantMasks reports whether an output needs masks at the size of the video.
func (list outputs) wantMasks() bool {
	for _, o := range list {
		if !o.traits.NoMasks {
			return true
		}
	}
	return false
}

// write gives a frame to the sink.
func (o *output) write(ctx context.Context, it *item) error {
	defer it.release()
	if o.err != nil {
		return it.delivered(o) // it was given up
	}
	err := o.Write(ctx, &it.Frame)
	if err == nil {
		o.written++
		return it.delivered(o)
	}
	if err = o.fail("writing", err); !o.traits.Optional || ctx.Err() != nil {
		return err
	}
	o.err = err
	return it.delivered(o)
}

// commit finishes all outputs. Streams are closed first, so that no file is committed if a
// stream has lost bytes.
func (list outputs) commit(around func(name func() error) error) error {
	var files []*output
	for _, o := range list {
		switch _, ok := o.Sink.(Committer); {
		case ok && o.err == nil:
			files = append(files, o)
		case !ok:
			if err := o.closeOnce(); err != nil {
				return err
			}
		}
	}
	prepared := files[:0]
	for _, o := range files {
		switch err := o.Sink.(Committer).Prepare(); {
		case err == nil:
			prepared = append(prepared, o)
		case o.traits.Optional:
			o.err = o.fail("finishing", err)
		default:
			return o.fail("finishing", err)
		}
	}
	files = prepared
	named := false
	name := func() error {
		if named {
			return errors.New("the job's Commit named the outputs twice")
		}
		named = true
		for _, o := range files {
			if err := o.Sink.(Committer).Commit(); err != nil {
				return o.fail("naming", err)
			}
		}
		return nil
	}
	if around == nil {
		around = func(name func() error) error { return name() }
	}
	if err := around(name); err != nil {
		return err
	}
	if !named {
		return errors.New("the job's Commit has not named the outputs")
	}
	for _, o := range files {
		o.committed = true
	}
	return nil
}

// closeOnce closes the sink if it is open.
func (o *output) closeOnce() error {
	if !o.opened {
		return nil
	}
	o.opened = false
	err := o.Close()
	if err == nil {
		return nil
	}
	err = o.fail("closing", err)
	if o.traits.Optional {
		o.err = errors.Join(o.err, err)
		return nil
	}
	return err
}

// close aborts what is not committed, and closes what is open.
func (list outputs) close() {
	for _, o := range list {
		if c, ok := o.Sink.(Committer); ok && o.opened && !o.committed {
			c.Abort()
		}
	}
	for _, o := range list {
		_ = o.closeOnce() // files to be kept are committed by now
	}
}
