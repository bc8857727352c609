package evaluate

import (
	"math"
	"slices"
	"strconv"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// A VideoScore is the row of a video, or of all of them.
type VideoScore struct {
	Clip string `json:"clip"`

	J  Figure `json:"j"` // means over the concepts of the truth
	F  Figure `json:"f"`
	JF Figure `json:"j_and_f"`

	Found  Figure `json:"found"`         // share of the frames with at least 1 % of a concept
	False  Figure `json:"false_present"` // share of the frames of queries that are never there
	Away   Figure `json:"false_away"`    // share of the frames without a concept that is there in others
	Absent int    `json:"absent_queries"`

	Returns int    `json:"returns"`
	Missed  int    `json:"returns_missed"`
	Median  Figure `json:"return_latency_median"` // frames
	Latest  Figure `json:"return_latency_max"`

	Instability  Figure `json:"lost_stability"`
	ExtraToggles Figure `json:"extra_toggles"` // per concept

	Cuts      int     `json:"cuts"`
	AfterCut  int     `json:"frames_after_cut"`
	Frames    int     `json:"frames"`
	Keys      float64 `json:"key_frames"`          // share of the frames
	Evaluated float64 `json:"evaluated_per_frame"` // queries
	Judged    float64 `json:"judged_per_frame"`    // queries
	Time      float64 `json:"ms_per_frame"`
}

// videoScores has a row for each video and a last one for all. The last has the mean of
// the videos for values that are means, and is computed from joint counts for shares.
func videoScores(samples []*SampleResult) []VideoScore {
	var rows []VideoScore
	var all []ConceptResult
	total := &VideoResult{}
	frames := 0
	for _, s := range samples {
		rows = append(rows, s.Film.score(s.ID, s.Frames))
		all = append(all, s.Film.Concepts...)
		total.Seconds += s.Film.Seconds
		total.Keys += s.Film.Keys
		total.Evaluated += s.Film.Evaluated
		total.Judged += s.Film.Judged
		total.Cuts += s.Film.Cuts
		total.AfterCut = max(total.AfterCut, s.Film.AfterCut)
		frames += s.Frames
	}
	total.Concepts = all
	sum := total.score("all", frames)
	mean := func(of func(*VideoScore) Figure) Figure {
		var v []float64
		for i := range rows {
			v = append(v, float64(of(&rows[i])))
		}
		return Figure(score.Mean(v))
	}
	sum.J, sum.F = mean(func(r *VideoScore) Figure { return r.J }), mean(func(r *VideoScore) Figure { return r.F })
	sum.JF = mean(func(r *VideoScore) Figure { return r.JF })
	sum.Instability = mean(func(r *VideoScore) Figure { return r.Instability })
	sum.ExtraToggles = mean(func(r *VideoScore) Figure { return r.ExtraToggles })
	return append(rows, sum)
}

func (f *VideoResult) score(name string, frames int) VideoScore {
	s := VideoScore{Clip: name, Cuts: f.Cuts, AfterCut: f.AfterCut, Frames: frames,
		Keys: float64(f.Keys) / float64(max(frames, 1)), Evaluated: float64(f.Evaluated) / float64(max(frames, 1)),
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
	s.J, s.F = Figure(score.Mean(j)), Figure(score.Mean(fs))
	s.JF = (s.J + s.F) / 2
	s.Found, s.False, s.Away = Figure(there.Seen()), Figure(away.FalsePresent()), Figure(there.FalsePresent())
	s.Returns, s.Missed = there.Reentries, there.Missed
	s.Median, s.Latest = Figure(math.NaN()), Figure(math.NaN())
	if n := len(there.Latency); n > 0 {
		sorted := slices.Sorted(slices.Values(there.Latency))
		s.Median, s.Latest = Figure(float64(sorted[(n-1)/2]+sorted[n/2])/2), Figure(sorted[n-1])
	}
	s.Instability, s.ExtraToggles = Figure(score.Mean(instability)), Figure(score.Mean(toggles))
	return s
}

func videoTable(rows []VideoScore) *ui.Table {
	t := ui.NewTable("clip", "J&F", "J", "F", "found", "false", "away", "returns", "missed", "median", "latest", "lost", "toggles", "after cut", "keys", "evaluated", "judged", "ms")
	count := func(f Figure) string {
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
			strconv.FormatFloat(r.Keys, 'f', 2, 64), strconv.FormatFloat(r.Evaluated, 'f', 1, 64), strconv.FormatFloat(r.Judged, 'f', 1, 64), strconv.FormatFloat(r.Time, 'f', 0, 64))
	}
	return t
}
