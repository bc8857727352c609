package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// A Shot is a frame of [Source.Each], with the image that a model sees.
type Shot struct {
	*Frame
	preparer *Preparer
}

// Picture returns the image of the frame for the model. It is valid until the frame is
// released.
func (s *Shot) Picture() (Picture, error) { return s.preparer.Prepare(s.Frame) }

// Each iterates over the remaining frames. maxSide bounds the longer side of their
// images, see [Preparer]. A frame is released when the loop continues or ends, so what
// is needed later has to be copied. An error is the last item.
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
			if !lend(yield, &Shot{frame, p}) {
				return
			}
		}
	}
}

// lend passes a frame to the body of the loop and releases it.
func lend(yield func(*Shot, error) bool, s *Shot) bool {
	defer s.Release() // also if the body panics
	return yield(s, nil)
}
