package evaluate

import (
	"context"
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/score"
)

// sequence segments a sequence of images with memory, and compares every object with
// the truth.
func (r *Runner) sequence(ctx context.Context, s *dataset.Sample, res *SampleResult) error {
	var objects []annotation.Object
	var pairs []score.Pair
	for i, q := range s.Queries {
		o := annotation.Object{ID: s.Objects[i], Name: q.Label}
		objects = append(objects, o)
		pairs = append(pairs, score.Pair{Object: o, Truth: i, Result: i})
	}
	frames, w, h, err := r.sequenceMasks(ctx, s)
	if err != nil {
		return err
	}
	result := annotation.New(w, h, len(frames), objects, func(i int) (*annotation.Frame, error) {
		f := *frames[i]
		return &f, nil
	})
	truth := annotation.New(w, h, len(frames), objects, func(i int) (*annotation.Frame, error) {
		t, err := s.Truth(i)
		if err != nil {
			return nil, err
		}
		return trueMasks(t, s.Objects[:len(objects)], w, h), nil
	})
	tracks, err := score.Follow(ctx, truth, result, pairs, r.Threads)
	if err != nil {
		return err
	}
	for _, t := range tracks.Objects {
		// All frames count, as in DAVIS when the first frame is not given.
		regions := t.Regions(false)
		o := ObjectResult{Label: t.Name, ID: t.ID, J: regions.J, F: regions.F}
		for i := range t.Union {
			o.IoU = append(o.IoU, [2]int{t.Intersection[i], t.Union[i]})
		}
		res.Objects = append(res.Objects, o)
	}
	return nil
}

// sequenceMasks segments the images of a sequence, and returns the masks of each query
// at the truth's size, w×h.
func (r *Runner) sequenceMasks(ctx context.Context, s *dataset.Sample) (frames []*annotation.Frame, w, h int, err error) {
	// Two objects may have the same query: both get the result of the first.
	asked := make([]int, len(s.Queries))
	for k, q := range s.Queries {
		asked[k] = slices.IndexFunc(s.Queries, func(other car.Query) bool { return slices.Equal(q.Phrases, other.Phrases) })
	}
	next, last, err := r.withMemory(ctx, s, nil, func(res *car.Result) { frames = append(frames, frameOf(res, asked, w, h)) })
	if err != nil {
		return nil, 0, 0, err
	}
	for i := range s.Frames {
		img, seen, err := r.readImage(ctx, s, i)
		if err != nil {
			return nil, 0, 0, err
		}
		if i == 0 {
			w, h = seen.W, seen.H
		}
		if seen.W != w || seen.H != h {
			return nil, 0, 0, fmt.Errorf("frame %d is %dx%d, the first %dx%d", i, seen.W, seen.H, w, h)
		}
		if err := next(img, timeOf(i)); err != nil {
			return nil, 0, 0, err
		}
	}
	last()
	return frames, w, h, nil
}

// trueMasks returns the masks of the objects in the truth of a frame.
func trueMasks(t *dataset.Truth, objects []int, w, h int) *annotation.Frame {
	f := &annotation.Frame{W: w, H: h, Masks: make([]*annotation.Mask, len(objects)), Void: annotation.NewMask(w, h)}
	for k := range objects {
		f.Masks[k] = annotation.NewMask(w, h)
	}
	for p, l := range t.Labels {
		if l == dataset.Void {
			f.Void.Set(p%w, p/w)
			continue
		}
		for k, object := range objects {
			if int(l) == object {
				f.Masks[k].Set(p%w, p/w)
			}
		}
	}
	return f
}
