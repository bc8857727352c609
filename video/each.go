package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// A Shot is a frame of [Source.Each], with what a model sees of it.
type Shot struct {
	*Frame
	preparer *Preparer
}

// Picture is the frame as the model sees it. It lives as long as the frame.
func (s *Shot) Picture() (Picture, error) { return s.preparer.Prepare(s.Frame) }

// Each reads the frames that are left, one at a time. maxSide bounds the longer side of
// their pictures, see [Preparer]. A frame is released when the loop goes on or ends: what
// is to stay is copied. An error is the last thing that the loop is given.
func (s *Source) Each(ctx context.Context, maxSide int) iter.Seq2[*Shot, error] {
	return func(yield func(*Shot, error) bool) {
		p := &Preparer{Info: s.Info(), MaxSide: maxSide}
		if err := p.Initialize(); err != nil {
			yield(nil, fmt.Errorf("preparing frames of %s: %w", s.Path, err))
			return
		}
		defer p.Close()
		for {
			frame, err := s.Read(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading %s: %w", s.Path, err))
				return
			}
			if !give(yield, &Shot{frame, p}) {
				return
			}
		}
	}
}

// give lends a frame to the body of a loop.
func give(yield func(*Shot, error) bool, s *Shot) bool {
	defer s.Release() // also where the body panics
	return yield(s, nil)
}
