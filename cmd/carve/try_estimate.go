package main

import (
	"context"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// An estimate is how long the whole video would take on this machine. It counts models and
// loop; the rest of the pipeline runs at the same time.
type estimate struct {
	Frames    int64   `json:"frames,omitempty"` // 0: unknown
	First     float64 `json:"first_frame_s"`
	Step      float64 `json:"frame_s"`            // a frame with memory
	Stateless float64 `json:"frame_memory_off_s"` // a frame without
	Whole     float64 `json:"whole_s,omitempty"`
	WholeOff  float64 `json:"whole_memory_off_s,omitempty"`
}

// estimate times the tracker on a video that repeats the image: the first frame, steps
// with memory, frames without. The models are warm by then.
func (o *tryOptions) estimate(ctx context.Context, s *car.Segmenter, queries []car.Query, img *car.Image, info video.Info) (estimate, error) {
	timed := func(stateless bool, frames int) (first, later float64, err error) {
		memory := o.tracking(video.Rational{})
		memory.Lookahead = 0
		if memory.Stateless = stateless; stateless {
			memory.Instances = false
		}
		session := memory.Session(s, queries, o.threads)
		if err := session.Initialize(ctx); err != nil {
			return 0, 0, err
		}
		for i := range frames {
			from := time.Now()
			steps, err := session.Next(ctx, img, time.Duration(i)*time.Second/25)
			for _, step := range steps {
				step.Close()
				session.Propagator.Recycle(step.Result)
			}
			if err != nil {
				return 0, 0, err
			}
			if spent := time.Since(from).Seconds(); i == 0 {
				first = spent
			} else {
				later += spent / float64(frames-1)
			}
		}
		return first, later, nil
	}
	var e estimate
	var err error
	if e.First, e.Step, err = timed(o.stateless(), 2+tracking.DefaultMaxEvery); err != nil {
		return e, err
	}
	if e.Stateless = e.First; e.First > e.Step {
		if _, e.Stateless, err = timed(true, 2); err != nil {
			return e, err
		}
	}
	if info.Still {
		e.Frames = 1
	} else {
		e.Frames = info.Frames
	}
	if e.Frames > 0 {
		e.Whole = e.First + float64(e.Frames-1)*e.Step
		e.WholeOff = float64(e.Frames) * e.Stateless
	}
	return e, nil
}
