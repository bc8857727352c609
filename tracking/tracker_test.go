package tracking

import (
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// Without memory every frame is asked everything, and nothing is carried.
func TestStateless(t *testing.T) {
	s, w := newSession(t, 5, func(s *Session) { s.Tracker.Stateless = true })
	film := []*car.Image{paint(square{0, 5, 5, 12}), paint(square{1, 5, 5, 12}, square{3, 40, 20, 12}), car.NewImage(worldW, worldH), paint(square{2, 30, 9, 12})}
	want := [][]int{{0}, {1, 3}, nil, {2}}
	for i, step := range play(t, s, film) {
		if !step.Key || !slices.Equal(shows(step), want[i]) {
			t.Errorf("frame %d: key frame %v, shows %v, want %v", i, step.Key, shows(step), want[i])
		}
	}
	if w.looks != len(film) {
		t.Errorf("%d looks at %d frames", w.looks, len(film))
	}
}

// Every absent query has its turn in time, and no more are asked than it takes.
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
		asked := 0
		s.Tracker.Explain = func(e *Explanation) {
			for q, x := range e.Queries {
				if x.Evaluated == "probe" {
					asked++
				}
				if x.Evaluated != "" {
					last[q] = e.Frame
				}
				if wait := e.Frame - last[q]; wait > frames+1 {
					t.Errorf("probe %v: query %d has waited %d frames at frame %d", probe, q, wait, e.Frame)
				}
			}
		}
		play(t, s, ticks(60, func(int) *car.Image { return paint(square{4, 20, 20, 14}) }))
		if most := (n-1)*60/int(frames) + n; asked > most {
			t.Errorf("probe %v: %d probes in 60 frames, want %d at most", probe, asked, most)
		}
	}
}

// Who is of the set is not dropped for one bad judgement, unless it is very bad; who
// is not is let in at once only if it is clear.
func TestKeep(t *testing.T) {
	s, _ := newSession(t, 2, nil)
	tr := &s.Tracker // its presence threshold is .6
	in, out := &tr.state.Queries[0], &tr.state.Queries[1]
	in.Present = true
	weak, none := car.Judgement{Score: .9, Presence: .4}, car.Judgement{Score: .9, Presence: .01}
	for _, c := range []struct {
		name   string
		query  int
		j      car.Judgement
		fits   bool
		doubts int
		want   bool
	}{
		{"of the set, passes", 0, car.Judgement{Score: .9, Presence: .9}, true, 0, true},
		{"of the set, fails once", 0, weak, false, 0, true},
		{"of the set, fails twice", 0, weak, false, 1, false},
		{"of the set, nothing speaks for it", 0, none, false, 0, false},
		{"passes again after a failure", 0, car.Judgement{Score: .9, Presence: .9}, true, 1, true},
		{"not of the set, fails", 1, weak, false, 0, false},
		{"not of the set, clear", 1, car.Judgement{Score: .9, Presence: .9}, true, 0, true},
	} {
		in.Misses = c.doubts
		out.Confirmations = 0
		if got := tr.stays(c.query, c.j, c.fits); got != c.want {
			t.Errorf("%s: kept %v", c.name, got)
		}
	}
	near := car.Judgement{Score: .9, Presence: certain - .01}
	if tr.stays(1, near, true) || out.Confirmations != 1 {
		t.Error("a near thing is let in at once")
	}
	if !tr.stays(1, near, true) {
		t.Error("a near thing is not let in the second time")
	}
	if tr.stays(1, near, true); out.Confirmations != 1 {
		t.Error("hopes are not forgotten")
	}
	if tr.stays(1, near, false) || out.Confirmations != 0 {
		t.Error("a hope outlives a failure")
	}
}

// Who was dropped is asked again soon, then less and less often.
func TestAskedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s, _ := newSession(t, 4, func(s *Session) { s.Tracker.Every, s.Tracker.Probe = 1, Interval{Time: time.Hour} })
	var asked []int64
	s.Tracker.Explain = func(e *Explanation) {
		if e.Queries[1].Evaluated == "dropped" {
			asked = append(asked, e.Frame)
		}
	}
	play(t, s, ticks(60, func(i int) *car.Image {
		if i < 10 {
			return paint(square{0, 40, 20, 12}, square{1, 10, 10, 12})
		}
		return paint(square{0, 40, 20, 12})
	}))
	if len(asked) < 3 || len(asked) > 7 || asked[0] > 12 {
		t.Errorf("asked again in frames %v", asked)
	}
	for i := 2; i < len(asked); i++ {
		if asked[i]-asked[i-1] < asked[i-1]-asked[i-2] {
			t.Errorf("asked again in frames %v: not ever more rarely", asked)
		}
	}
}

// Explanations say of every frame what was done.
func TestExplains(t *testing.T) {
	s, _ := newSession(t, 3, nil)
	var keys, frames int
	s.Tracker.Explain = func(e *Explanation) {
		frames++
		if e.Key != "" {
			keys++
		} else if slices.ContainsFunc(e.Queries, func(q QueryExplanation) bool { return q.Evaluated != "" }) {
			t.Errorf("frame %d is no key frame, and somebody was asked", e.Frame)
		}
		if (e.Frame == 0) != (e.Key == "new shot") {
			t.Errorf("frame %d is a key frame because of %q", e.Frame, e.Key)
		}
		if e.Queries[2].Label != "concept2" || e.Queries[2].State != "present" || e.Queries[0].State != "absent" {
			t.Errorf("frame %d: %+v", e.Frame, e.Queries)
		}
	}
	play(t, s, ticks(30, func(i int) *car.Image { return paint(square{2, 10 + i, 10, 15}) }))
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
