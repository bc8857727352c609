package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A sampleResult is what one sample came to: enough to sum a set up without its
// pictures.
type sampleResult struct {
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
	Objects []objectResult `json:"objects,omitempty"`

	// Concepts.
	Film *filmResult `json:"film,omitempty"`
}

// An objectResult is one object of a sequence.
type objectResult struct {
	Label string     `json:"label"`
	ID    int        `json:"id"`
	J     score.Stat `json:"j"`
	F     score.Stat `json:"f"`
	IoU   [][2]int   `json:"iou"` // intersection and union in every frame
}

// A sampleRunner segments samples.
type sampleRunner struct {
	set       *dataset.Set
	segmenter *car.Segmenter
	options   *runOptions // what is said of memory
	oracle    bool        // tell it what is there
	side      int         // 0: pictures as they are
	threads   int

	bank    *car.Bank // of the queries that the last sample had
	queries []car.Query
	result  car.Result
}

func (r *sampleRunner) run(ctx context.Context, s *dataset.Sample) (*sampleResult, error) {
	from := time.Now()
	res := &sampleResult{MessageType: "sample", ID: s.ID, Frames: len(s.Frames)}
	var err error
	switch r.set.Protocol {
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

// picture reads frame i of a sample at the size it is segmented at, and its truth.
func (r *sampleRunner) picture(ctx context.Context, s *dataset.Sample, i int) (*car.Image, *dataset.Truth, error) {
	budget := newBudget(r.options.maxMemory)
	src := &video.Source{Path: s.Frames[i], Afford: budget.afford}
	if err := src.Initialize(); err != nil {
		return nil, nil, inputError(err)
	}
	defer src.Close()
	truth, err := s.Truth(i)
	if err != nil {
		return nil, nil, err
	}
	if w, h := video.ModelSize(src.Info(), 0); truth.W != w || truth.H != h {
		return nil, nil, fmt.Errorf("%s is %dx%d and its truth %dx%d", s.Frames[i], w, h, truth.W, truth.H)
	}
	img, _, err := moment(ctx, src, 0, r.side)
	return img, truth, err
}

// still segments one picture: all classes, or all sentences of one object.
func (r *sampleRunner) still(ctx context.Context, s *dataset.Sample, res *sampleResult) error {
	img, truth, err := r.picture(ctx, s, 0)
	if err != nil {
		return err
	}
	if r.bank == nil || len(r.queries) != len(s.Queries) || &r.queries[0] != &s.Queries[0] {
		if r.bank, err = r.segmenter.Encode(ctx, s.Queries); err != nil {
			return textError(err)
		}
		r.queries = s.Queries
	}
	scene, err := r.segmenter.Look(ctx, img)
	if err != nil {
		return err
	}
	defer scene.Close()
	out, err := r.segmenter.Loop(ctx, scene, r.bank)
	if err != nil {
		return err
	}
	if err := r.segmenter.RefineInto(ctx, scene, out, &r.result); err != nil {
		return err
	}
	if r.set.Protocol == dataset.Refer {
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
		return nil
	}
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
	return nil
}

// nearest maps a pixel of a w×h picture to one of sw×sh, in half-pixel centres.
func nearest(sw, sh, w, h int) func(i int) int {
	return func(i int) int { return (2*(i/w)+1)*sh/(2*h)*sw + (2*(i%w)+1)*sw/(2*w) }
}

// sequenceRate is that of DAVIS's sequences, whose pictures have no times.
var sequenceRate = video.Rational{Num: 24, Den: 1}

// sequence segments a film of pictures, with memory, and holds every object
// against the truth.
func (r *sampleRunner) sequence(ctx context.Context, s *dataset.Sample, res *sampleResult) error {
	session := r.options.tracking(sequenceRate).Session(r.segmenter, s.Queries, r.options.threads)
	if err := session.Initialize(ctx); err != nil {
		return textError(err)
	}
	var w, h int
	var objects []annotation.Object
	for i, q := range s.Queries {
		objects = append(objects, annotation.Object{ID: s.Objects[i], Name: q.Label})
	}
	// Two objects may be asked for by the same words: both are what the first is.
	asked := make([]int, len(s.Queries))
	for k, q := range s.Queries {
		asked[k] = slices.IndexFunc(s.Queries, func(other car.Query) bool { return slices.Equal(q.Phrases, other.Phrases) })
	}
	var frames []*annotation.Frame
	take := func(steps []*tracking.Step) {
		for _, step := range steps {
			frames = append(frames, frameOf(step.Result, asked, w, h))
			step.Close()
			session.Carrier.Recycle(step.Result)
		}
	}
	for i := range s.Frames {
		img, seen, err := r.picture(ctx, s, i)
		if err != nil {
			return err
		}
		if i == 0 {
			w, h = seen.W, seen.H
		}
		if seen.W != w || seen.H != h {
			return fmt.Errorf("frame %d is %dx%d, the first %dx%d", i, seen.W, seen.H, w, h)
		}
		steps, err := session.Next(ctx, img, time.Duration(i)*time.Second*time.Duration(sequenceRate.Den)/time.Duration(sequenceRate.Num))
		take(steps)
		if err != nil {
			return err
		}
	}
	take(session.Flush())
	result := annotation.New(w, h, len(frames), objects, func(i int) (*annotation.Frame, error) {
		f := *frames[i]
		return &f, nil
	})
	truth := annotation.New(w, h, len(frames), objects, func(i int) (*annotation.Frame, error) {
		t, err := s.Truth(i)
		if err != nil {
			return nil, err
		}
		f := &annotation.Frame{W: w, H: h, Masks: make([]*annotation.Mask, len(objects)), Void: annotation.NewMask(w, h)}
		for k := range objects {
			f.Masks[k] = annotation.NewMask(w, h)
		}
		for p, l := range t.Labels {
			if l == dataset.Void {
				f.Void.Set(p%w, p/w)
				continue
			}
			for k := range objects {
				if int(l) == s.Objects[k] {
					f.Masks[k].Set(p%w, p/w)
				}
			}
		}
		return f, nil
	})
	pairs := make([]score.Pair, len(objects))
	for k, o := range objects {
		pairs[k] = score.Pair{Object: o, Truth: k, Result: k}
	}
	tracks, err := score.Follow(ctx, truth, result, pairs, r.threads)
	if err != nil {
		return err
	}
	for _, t := range tracks.Objects {
		// As DAVIS has it where the first frame is not given: all frames count.
		regions := t.Regions(false)
		o := objectResult{Label: t.Name, ID: t.ID, J: regions.J, F: regions.F}
		for i := range t.Union {
			o.IoU = append(o.IoU, [2]int{t.Intersection[i], t.Union[i]})
		}
		res.Objects = append(res.Objects, o)
	}
	return nil
}
