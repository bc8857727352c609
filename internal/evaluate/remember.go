package evaluate

import (
	"context"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/tracking"
)

// remember segments a sample's pictures as carve does. next is called with each of them,
// and last when there are no more; take gets what was found, some pictures later, and may
// not keep it. explain, unless it is nil, is told what was decided.
func (r *Runner) remember(ctx context.Context, s *dataset.Sample, explain func(*tracking.Explanation), take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
	session := r.Tracking.Session(r.Segmenter, s.Queries, r.Threads)
	session.Tracker.Explain = explain
	if err := session.Initialize(ctx); err != nil {
		return nil, nil, err
	}
	done := func(steps []*tracking.Step) {
		for _, step := range steps {
			take(step.Result)
			step.Close()
			session.Propagator.Recycle(step.Result)
		}
	}
	return func(img *car.Image, at time.Duration) error {
		steps, err := session.Next(ctx, img, at)
		done(steps)
		return err
	}, func() { done(session.Flush()) }, nil
}

// told is [Runner.remember] without memory: it is told what is there in every picture, asks
// for nothing else, and drops none of it.
func (r *Runner) told(ctx context.Context, s *dataset.Sample, truth *annotation.Sequence, film *VideoResult, take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
	queries := slices.Clone(s.Queries)
	for i := range queries {
		queries[i].Theta = new(float32)
	}
	bank, err := r.Segmenter.EmbedQueries(ctx, queries)
	if err != nil {
		return nil, nil, err
	}
	n := 0
	return func(img *car.Image, _ time.Duration) error {
		there, err := truth.Frame(n)
		if err != nil {
			return err
		}
		n++
		var asked []int
		for k, o := range truth.Objects {
			if !there.Masks[k].Empty() {
				asked = append(asked, slices.IndexFunc(queries, func(q car.Query) bool { return q.Label == o.Name }))
			}
		}
		slices.Sort(asked)
		film.Keys++
		film.Evaluated += len(asked)
		scene, err := r.Segmenter.EncodeImage(ctx, img)
		if err != nil {
			return err
		}
		defer scene.Close()
		outcome, err := r.Segmenter.Step(ctx, scene, bank, car.Ask{Queries: asked})
		if err != nil {
			return err
		}
		if err := r.Segmenter.RefineInto(ctx, scene, outcome, &r.result); err != nil {
			return err
		}
		take(&r.result)
		return nil
	}, func() {}, nil
}
