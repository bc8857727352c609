package tracking

import (
	"context"
	"runtime"
	"time"

	"github.com/carve-video/carve/car"
)

// A Session runs a Watcher, a Tracker and a Carrier, one behind the other, in one
// goroutine. Set their parameters, then call Initialize.
type Session struct {
	Motion     MotionAnalyzer
	Tracker    Tracker
	Propagator Propagator
}

// Initialize embeds the queries.
func (s *Session) Initialize(ctx context.Context) error {
	if err := s.Tracker.Initialize(ctx); err != nil {
		return err
	}
	s.Propagator.Segmenter, s.Propagator.Bank = s.Tracker.Segmenter, s.Tracker.Bank()
	if s.Tracker.Stateless {
		s.Motion.SkipMotion = true
	} else {
		// One is read a key frame later: two may be on their way where the parts run at
		// the same time.
		reports := make(chan float64, 4)
		s.Tracker.Reports, s.Propagator.Reports = reports, reports
	}
	return nil
}

// Next takes the next frame and returns the steps that are done, in order: with a
// look-ahead, those of earlier frames. The picture must stay as it is until its step
// is closed, which is up to the caller.
func (s *Session) Next(ctx context.Context, img *car.Image, at time.Duration) ([]*Step, error) {
	sight := s.Motion.Analyze(img, at)
	step, err := s.Tracker.Step(ctx, sight)
	if err != nil {
		sight.Close()
		return nil, err
	}
	done, err := s.Propagator.Next(ctx, step)
	if err != nil {
		step.Close()
	}
	return done, err
}

// Held is how many frames are held back before the first of them is done. What the
// pictures come from needs room for one more.
func (s *Session) Held() int { return s.Propagator.Lookahead }

// Flush returns what is held back after the last frame.
func (s *Session) Flush() []*Step { return s.Propagator.Flush() }

// threads is how many goroutines a parameter stands for.
func threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}
