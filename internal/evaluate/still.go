package evaluate

import (
	"context"

	"github.com/carve-video/carve/internal/dataset"
)

// still segments one image: for all classes, or all sentences of one object.
func (r *Runner) still(ctx context.Context, s *dataset.Sample, res *SampleResult) error {
	img, truth, err := r.readImage(ctx, s, 0)
	if err != nil {
		return err
	}
	if r.bank == nil || !sameQueries(r.queries, s.Queries) {
		if r.bank, err = r.Segmenter.EmbedQueries(ctx, s.Queries); err != nil {
			return err
		}
		r.queries = s.Queries
	}
	scene, err := r.Segmenter.EncodeImage(ctx, img)
	if err != nil {
		return err
	}
	defer scene.Close()
	out, err := r.Segmenter.Loop(ctx, scene, r.bank)
	if err != nil {
		return err
	}
	if err := r.Segmenter.RefineInto(ctx, scene, out, &r.result); err != nil {
		return err
	}
	if r.Set.Protocol == dataset.Refer {
		r.refer(s, truth, res)
	} else {
		r.confuse(s, truth, res)
	}
	return nil
}

// refer counts the pixels of the one object.
func (r *Runner) refer(s *dataset.Sample, truth *dataset.Truth, res *SampleResult) {
	for i, m := range r.result.Merge(truth.W, truth.H) {
		if truth.Labels[i] == dataset.Void {
			continue
		}
		there := int(truth.Labels[i]) == s.Objects[0]
		if there {
			res.TruthArea++
		}
		if there && m != 0 {
			res.Intersection++
		}
		if there || m != 0 {
			res.Union++
		}
	}
}

// confuse counts pixels by true and predicted class.
func (r *Runner) confuse(s *dataset.Sample, truth *dataset.Truth, res *SampleResult) {
	counts := make(map[[2]uint8]int64)
	at := nearest(r.result.W, r.result.H, truth.W, truth.H)
	for i, t := range truth.Labels {
		if t == dataset.Void {
			continue
		}
		label := uint8(0)
		if l := r.result.Labels[at(i)]; l > 0 {
			label = uint8(s.Objects[l-1])
		}
		counts[[2]uint8{t, label}]++
	}
	for t := range 256 {
		for l := range 256 {
			if n := counts[[2]uint8{uint8(t), uint8(l)}]; n > 0 {
				res.Pixels = append(res.Pixels, [3]int64{int64(t), int64(l), n})
			}
		}
	}
}
