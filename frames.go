package carve

import (
	"context"
	"errors"
	"iter"
)

// errLeft is the cause of the end of a run whose loop was left.
var errLeft = errors.New("the loop over the frames was left")

// Frames does a job, and returns its frames for a loop. A frame is valid until the loop's
// next iteration. If the run fails, the last iteration has the error and no frame.
//
// A loop that is left early ends the run, and the job's sinks commit nothing. When the loop
// has ended, so has every goroutine of the run. The iterator can be used once, since it
// reads the source.
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
			<-next // the loop is done with the frame
			return nil
		}))
		ended := make(chan error, 1)
		go func() {
			_, err := Run(ctx, job)
			close(frames)
			ended <- err
		}()
		ranToEnd := false
		defer func() { // also if the body of the loop panics
			if !ranToEnd {
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
		ranToEnd = true
		err := <-ended
		leave(nil)
		if err != nil {
			yield(nil, err)
		}
	}
}
