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

// A SampleResult is what one sample came to: enough to sum a set up without its
// pictures.
type SampleResult struct {
	MessageType string  `json:"message_type"` // "sample"
	ID          string  `json:"id"`
	Seconds     float64 `json:"seconds"`
	Frames      int     `json:"frames"`

	// Semantic: pixels by what they are and what they were taken for, as triples
	// of truth, result and count.
	Pixels [][3]int64 `json:"pixels,omitempty"`

	// Refer: the object's own pixels and those of the mask.
	Intersection int `json:"intersection,omitempty"`
	Union        int `json:"union,omitempty"`
	TruthArea    int `json:"truth_area,omitempty"`

	// VOS.
	Objects []ObjectResult `json:"objects,omitempty"`

	// Concepts.
	Film *VideoResult `json:"film,omitempty"`
}

// An ObjectResult is one object of a sequence.
type ObjectResult struct {
	Label string     `json:"label"`
	ID    int        `json:"id"`
	J     score.Stat `json:"j"`
	F     score.Stat `json:"f"`
	IoU   [][2]int   `json:"iou"` // intersection and union in every frame
}

// A Runner segments the samples of a data set and measures what was found. It keeps the
// queries of the last sample, and does one at a time.
type Runner struct {
	Set       *dataset.Set
	Segmenter *car.Segmenter

	// Open opens a picture or a film.
	Open func(path string) (*video.Source, error)

	// Tracking says what is carried from frame to frame of films and of sequences, which
	// are shown at [SequenceRate].
	Tracking carve.Tracking
	Oracle   bool // of films: tell it what is there, and ask for nothing else

	Side    int // longer side of what the model sees; 0: pictures as they are
	Threads int

	bank    *car.Bank // of the queries that the last sample had
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
		err = r.film(ctx, s, res)
	default:
		err = r.still(ctx, s, res)
	}
	res.Seconds = time.Since(from).Seconds()
	return res, err
}

// Fill adds to results what they lack of the set, and calls after behind each sample. Its
// error is the context's where that has ended: what was done by then is in the results.
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

// Queries are those of samples, once where samples that follow each other share them.
func Queries(samples []*dataset.Sample) []car.Query {
	var all []car.Query
	for i, s := range samples {
		if i == 0 || !sameQueries(samples[i-1].Queries, s.Queries) {
			all = append(all, s.Queries...)
		}
	}
	return all
}

// sameQueries tells whether two samples share their queries, which is so with the classes
// of a data set.
func sameQueries(a, b []car.Query) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
