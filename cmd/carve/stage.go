package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A line is a chain of stages that run at the same time, joined by bounded
// channels.
//
// The sender closes a channel and the receiver drains it: once the context has
// ended, a stage goes on receiving until its input is closed and releases what
// it gets. So every item is worked on or released exactly once, and wait
// returns only when no goroutine is left, on any way out.
type line struct {
	group  errgroup.Group
	ctx    context.Context
	cancel context.CancelCauseFunc
	stages []*stage
	begun  time.Time
}

func newLine(ctx context.Context) *line {
	ctx, cancel := context.WithCancelCause(ctx)
	return &line{ctx: ctx, cancel: cancel, begun: time.Now()}
}

// wait waits for every stage and returns the error that stopped the line, if
// one did.
func (l *line) wait() error {
	err := l.group.Wait()
	if cause := context.Cause(l.ctx); cause != nil {
		err = cause
	}
	l.cancel(nil)
	return err
}

// A stage is one link of the line. It counts where its time goes, so that a
// run can say which link held up the others.
type stage struct {
	name   string
	items  atomic.Int64
	busy   atomic.Int64 // ns in its own work
	idle   atomic.Int64 // ns waiting for input
	stuck  atomic.Int64 // ns waiting for room downstream
	taken  atomic.Int64 // items received
	queued atomic.Int64 // items that stood behind those when they were received, summed
}

// queue is how many items wait for the stage on average, seen whenever it takes
// one: near 0 the stage is quicker than what comes before it, near the depth of
// its channel it holds that up.
func (s *stage) queue() float64 {
	return float64(s.queued.Load()) / float64(max(s.taken.Load(), 1))
}

// errDone is returned by the work of a first stage when there is no more.
var errDone = errors.New("no more input")

// begin adds the first stage: it calls work until that returns errDone or an
// error, or the line is cancelled.
func begin[Out any](l *line, name string, depth int, release func(Out), work func(context.Context) (Out, error)) <-chan Out {
	out := make(chan Out, depth)
	s := &stage{name: name}
	l.stages = append(l.stages, s)
	l.group.Go(func() error {
		defer close(out)
		for l.ctx.Err() == nil {
			mark := time.Now()
			var v Out
			err := guarded(func() (err error) {
				v, err = work(l.ctx)
				return err
			})
			s.busy.Add(int64(time.Since(mark)))
			if errors.Is(err, errDone) {
				return nil
			}
			if err != nil {
				l.cancel(err)
				return err
			}
			s.items.Add(1)
			send(l, s, out, v, release)
		}
		return nil
	})
	return out
}

// then adds a stage that turns each In into an Out. work owns what it is
// given, also when it fails.
func then[In, Out any](l *line, name string, in <-chan In, depth int, release func(In), releaseOut func(Out), work func(context.Context, In) (Out, error)) <-chan Out {
	out := make(chan Out, depth)
	s := &stage{name: name}
	l.stages = append(l.stages, s)
	l.group.Go(func() error {
		defer close(out)
		return drain(l, s, in, release, func(v In) error {
			r, err := work(l.ctx, v)
			if err != nil {
				return err
			}
			send(l, s, out, r, releaseOut)
			return nil
		})
	})
	return out
}

// spread adds a stage that holds items back: work turns an item into any number of
// them, those held since earlier included, and flush gives what is left after the
// last. work owns what it is given until it gives it on; what it still holds when
// the line ends early is flushed and released.
func spread[In, Out any](l *line, name string, in <-chan In, depth int, release func(In), releaseOut func(Out), work func(context.Context, In) ([]Out, error), flush func(context.Context) ([]Out, error)) <-chan Out {
	out := make(chan Out, depth)
	s := &stage{name: name}
	l.stages = append(l.stages, s)
	l.group.Go(func() error {
		defer close(out)
		drain(l, s, in, release, func(v In) error {
			done, err := work(l.ctx, v)
			for _, r := range done {
				send(l, s, out, r, releaseOut)
			}
			return err
		})
		mark := time.Now()
		var rest []Out
		err := guarded(func() (err error) {
			rest, err = flush(l.ctx)
			return err
		})
		s.busy.Add(int64(time.Since(mark)))
		if err != nil {
			l.cancel(err)
		}
		for _, r := range rest {
			send(l, s, out, r, releaseOut)
		}
		return err
	})
	return out
}

// finish adds the last stage.
func finish[In any](l *line, name string, in <-chan In, release func(In), work func(context.Context, In) error) {
	s := &stage{name: name}
	l.stages = append(l.stages, s)
	l.group.Go(func() error {
		return drain(l, s, in, release, func(v In) error { return work(l.ctx, v) })
	})
}

func send[T any](l *line, s *stage, out chan<- T, v T, release func(T)) {
	mark := time.Now()
	select {
	case out <- v:
	case <-l.ctx.Done():
		release(v)
	}
	s.stuck.Add(int64(time.Since(mark)))
}

func drain[T any](l *line, s *stage, in <-chan T, release func(T), work func(T) error) error {
	mark := time.Now()
	for v := range in {
		s.idle.Add(int64(time.Since(mark)))
		s.taken.Add(1)
		s.queued.Add(int64(len(in)))
		if l.ctx.Err() != nil {
			release(v)
			continue
		}
		stuck := s.stuck.Load()
		mark = time.Now()
		err := guarded(func() error { return work(v) })
		s.busy.Add(int64(time.Since(mark)) - (s.stuck.Load() - stuck))
		if err != nil {
			l.cancel(err)
			continue
		}
		s.items.Add(1)
		mark = time.Now()
	}
	return nil
}

// print writes a table of where the time of the line went.
func (l *line) print(w io.Writer) {
	elapsed := max(time.Since(l.begun), 1)
	fmt.Fprintf(w, "%-12s %8s %10s %8s %8s %8s %6s\n", "stage", "frames", "ms/frame", "busy", "waiting", "blocked", "queue")
	for _, s := range l.stages {
		share := func(ns int64) float64 { return 100 * float64(ns) / float64(elapsed) }
		fmt.Fprintf(w, "%-12s %8d %10.2f %6.1f %% %6.1f %% %6.1f %% %6.2f\n", s.name, s.items.Load(),
			float64(s.busy.Load())/float64(max(s.items.Load(), 1))/1e6,
			share(s.busy.Load()), share(s.idle.Load()), share(s.stuck.Load()), s.queue())
	}
}
