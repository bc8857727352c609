package tracking

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/carve-video/carve/car"
)

// A Session runs a MotionAnalyzer, a Tracker and a Propagator, one after the other, in one
// goroutine. Set their settings, then call Initialize.
type Session struct {
	Motion     MotionAnalyzer
	Tracker    Tracker
	Propagator Propagator
	// Params tunes all of them; nil stands for those of the Segmenter's preset.
	Params *Params

	carriedIoU float64 // at the last key frame
	w, h       int     // size of the images, after a restore until the next frame; else 0
}

// Initialize checks the settings and embeds the queries.
func (s *Session) Initialize(ctx context.Context) error {
	if s.Params == nil {
		p, err := ReadParams(s.Tracker.Segmenter.Preset().Tracking)
		if err != nil {
			return err
		}
		s.Params = &p
	}
	s.Motion.Params, s.Tracker.Params, s.Propagator.Params = s.Params, s.Params, s.Params
	if s.Propagator.InstanceTracker != nil {
		s.Propagator.InstanceTracker.Params = s.Params
	}
	if err := s.Tracker.Initialize(ctx); err != nil {
		return err
	}
	s.Propagator.Segmenter, s.Propagator.Bank = s.Tracker.Segmenter, s.Tracker.Bank()
	if s.Tracker.Stateless {
		s.Motion.SkipMotion = true
	}
	s.carriedIoU = 1
	return nil
}

// Next takes the next frame and returns the steps that are done, in order. With a
// look-ahead, they are those of earlier frames. The caller closes the steps. An image must
// not change until its step is closed.
func (s *Session) Next(ctx context.Context, img *car.Image, at time.Duration) ([]*Step, error) {
	return s.next(ctx, img, at, false)
}

// NextCheckpoint is Next with a request for a checkpoint. It is the Checkpoint of the first
// key frame from this frame on.
func (s *Session) NextCheckpoint(ctx context.Context, img *car.Image, at time.Duration) ([]*Step, error) {
	return s.next(ctx, img, at, true)
}

func (s *Session) next(ctx context.Context, img *car.Image, at time.Duration, checkpoint bool) ([]*Step, error) {
	if s.w != 0 && (img.W != s.w || img.H != s.h) {
		return nil, fmt.Errorf("the frame has %dx%d pixels, those before the checkpoint %dx%d", img.W, img.H, s.w, s.h)
	}
	s.w, s.h = 0, 0
	a := s.Motion.Analyze(img, at)
	a.Checkpoint = checkpoint
	step, err := s.Tracker.Step(ctx, a, func(context.Context) (float64, error) { return s.carriedIoU, nil })
	if err != nil {
		a.Close()
		return nil, err
	}
	if step.Key {
		s.carriedIoU, _ = s.Propagator.Refine(ctx, step) // Next returns the error
	}
	done, err := s.Propagator.Next(ctx, step)
	if err != nil {
		step.Close()
	}
	return done, err
}

// Held returns the number of frames that are held back at most. The source of the images
// must allow one image more to be in use.
func (s *Session) Held() int { return s.Propagator.Lookahead }

// Flush returns the steps that are held back, after the last frame.
func (s *Session) Flush() []*Step { return s.Propagator.Flush() }

// threads returns the number of goroutines for a setting; 0 stands for all CPUs.
func threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}
