package tracking

import (
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestStateless: without memory all queries are evaluated in every frame, and nothing is
// propagated.
func TestStateless(t *testing.T) {
	s, w := newSession(t, 5, func(s *Session) { s.Tracker.Stateless = true })
	frames := []*car.Image{paint(square{0, 5, 5, 12}), paint(square{1, 5, 5, 12}, square{3, 40, 20, 12}), car.NewImage(frameW, frameH), paint(square{2, 30, 9, 12})}
	want := [][]int{{0}, {1, 3}, nil, {2}}
	for i, step := range play(t, s, frames) {
		if !step.Key || !slices.Equal(visibleQueries(step), want[i]) {
			t.Errorf("frame %d: key frame %v, shows %v, want %v", i, step.Key, visibleQueries(step), want[i])
		}
	}
	if w.encoded != len(frames) {
		t.Errorf("%d of %d frames encoded", w.encoded, len(frames))
	}
}

// TestProbes: every absent query is probed within Probe, and no more often than needed.
func TestProbes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n = 6
	for _, probe := range []Interval{Frames(1), Frames(4), Frames(20), {Time: 400 * time.Millisecond}} {
		frames := probe.Frames
		if probe.Time > 0 {
			frames = int64(probe.Time / (40 * time.Millisecond))
		}
		s, _ := newSession(t, n, func(s *Session) { s.Tracker.Every, s.Tracker.Probe = 1, probe })
		last := make([]int64, n)
		evaluated := 0
		s.Tracker.Explain = func(e *Explanation) {
			for q, x := range e.Queries {
				if x.Evaluated == "probe" {
					evaluated++
				}
				if x.Evaluated != "" {
					last[q] = e.Frame
				}
				if wait := e.Frame - last[q]; wait > frames+1 {
					t.Errorf("probe %v: query %d has waited %d frames at frame %d", probe, q, wait, e.Frame)
				}
			}
		}
		play(t, s, makeFrames(60, func(int) *car.Image { return paint(square{4, 20, 20, 14}) }))
		if most := (n-1)*60/int(frames) + n; evaluated > most {
			t.Errorf("probe %v: %d probes in 60 frames, want %d at most", probe, evaluated, most)
		}
	}
}

// TestStays: a present query is not dropped for one miss, unless it is clearly absent. An
// absent query enters the set at once only if it passes clearly.
func TestStays(t *testing.T) {
	s, _ := newSession(t, 2, nil)
	tr := &s.Tracker // its presence threshold is .6
	in, out := &tr.state.Queries[0], &tr.state.Queries[1]
	in.Present = true
	weak, none := car.Judgement{Score: .9, Presence: .4}, car.Judgement{Score: .9, Presence: .01}
	for _, c := range []struct {
		name   string
		query  int
		j      car.Judgement
		passes bool
		misses int
		want   bool
	}{
		{"present, passes", 0, car.Judgement{Score: .9, Presence: .9}, true, 0, true},
		{"present, fails once", 0, weak, false, 0, true},
		{"present, fails twice", 0, weak, false, 1, false},
		{"present, clearly absent now", 0, none, false, 0, false},
		{"present, passes after a failure", 0, car.Judgement{Score: .9, Presence: .9}, true, 1, true},
		{"absent, fails", 1, weak, false, 0, false},
		{"absent, passes clearly", 1, car.Judgement{Score: .9, Presence: .9}, true, 0, true},
	} {
		in.Misses = c.misses
		out.Confirmations = 0
		if got := tr.decideOn(c.query, c.j, c.passes, Moment{}); got != c.want {
			t.Errorf("%s: stays %v", c.name, got)
		}
	}
	unsure := car.Judgement{Score: .9, Presence: float32(defaultParams.CertainPresence) - .01}
	if tr.decideOn(1, unsure, true, Moment{}) || out.Confirmations != 1 {
		t.Error("a query that passes narrowly enters at once")
	}
	if !tr.decideOn(1, unsure, true, Moment{}) {
		t.Error("a query that passes narrowly does not enter the second time")
	}
	if tr.decideOn(1, unsure, true, Moment{}); out.Confirmations != 1 {
		t.Error("the confirmations are not reset")
	}
	if tr.decideOn(1, unsure, false, Moment{}) || out.Confirmations != 0 {
		t.Error("a failure does not reset the confirmations")
	}
}

// TestReevaluatesDropped: a query that was dropped is evaluated again soon, and then less
// and less often.
func TestReevaluatesDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s, _ := newSession(t, 4, func(s *Session) { s.Tracker.Every, s.Tracker.Probe = 1, Interval{Time: time.Hour} })
	var evaluated []int64
	s.Tracker.Explain = func(e *Explanation) {
		if e.Queries[1].Evaluated == "dropped" {
			evaluated = append(evaluated, e.Frame)
		}
	}
	play(t, s, makeFrames(60, func(i int) *car.Image {
		if i < 10 {
			return paint(square{0, 40, 20, 12}, square{1, 10, 10, 12})
		}
		return paint(square{0, 40, 20, 12})
	}))
	if len(evaluated) < 3 || len(evaluated) > 7 || evaluated[0] > 12 {
		t.Errorf("evaluated again in frames %v", evaluated)
	}
	for i := 2; i < len(evaluated); i++ {
		if evaluated[i]-evaluated[i-1] < evaluated[i-1]-evaluated[i-2] {
			t.Errorf("evaluated again in frames %v: not ever more rarely", evaluated)
		}
	}
}

// TestExplain: every frame has an explanation of what was decided.
func TestExplain(t *testing.T) {
	s, _ := newSession(t, 3, nil)
	var keys, frames int
	s.Tracker.Explain = func(e *Explanation) {
		frames++
		if e.Key != "" {
			keys++
		} else if slices.ContainsFunc(e.Queries, func(q QueryExplanation) bool { return q.Evaluated != "" }) {
			t.Errorf("frame %d is no key frame, and a query was evaluated", e.Frame)
		}
		if (e.Frame == 0) != (e.Key == "new shot") {
			t.Errorf("frame %d is a key frame because of %q", e.Frame, e.Key)
		}
		if e.Queries[2].Label != "concept2" || e.Queries[2].State != "present" || e.Queries[0].State != "absent" {
			t.Errorf("frame %d: %+v", e.Frame, e.Queries)
		}
	}
	play(t, s, makeFrames(30, func(i int) *car.Image { return paint(square{2, 10 + i, 10, 15}) }))
	if frames != 30 || keys == 0 || keys == 30 {
		t.Errorf("%d frames, %d key frames", frames, keys)
	}
}

func TestInitialize(t *testing.T) {
	s, _ := newSession(t, 2, nil)
	if s.Tracker.Probe != DefaultProbe || s.Tracker.JudgeEvery != DefaultJudgeEvery || s.Tracker.MaxEvery != DefaultMaxEvery {
		t.Errorf("defaults: %v, %v, %d", s.Tracker.Probe, s.Tracker.JudgeEvery, s.Tracker.MaxEvery)
	}
	for name, set := range map[string]func(*Tracker){
		"negative probe":   func(t *Tracker) { t.Probe = Frames(-1) },
		"negative judging": func(t *Tracker) { t.JudgeEvery = Interval{Time: -1} },
		"negative spacing": func(t *Tracker) { t.Every = -1 },
		"no query":         func(t *Tracker) { t.Queries = nil },
	} {
		tr := s.Tracker
		set(&tr)
		if err := tr.Initialize(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
