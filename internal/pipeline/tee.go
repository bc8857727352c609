package pipeline

import (
	"context"
	"time"
)

// A Branch is one of the outputs of a [Tee].
type Branch struct {
	// Depth is how many items may wait for the next stage.
	Depth int
	// Dropped makes the branch lossy: an item for which there is no room is released,
	// and Dropped called, instead of waiting for the next stage.
	Dropped func()
}

// Tee adds a stage that passes every item to all branches. work runs first; it owns the
// item if it fails. After it each branch's stage owns the item, or it is released once
// for the branch: work must prepare the item for that.
func Tee[T any](l *Line, name string, in *Stream[T], release func(T), branches []Branch, work func(context.Context, T) error) []*Stream[T] {
	outs := make([]*Stream[T], len(branches))
	for i, b := range branches {
		outs[i] = &Stream[T]{make(chan T, b.Depth), release}
	}
	s := l.add(name)
	l.group.Go(func() error {
		defer func() {
			for _, out := range outs {
				close(out.items)
			}
		}()
		drain(l, s, in, func(v T) error {
			if err := work(l.ctx, v); err != nil {
				return err
			}
			for i, out := range outs {
				if dropped := branches[i].Dropped; dropped != nil {
					offer(l, s, out, v, dropped)
				} else {
					send(l, s, out, v)
				}
			}
			return nil
		})
		return nil
	})
	return outs
}

// offer passes an item on if there is room for it, and otherwise releases it.
func offer[T any](l *Line, s *Stage, out *Stream[T], v T, dropped func()) {
	mark := time.Now()
	select {
	case out.items <- v:
	default:
		out.release(v)
		if l.ctx.Err() == nil {
			dropped()
		}
	}
	s.blocked.Add(int64(time.Since(mark)))
}
