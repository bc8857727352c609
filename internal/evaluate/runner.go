package evaluate

import (
	"context"
	"fmt"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/video"
)

// A SampleResult is the result of one sample: enough to sum up a set without its
// images.
type SampleResult struct {
	MessageType string  `json:"message_type"` // "sample"
	ID          string  `json:"id"`
	Seconds     float64 `json:"seconds"`
	Frames      int     `json:"frames"`

	// Semantic: pixel counts as triples of true class, predicted class and count.
	Pixels [][3]int64 `json:"pixels,omitempty"`

	// Refer: the pixels of the object and those of the mask.
	Intersection int `json:"intersection,omitempty"`
	Union        int `json:"union,omitempty"`
	TruthArea    int `json:"truth_area,omitempty"`

	// VOS.
	Objects []ObjectResult `json:"objects,omitempty"`

	// Concepts.
	Film *VideoResult `json:"film,omitempty"`
}

// An ObjectResult is the result of one object of a sequence.
type ObjectResult struct {
	Label string     `json:"label"`
	ID    int        `json:"id"`
	J     score.Stat `json:"j"`
	F     score.Stat `json:"f"`
	IoU   [][2]int   `json:"iou"` // intersection and union in every frame
}

// A Runner segments the samples of a data set and measures the results, one sample at a
// time. It keeps the queries of the last sample.
type Runner struct {
	Set       *dataset.Set
	Segmenter *car.Segmenter

	// Open opens an image or a video.
	Open func(path string) (*video.Source, error)

	// Tracking has the options for propagation in videos and in sequences, which are
	// shown at [SequenceRate].
	Tracking carve.Tracking
	Oracle   bool // for videos: query only what the truth has in each frame

	Side    int // longer side of the model's image; 0 is the original size
	Threads int

	bank    *car.Bank // of the last sample's queries
	queries []car.Query
	result  car.Result
}

// Run segments one sample.
func (r *Runner) Run(ctx context.Context, s *dataset.Sample) (*SampleResult, error) {
	from := time.Now()
	res := &SampleResult{MessageType: "sample", ID: s.ID, Frames: len(s.Frames)}
	var err error
	switch r.Set.Protocol {
	case dataset.VOS:
		err = r.sequence(ctx, s, res)
	case dataset.Concepts:
		err = r.video(ctx, s, res)
	default:
		err = r.still(ctx, s, res)
	}
	res.Seconds = time.Since(from).Seconds()
	return res, err
}

// Fill adds to results the samples of the set that they lack, and calls after for each
// of them. If the context ends it returns its error; the samples done by then are in
// results.
func (r *Runner) Fill(ctx context.Context, results *Results, lacking []*dataset.Sample, after func(i int)) error {
	for i, s := range lacking {
		res, err := r.Run(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("evaluating sample %s: %w", s.ID, err)
		}
		if err := results.Add(res); err != nil {
			return err
		}
		after(i)
	}
	return nil
}

// Queries returns the queries of samples, once where consecutive samples share them.
func Queries(samples []*dataset.Sample) []car.Query {
	var all []car.Query
	for i, s := range samples {
		if i == 0 || !sameQueries(samples[i-1].Queries, s.Queries) {
			all = append(all, s.Queries...)
		}
	}
	return all
}

// sameQueries tells whether two samples share their queries, as the classes of a data
// set do.
func sameQueries(a, b []car.Query) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
