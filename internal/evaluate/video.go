package evaluate

import (
	"context"
	"fmt"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
)

// A VideoResult is the result of a video with concepts.
type VideoResult struct {
	Concepts []ConceptResult `json:"concepts"`

	// Seconds is the time for segmentation, without reading, decoding and measuring.
	Seconds float64 `json:"seconds"`
	// Keys is the number of frames that the model processed, Evaluated the number of
	// queries given to it in them, and Judged the number of those that were judged.
	Keys      int `json:"keys"`
	Evaluated int `json:"evaluated"`
	Judged    int `json:"judged"`
	// Cuts is the number of hard cuts. AfterCut is the largest number of frames after a
	// cut in which an object was still found that was there before the cut and no
	// longer is.
	Cuts     int `json:"cuts"`
	AfterCut int `json:"after_cut"`
}

// A ConceptResult is the result of one query in a video.
type ConceptResult struct {
	Concept  string         `json:"concept"`
	InTruth  bool           `json:"in_truth"`
	J        *score.Stat    `json:"j,omitempty"` // for concepts of the truth
	F        *score.Stat    `json:"f,omitempty"`
	Presence score.Presence `json:"presence"`
	// The flicker of the masks beyond the truth's.
	Instability  Figure `json:"lost_stability"`
	ExtraJitter  Figure `json:"extra_area_jitter"`
	ExtraToggles Figure `json:"extra_toggles"`
}

// video segments a video and measures every concept.
func (r *Runner) video(ctx context.Context, s *dataset.Sample, res *SampleResult) error {
	truth, err := annotation.Open(ctx, s.Folder, annotation.Options{Workers: r.Threads})
	if err != nil {
		return err
	}
	if truth.Len() != len(s.Frames) {
		return fmt.Errorf("%s has %s and its truth %d", s.ID, ui.Counted(len(s.Frames), "frame"), truth.Len())
	}
	res.Film = &VideoResult{Cuts: len(s.Cuts)}
	var objects []annotation.Object
	for _, q := range s.Queries {
		objects = append(objects, annotation.Object{Name: q.Label})
	}
	masks, err := r.masks(ctx, s, truth, res.Film)
	if err != nil {
		return err
	}
	result := annotation.New(truth.W, truth.H, len(masks), objects, func(i int) (*annotation.Frame, error) {
		f := *masks[i]
		return &f, nil
	})
	pairs, err := score.Match(truth, result)
	if err != nil {
		return err
	}
	tracks, err := score.Follow(ctx, truth, result, pairs, r.Threads)
	if err != nil {
		return err
	}
	for _, t := range tracks.Objects {
		flicker := t.Flicker(truth.W*truth.H, 0)
		c := ConceptResult{Concept: t.Name, InTruth: t.InTruth(), Presence: t.Presence(truth.W * truth.H),
			Instability: Figure(flicker.Instability), ExtraJitter: Figure(flicker.ExtraJitter), ExtraToggles: Figure(flicker.ExtraToggles)}
		if c.InTruth {
			regions := t.Regions(false)
			c.J, c.F = &regions.J, &regions.F
		}
		res.Film.Concepts = append(res.Film.Concepts, c)
		for _, cut := range s.Cuts {
			res.Film.AfterCut = max(res.Film.AfterCut, t.After(cut))
		}
	}
	return nil
}

// count adds up the queries of a frame.
func (f *VideoResult) count(e *tracking.Explanation) {
	if e.Key != "" {
		f.Keys++
	}
	for _, q := range e.Queries {
		if q.Evaluated != "" {
			f.Evaluated++
		}
		if q.Evaluated != "" && q.Verdict != tracking.Reused {
			f.Judged++
		}
	}
}

// masks segments every frame, with memory or with the oracle, and returns the masks at
// the truth's size.
func (r *Runner) masks(ctx context.Context, s *dataset.Sample, truth *annotation.Sequence, film *VideoResult) ([]*annotation.Frame, error) {
	all := make([]int, len(s.Queries))
	for k := range all {
		all[k] = k
	}
	var frames []*annotation.Frame
	take := func(res *car.Result) { frames = append(frames, frameOf(res, all, truth.W, truth.H)) }
	begin := func() (func(*car.Image, time.Duration) error, func(), error) {
		if r.Oracle {
			return r.withOracle(ctx, s, truth, film, take)
		}
		return r.withMemory(ctx, s, film.count, take)
	}
	next, last, err := begin()
	if err != nil {
		return nil, err
	}
	n := 0
	err = r.eachImage(ctx, s, func(img *car.Image, at time.Duration) error {
		if n == len(s.Frames) {
			return fmt.Errorf("%s has more than the %s of its truth", s.ID, ui.Counted(len(s.Frames), "frame"))
		}
		n++
		from := time.Now()
		defer func() { film.Seconds += time.Since(from).Seconds() }()
		return next(img, at)
	})
	if err != nil {
		return nil, err
	}
	last()
	if len(frames) < len(s.Frames) {
		return nil, fmt.Errorf("%s has %s and its truth %d", s.ID, ui.Counted(len(frames), "frame"), len(s.Frames))
	}
	return frames, nil
}
