package carve

import (
	"context"
	"errors"
	"iter"
)

// errLeft ends a run when its loop is left.
var errLeft = errors.New("the loop over the frames was left")

// Frames does a job and gives what it finds to a loop. A frame is lent until the loop
// goes on. An error is the last thing that the loop is given. A loop that is left gives
// the run up: outputs of the job's sinks are not committed. When the loop has ended, so
// has all that the run started. A source is read once, and so is what Frames returns.
func Frames(ctx context.Context, job Job) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		job := job
		ctx, leave := context.WithCancelCause(ctx)
		frames, next := make(chan *Frame), make(chan struct{})
		job.Sinks = append(job.Sinks[:len(job.Sinks):len(job.Sinks)], SinkFunc(func(ctx context.Context, f *Frame) error {
			select {
			case frames <- f:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			<-next // the loop holds the frame
			return nil
		}))
		ended := make(chan error, 1)
		go func() {
			_, err := Run(ctx, job)
			close(frames)
			ended <- err
		}()
		over := false
		defer func() { // also where the body panics
			if !over {
				leave(errLeft)
				for range frames {
					next <- struct{}{}
				}
				<-ended
			}
		}()
		for f := range frames {
			ok := func() bool {
				defer func() { next <- struct{}{} }()
				return yield(f, nil)
			}()
			if !ok {
				return
			}
		}
		over = true
		err := <-ended
		leave(nil)
		if err != nil {
			yield(nil, err)
		}
	}
}
