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
	w, h       int     // of the images, if a checkpoint says so
}

// Initialize embeds the queries.
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

// Next takes the next frame and returns the steps that are done, in order: with a
// look-ahead, those of earlier frames. The image must not change until its step is closed,
// which is up to the caller.
func (s *Session) Next(ctx context.Context, img *car.Image, at time.Duration) ([]*Step, error) {
	return s.next(ctx, img, at, false)
}

// NextCheckpoint is Next, and asks for a checkpoint: the Checkpoint of the first step from
// this frame on that is a key frame is set.
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

// Held is how many frames are held back before the first of them is done. The source of
// the images needs room for one more.
func (s *Session) Held() int { return s.Propagator.Lookahead }

// Flush returns what is held back after the last frame.
func (s *Session) Flush() []*Step { return s.Propagator.Flush() }

// threads is how many goroutines a setting stands for.
func threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}
