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

// withMemory segments the images of a sample as carve does. Call next for each image,
// and last at the end. take gets the results, some images later, and must not keep
// them. explain, unless it is nil, gets the decisions.
func (r *Runner) withMemory(ctx context.Context, s *dataset.Sample, explain func(*tracking.Explanation), take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
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

// withOracle segments without memory: the queries of every image are the concepts that
// the truth has in it, and none of them can be dropped. See [Runner.withMemory].
func (r *Runner) withOracle(ctx context.Context, s *dataset.Sample, truth *annotation.Sequence, film *VideoResult, take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
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
		outcome, err := r.Segmenter.Step(ctx, scene, bank, asked)
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
