package carve

import (
	"context"
	"errors"
	"fmt"

	"github.com/carve-video/carve/internal/pipeline"
)

// A SinkError is the error of a sink.
type SinkError struct {
	Name string // what the sink is called, as in "the overlay"
	Op   string // what it was doing: "opening", "writing", "finishing", "naming", "closing"
	Sink Sink
	Err  error
}

func (e *SinkError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Name, e.Err) }

// Unwrap returns what the sink said.
func (e *SinkError) Unwrap() error { return e.Err }

// An output is a sink in a run.
type output struct {
	Sink
	name   string
	traits Traits

	opened           bool
	committed        bool // it may not be taken back any more
	written, dropped int64
	err              error // why it is given up
}

// outputs are those of a run, in the order of its sinks.
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
		list[i] = o
	}
	return list
}

func (o *output) fail(op string, err error) error {
	called := o.name
	if o.traits.Name != "" {
		called = "the " + called
	}
	return &SinkError{Name: called, Op: op, Sink: o.Sink, Err: err}
}

// open opens all of them.
func (list outputs) open(ctx context.Context, s *Stream) error {
	for _, o := range list {
		o.opened = true
		if err := o.Open(ctx, s); err != nil {
			return o.fail("opening", err)
		}
	}
	return nil
}

// branches are their ways out of the last stage that they share.
func (list outputs) branches() []pipeline.Branch {
	branches := make([]pipeline.Branch, len(list))
	for i, o := range list {
		if o.traits.Drop {
			branches[i] = pipeline.Branch{Depth: 1, Dropped: func() { o.dropped++ }}
		}
	}
	return branches
}

// wantMasks says that one of them needs masks at the source's size.
func (list outputs) wantMasks() bool {
	for _, o := range list {
		if !o.traits.NoMasks {
			return true
		}
	}
	return false
}

// write is the stage of a sink.
func (o *output) write(ctx context.Context, it *item) error {
	defer it.release()
	if o.err != nil {
		return it.delivered(o) // given up
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

// commit brings all outputs to their end. Streams are closed first: bytes that they lose
// are a reason for the files not to get their names.
func (list outputs) commit(around func(name func() error) error) error {
	var files []*output
	for _, o := range list {
		switch _, ok := o.Sink.(Committer); {
		case ok && o.err == nil:
			files = append(files, o)
		case !ok:
			if err := o.end(); err != nil {
				return err
			}
		}
	}
	whole := files[:0]
	for _, o := range files {
		switch err := o.Sink.(Committer).Prepare(); {
		case err == nil:
			whole = append(whole, o)
		case o.traits.Optional:
			o.err = o.fail("finishing", err)
		default:
			return o.fail("finishing", err)
		}
	}
	files = whole
	named := false
	name := func() error {
		if named {
			return errors.New("outputs are named once")
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

// end closes a sink, once.
func (o *output) end() error {
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

// close takes back what is not committed, and closes what is open.
func (list outputs) close() {
	for _, o := range list {
		if c, ok := o.Sink.(Committer); ok && o.opened && !o.committed {
			c.Abort()
		}
	}
	for _, o := range list {
		_ = o.end() // what was to be kept has its name
	}
}
