package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A filmResult is what a film with concepts came to.
type filmResult struct {
	Concepts []conceptResult `json:"concepts"`

	// Seconds went into segmenting, without reading, decoding and measuring.
	Seconds float64 `json:"seconds"`
	// Keys are the frames that the model looked at, Asked how many queries it was
	// asked for in them, and Judged how many of those were judged.
	Keys   int `json:"keys"`
	Asked  int `json:"asked"`
	Judged int `json:"judged"`
	// Cuts is the number of hard cuts, and AfterCut for how many frames after one
	// something was still found that had been there before and was not any more: the
	// most there were.
	Cuts     int `json:"cuts"`
	AfterCut int `json:"after_cut"`
}

// A conceptResult is what one query came to in a film.
type conceptResult struct {
	Concept  string         `json:"concept"`
	InTruth  bool           `json:"in_truth"`
	J        *score.Stat    `json:"j,omitempty"` // of what is in the truth
	F        *score.Stat    `json:"f,omitempty"`
	Presence score.Presence `json:"presence"`
	// What the masks flicker beyond the truth.
	Instability  figure `json:"lost_stability"`
	ExtraJitter  figure `json:"extra_area_jitter"`
	ExtraToggles figure `json:"extra_toggles"`
}

// film segments a film and measures every concept.
func (r *sampleRunner) film(ctx context.Context, s *dataset.Sample, res *sampleResult) error {
	truth, err := annotation.Open(ctx, s.Folder, annotation.Options{Workers: r.threads})
	if err != nil {
		return err
	}
	if truth.Len() != len(s.Frames) {
		return fmt.Errorf("%s has %s and its truth %d", s.ID, ui.Counted(len(s.Frames), "frame"), truth.Len())
	}
	res.Film = &filmResult{Cuts: len(s.Cuts)}
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
	tracks, err := score.Follow(ctx, truth, result, pairs, r.threads)
	if err != nil {
		return err
	}
	for _, t := range tracks.Objects {
		flicker := t.Flicker(truth.W*truth.H, 0)
		c := conceptResult{Concept: t.Name, InTruth: t.InTruth(), Presence: t.Presence(truth.W * truth.H),
			Instability: figure(flicker.Instability), ExtraJitter: figure(flicker.ExtraJitter), ExtraToggles: figure(flicker.ExtraToggles)}
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

// masks segments every frame, with memory or without, and keeps what was found at
// the truth's size.
func (r *sampleRunner) masks(ctx context.Context, s *dataset.Sample, truth *annotation.Sequence, film *filmResult) ([]*annotation.Frame, error) {
	all := make([]int, len(s.Queries))
	for k := range all {
		all[k] = k
	}
	var frames []*annotation.Frame
	take := func(res *car.Result) { frames = append(frames, frameOf(res, all, truth.W, truth.H)) }
	next, last, err := r.rememberer(ctx, s, film, take)
	if r.oracle {
		next, last, err = r.told(ctx, s, truth, film, take)
	}
	if err != nil {
		return nil, err
	}
	n := 0
	err = r.pictures(ctx, s, func(img *car.Image, at time.Duration) error {
		if n == len(s.Frames) {
			return fmt.Errorf("%s has more than the %d frames of its truth", s.ID, len(s.Frames))
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

// rememberer segments as carve does.
func (r *sampleRunner) rememberer(ctx context.Context, s *dataset.Sample, film *filmResult, take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
	session := r.options.tracking(sequenceRate).Session(r.segmenter, s.Queries, r.options.threads)
	session.Tracker.Explain = func(e *tracking.Explanation) {
		if e.Key != "" {
			film.Keys++
		}
		for _, q := range e.Queries {
			if q.Asked != "" {
				film.Asked++
			}
			if q.Asked != "" && q.Verdict != "spared" {
				film.Judged++
			}
		}
	}
	if err := session.Initialize(ctx); err != nil {
		return nil, nil, textError(err)
	}
	done := func(steps []*tracking.Step) {
		for _, step := range steps {
			take(step.Result)
			step.Close()
			session.Carrier.Recycle(step.Result)
		}
	}
	return func(img *car.Image, at time.Duration) error {
		// Frames are held back, and the picture is the reader's.
		steps, err := session.Next(ctx, &car.Image{Pix: slices.Clone(img.Pix), W: img.W, H: img.H}, at)
		done(steps)
		return err
	}, func() { done(session.Flush()) }, nil
}

// told segments with what is there told, and nothing to drop.
func (r *sampleRunner) told(ctx context.Context, s *dataset.Sample, truth *annotation.Sequence, film *filmResult, take func(*car.Result)) (next func(*car.Image, time.Duration) error, last func(), err error) {
	queries := slices.Clone(s.Queries)
	for i := range queries {
		queries[i].Theta = new(float32)
	}
	bank, err := r.segmenter.Encode(ctx, queries)
	if err != nil {
		return nil, nil, textError(err)
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
		film.Asked += len(asked)
		scene, err := r.segmenter.Look(ctx, img)
		if err != nil {
			return err
		}
		defer scene.Close()
		outcome, err := r.segmenter.Step(ctx, scene, bank, car.Ask{Queries: asked})
		if err != nil {
			return err
		}
		if err := r.segmenter.RefineInto(ctx, scene, outcome, &r.result); err != nil {
			return err
		}
		take(&r.result)
		return nil
	}, func() {}, nil
}

// frameOf keeps the masks of some queries of a result, at another size.
func frameOf(result *car.Result, queries []int, w, h int) *annotation.Frame {
	f := &annotation.Frame{W: w, H: h, Masks: make([]*annotation.Mask, len(queries))}
	at := nearest(result.W, result.H, w, h)
	for k, q := range queries {
		found := result.Lookup(q)
		if found == nil || found.Area == 0 {
			continue
		}
		m := annotation.NewMask(w, h)
		for p := range w * h {
			if found.Mask[at(p)] != 0 {
				m.Set(p%w, p/w)
			}
		}
		f.Masks[k] = m
	}
	return f
}

// pictures calls do with every frame of a film, or of a row of pictures.
func (r *sampleRunner) pictures(ctx context.Context, s *dataset.Sample, do func(*car.Image, time.Duration) error) error {
	if s.Film == "" {
		for i, path := range s.Frames {
			at := time.Duration(i) * time.Second * time.Duration(sequenceRate.Den) / time.Duration(sequenceRate.Num)
			if err := r.read(ctx, path, func(img *car.Image, _ time.Duration) error { return do(img, at) }); err != nil {
				return err
			}
		}
		return nil
	}
	return r.read(ctx, s.Film, do)
}

func (r *sampleRunner) read(ctx context.Context, path string, do func(*car.Image, time.Duration) error) error {
	budget := newBudget(r.options.maxMemory)
	src := &video.Source{Path: path, Afford: budget.afford}
	if err := src.Initialize(); err != nil {
		return inputError(err)
	}
	defer src.Close()
	for shot, err := range src.Each(ctx, r.side) {
		if err != nil {
			return err
		}
		picture, err := shot.Picture()
		if err != nil {
			return err
		}
		if err := do(&car.Image{Pix: picture.Pix, W: picture.W, H: picture.H}, shot.Time()); err != nil {
			return err
		}
	}
	return nil
}

// A filmScore is the row of a film, or of all of them together.
type filmScore struct {
	Clip string `json:"clip"`

	J  figure `json:"j"` // means over the concepts of the truth
	F  figure `json:"f"`
	JF figure `json:"j_and_f"`

	Found  figure `json:"found"`         // of the frames with at least 1 % of a concept
	False  figure `json:"false_present"` // of the frames of queries that are never there
	Away   figure `json:"false_away"`    // of the frames without a concept that is there in others
	Absent int    `json:"absent_queries"`

	Returns int    `json:"returns"`
	Missed  int    `json:"returns_missed"`
	Median  figure `json:"return_latency_median"` // frames
	Latest  figure `json:"return_latency_max"`

	Instability  figure `json:"lost_stability"`
	ExtraToggles figure `json:"extra_toggles"` // a concept

	Cuts     int     `json:"cuts"`
	AfterCut int     `json:"frames_after_cut"`
	Frames   int     `json:"frames"`
	Keys     float64 `json:"key_frames"`       // share of the frames
	Asked    float64 `json:"asked_per_frame"`  // queries
	Judged   float64 `json:"judged_per_frame"` // of them
	Time     float64 `json:"ms_per_frame"`
}

// filmScores has a row for each film, and the last one for all: means of
// the films where the films' are means, counts joined where they are shares.
func filmScores(samples []*sampleResult) []filmScore {
	var rows []filmScore
	var all []conceptResult
	total := &filmResult{}
	frames := 0
	for _, s := range samples {
		rows = append(rows, s.Film.score(s.ID, s.Frames))
		all = append(all, s.Film.Concepts...)
		total.Seconds += s.Film.Seconds
		total.Keys += s.Film.Keys
		total.Asked += s.Film.Asked
		total.Judged += s.Film.Judged
		total.Cuts += s.Film.Cuts
		total.AfterCut = max(total.AfterCut, s.Film.AfterCut)
		frames += s.Frames
	}
	total.Concepts = all
	sum := total.score("all", frames)
	mean := func(of func(*filmScore) figure) figure {
		var v []float64
		for i := range rows {
			v = append(v, float64(of(&rows[i])))
		}
		return figure(score.Mean(v))
	}
	sum.J, sum.F = mean(func(r *filmScore) figure { return r.J }), mean(func(r *filmScore) figure { return r.F })
	sum.JF = mean(func(r *filmScore) figure { return r.JF })
	sum.Instability = mean(func(r *filmScore) figure { return r.Instability })
	sum.ExtraToggles = mean(func(r *filmScore) figure { return r.ExtraToggles })
	return append(rows, sum)
}

func (f *filmResult) score(name string, frames int) filmScore {
	s := filmScore{Clip: name, Cuts: f.Cuts, AfterCut: f.AfterCut, Frames: frames,
		Keys: float64(f.Keys) / float64(max(frames, 1)), Asked: float64(f.Asked) / float64(max(frames, 1)),
		Judged: float64(f.Judged) / float64(max(frames, 1)), Time: 1000 * f.Seconds / float64(max(frames, 1))}
	var j, fs, instability, toggles []float64
	var there, away score.Presence
	for _, c := range f.Concepts {
		if !c.InTruth {
			away = away.Add(c.Presence)
			s.Absent++
			continue
		}
		there = there.Add(c.Presence)
		j, fs = append(j, c.J.Mean), append(fs, c.F.Mean)
		instability, toggles = append(instability, float64(c.Instability)), append(toggles, float64(c.ExtraToggles))
	}
	s.J, s.F = figure(score.Mean(j)), figure(score.Mean(fs))
	s.JF = (s.J + s.F) / 2
	s.Found, s.False, s.Away = figure(there.Seen()), figure(away.FalsePresent()), figure(there.FalsePresent())
	s.Returns, s.Missed = there.Reentries, there.Missed
	s.Median, s.Latest = figure(math.NaN()), figure(math.NaN())
	if n := len(there.Latency); n > 0 {
		sorted := slices.Sorted(slices.Values(there.Latency))
		s.Median, s.Latest = figure(float64(sorted[(n-1)/2]+sorted[n/2])/2), figure(sorted[n-1])
	}
	s.Instability, s.ExtraToggles = figure(score.Mean(instability)), figure(score.Mean(toggles))
	return s
}

func filmTable(rows []filmScore) *ui.Table {
	t := ui.NewTable("clip", "J&F", "J", "F", "found", "false", "away", "returns", "missed", "median", "latest", "lost", "toggles", "after cut", "keys", "asked", "judged", "ms")
	count := func(f figure) string {
		if math.IsNaN(float64(f)) {
			return f.String()
		}
		return strconv.FormatFloat(float64(f), 'f', -1, 64)
	}
	for _, r := range rows {
		after := "–"
		if r.Cuts > 0 {
			after = strconv.Itoa(r.AfterCut)
		}
		t.Add(r.Clip, r.JF.String(), r.J.String(), r.F.String(), r.Found.String(), r.False.String(), r.Away.String(),
			strconv.Itoa(r.Returns), strconv.Itoa(r.Missed), count(r.Median), count(r.Latest),
			r.Instability.String(), strconv.FormatFloat(float64(r.ExtraToggles), 'f', 1, 64), after,
			strconv.FormatFloat(r.Keys, 'f', 2, 64), strconv.FormatFloat(r.Asked, 'f', 1, 64), strconv.FormatFloat(r.Judged, 'f', 1, 64), strconv.FormatFloat(r.Time, 'f', 0, 64))
	}
	return t
}
