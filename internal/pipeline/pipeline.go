// Package pipeline runs stages at the same time, joined by bounded channels.
//
// A line begins with one [Produce], continues with any number of [Map] and [Buffer],
// and ends with one [Consume]. Each stage is one goroutine, which the line owns:
// [Line.Wait] returns when all of them have ended.
//
// Every item is processed or released exactly once, however the line ends. The sender
// closes a stream and the receiver drains it: once the context has ended, a stage
// continues to receive until its input is closed, and releases the items.
package pipeline

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carve-video/carve/internal/guard"
)

// ErrDone is returned by the work of [Produce] at the end of the input.
var ErrDone = errors.New("no more input")

// A Line is a chain of stages.
type Line struct {
	group  errgroup.Group
	ctx    context.Context
	cancel context.CancelCauseFunc
	stages []*Stage
	begun  time.Time
}

// New returns a line without stages. It ends early if ctx ends.
func New(ctx context.Context) *Line {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Line{ctx: ctx, cancel: cancel, begun: time.Now()}
}

// Wait waits for every stage. It returns the first error of a stage, or the cause of
// the context's end.
func (l *Line) Wait() error {
	err := l.group.Wait()
	if cause := context.Cause(l.ctx); cause != nil {
		err = cause
	}
	l.cancel(nil)
	return err
}

// Elapsed returns the time since the line was made.
func (l *Line) Elapsed() time.Duration { return time.Since(l.begun) }

// Stages returns the stages of the line, in order.
func (l *Line) Stages() []*Stage { return l.stages }

func (l *Line) add(name string) *Stage {
	s := &Stage{name: name}
	l.stages = append(l.stages, s)
	return s
}

// A Stream carries items from one stage to the next.
type Stream[T any] struct {
	items   chan T
	release func(T)
}

// Produce adds the first stage. It calls work until that returns [ErrDone] or another
// error, or until the line ends. depth is how many items may wait for the next stage.
// release is called for each item that no stage takes any more.
func Produce[Out any](l *Line, name string, depth int, release func(Out), work func(context.Context) (Out, error)) *Stream[Out] {
	out := &Stream[Out]{make(chan Out, depth), release}
	s := l.add(name)
	l.group.Go(func() error {
		defer close(out.items)
		for l.ctx.Err() == nil {
			v, err := measure(s, func() (Out, error) { return work(l.ctx) })
			if errors.Is(err, ErrDone) {
				return nil
			}
			if err != nil {
				l.cancel(err)
				return err
			}
			s.items.Add(1)
			send(l, s, out, v)
		}
		return nil
	})
	return out
}

// Map adds a stage that turns each In into an Out. work owns its item, even if it
// fails.
func Map[In, Out any](l *Line, name string, in *Stream[In], depth int, release func(Out), work func(context.Context, In) (Out, error)) *Stream[Out] {
	out := &Stream[Out]{make(chan Out, depth), release}
	s := l.add(name)
	l.group.Go(func() error {
		defer close(out.items)
		drain(l, s, in, func(v In) error {
			r, err := work(l.ctx, v)
			if err != nil {
				return err
			}
			send(l, s, out, r)
			return nil
		})
		return nil
	})
	return out
}

// Buffer adds a stage that holds items back. work turns an item into any number of
// Outs, including those of earlier items. flush returns the rest after the last item.
// It is called once, even if the line ends early. Both own what they hold until they
// return it. Items returned together with an error are passed on or released.
func Buffer[In, Out any](l *Line, name string, in *Stream[In], depth int, release func(Out), work func(context.Context, In) ([]Out, error), flush func(context.Context) ([]Out, error)) *Stream[Out] {
	out := &Stream[Out]{make(chan Out, depth), release}
	s := l.add(name)
	l.group.Go(func() error {
		defer close(out.items)
		drain(l, s, in, func(v In) error {
			done, err := work(l.ctx, v)
			for _, r := range done {
				send(l, s, out, r)
			}
			return err
		})
		rest, err := measure(s, func() ([]Out, error) { return flush(l.ctx) })
		if err != nil {
			l.cancel(err)
		}
		for _, r := range rest {
			send(l, s, out, r)
		}
		return err
	})
	return out
}

// Consume adds the last stage. work owns its item.
func Consume[In any](l *Line, name string, in *Stream[In], work func(context.Context, In) error) {
	s := l.add(name)
	l.group.Go(func() error {
		drain(l, s, in, func(v In) error { return work(l.ctx, v) })
		return nil
	})
}

// measure runs the work of a stage without input. It turns a panic into an error.
func measure[T any](s *Stage, work func() (T, error)) (v T, err error) {
	mark := time.Now()
	err = guard.Run(func() (err error) {
		v, err = work()
		return err
	})
	s.busy.Add(int64(time.Since(mark)))
	return v, err
}

// send passes an item on, or releases it if the line has ended.
func send[T any](l *Line, s *Stage, out *Stream[T], v T) {
	mark := time.Now()
	select {
	case out.items <- v:
	case <-l.ctx.Done():
		out.release(v)
	}
	s.blocked.Add(int64(time.Since(mark)))
}

// drain calls work for every item until the stream is closed. After the end of the
// line, for example by an error of work, it only releases them.
func drain[T any](l *Line, s *Stage, in *Stream[T], work func(T) error) {
	mark := time.Now()
	for v := range in.items {
		s.waiting.Add(int64(time.Since(mark)))
		s.taken.Add(1)
		s.queued.Add(int64(len(in.items)))
		if l.ctx.Err() != nil {
			in.release(v)
			mark = time.Now()
			continue
		}
		blocked := s.blocked.Load()
		mark = time.Now()
		err := guard.Run(func() error { return work(v) })
		s.busy.Add(int64(time.Since(mark)) - (s.blocked.Load() - blocked))
		if err != nil {
			l.cancel(err)
		} else {
			s.items.Add(1)
		}
		mark = time.Now()
	}
}
