package tracking

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carve-video/carve/car"
)

func ticks(n int, frame func(i int) *car.Image) []*car.Image {
	var film []*car.Image
	for i := range n {
		film = append(film, frame(i))
	}
	return film
}

// A thing that moves is looked at now and then, and its mask goes with it.
func TestMoves(t *testing.T) {
	at := func(i int) square { return square{0, 5 + i, 10 + i/3, 14} }
	s, w := newSession(t, 4, func(s *Session) { s.Propagator.Lookahead = 8 })
	steps := play(t, s, ticks(40, func(i int) *car.Image { return paint(at(i)) }))
	keys, last := 0, 0
	for i, step := range steps {
		if step.Key {
			keys, last = keys+1, i
		}
	}
	for i, step := range steps {
		if got := shows(step); !slices.Equal(got, []int{0}) {
			t.Errorf("frame %d shows %v", i, got)
		}
		// What has a key frame behind it as well is known from both sides. A square of
		// one colour is the hardest thing to follow: only its outline moves.
		least := .9
		if i > last {
			least = .75
		}
		if j := agrees(step, at(i)); j < least {
			t.Errorf("frame %d: the mask agrees to %.2f", i, j)
		}
	}
	if keys > 20 || keys != w.looks {
		t.Errorf("%d key frames and %d looks at 40 frames", keys, w.looks)
	}
}

// What stays as it is is looked at ever more rarely, and hardly ever judged.
func TestStill(t *testing.T) {
	s, w := newSession(t, 3, func(s *Session) { s.Tracker.JudgeEvery = Interval{Time: 4 * time.Second} })
	steps := play(t, s, ticks(100, func(int) *car.Image { return paint(square{1, 20, 20, 16}) }))
	if w.looks > 8+100/DefaultMaxEvery {
		t.Errorf("%d looks at a still picture", w.looks)
	}
	// The loop on the first frame, the square at most once more, and two absent
	// queries twice in these 4 seconds; some stages show the picture as it is.
	if w.judged > 12 {
		t.Errorf("%d pictures were judged", w.judged)
	}
	for i := 1; i < len(steps); i++ {
		if !slices.Equal(steps[i].Result.Labels, steps[0].Result.Labels) {
			t.Fatalf("the mask of a still thing changed in frame %d", i)
		}
	}
}

// What comes at once is seen in its first frame, and what goes at once is gone in
// the first frame without it.
func TestComesAndGoes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s, _ := newSession(t, 5, func(s *Session) {
		s.Tracker.Probe = Interval{Time: time.Hour}
		s.Propagator.Lookahead = 8
	})
	there := func(i int) bool { return i >= 23 && i < 47 || i >= 61 }
	steps := play(t, s, ticks(80, func(i int) *car.Image {
		if there(i) {
			return paint(square{2, 10, 10, 12}, square{0, 44, 20, 14})
		}
		return paint(square{0, 44, 20, 14})
	}))
	for i, step := range steps {
		if got := slices.Contains(shows(step), 2); got != there(i) {
			t.Errorf("frame %d: shown %v, there %v", i, got, there(i))
		}
		if !slices.Contains(shows(step), 0) {
			t.Errorf("frame %d: what stays is not shown", i)
		}
	}
}

// What creeps in without startling anybody is found late, and shown from where it
// was to be seen, as far as frames are held back. Nothing is shown before that.
func TestLookahead(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	at := func(i int) square { return square{3, worldW/unit - (i-12)/2, 16, 14} }
	film := ticks(60, func(i int) *car.Image {
		if i < 12 {
			return paint(square{0, 4, 20, 14})
		}
		return paint(square{0, 4, 20, 14}, at(i))
	})
	first := func(lookahead int) int {
		s, _ := newSession(t, 5, func(s *Session) { s.Propagator.Lookahead = lookahead; s.Tracker.Every = 8 })
		if s.Held() != lookahead {
			t.Errorf("look-ahead %d holds %d frames", lookahead, s.Held())
		}
		for i, step := range play(t, s, film) {
			if slices.Contains(shows(step), 3) {
				if at(i).x >= worldW/unit {
					t.Errorf("look-ahead %d: shown in frame %d, before it came", lookahead, i)
				}
				return i
			}
		}
		return len(film)
	}
	without, with := first(0), first(8)
	if with >= without || with > without-4 {
		t.Errorf("first shown in frame %d, with look-ahead in %d", without, with)
	}
}

// A cut, a gap and a blank leave nothing of what was.
func TestBreaks(t *testing.T) {
	here, there := square{0, 10, 10, 16}, square{1, 40, 20, 16}
	for name, c := range map[string]struct {
		film  []*car.Image
		times func(i int) time.Duration
		fresh []int64
		blank []int64
	}{
		"cut": {
			film:  append(ticks(6, func(int) *car.Image { return paint(here) }), ticks(6, func(int) *car.Image { return paintOn(1, there) })...),
			fresh: []int64{0, 6},
		},
		"gap": {
			film: append(ticks(6, func(int) *car.Image { return paint(here) }), ticks(6, func(int) *car.Image { return paint(here, there) })...),
			times: func(i int) time.Duration {
				if i >= 6 {
					return time.Duration(i)*40*time.Millisecond + 5*time.Second
				}
				return time.Duration(i) * 40 * time.Millisecond
			},
			fresh: []int64{0, 6},
		},
		"back in time": {
			film:  ticks(12, func(int) *car.Image { return paint(here) }),
			times: func(i int) time.Duration { return time.Duration(i%6) * 40 * time.Millisecond },
			fresh: []int64{0, 6},
		},
		"blank": {
			film: ticks(12, func(i int) *car.Image {
				if i >= 4 && i < 8 {
					return car.NewImage(worldW, worldH)
				}
				return paint(here)
			}),
			fresh: []int64{0, 4, 5, 6, 7, 8}, // a blank has nothing to go on from
			blank: []int64{4, 5, 6, 7},
		},
		"another size": {
			film:  append(ticks(3, func(int) *car.Image { return paint(here) }), car.NewImage(40, 40), car.NewImage(40, 40)),
			fresh: []int64{0, 3, 4}, blank: []int64{3, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newSession(t, 4, func(s *Session) { s.Propagator.Lookahead = 4; s.Tracker.Probe = Interval{Time: time.Hour} })
			var fresh, blank []int64
			take := func(steps []*Step) {
				for _, step := range steps {
					if step.NewShot {
						fresh = append(fresh, step.Frame)
						if step.Key != !step.Blank {
							t.Errorf("frame %d begins a shot: key frame %v, blank %v", step.Frame, step.Key, step.Blank)
						}
					}
					if step.Blank {
						blank = append(blank, step.Frame)
						if len(shows(step)) > 0 {
							t.Errorf("blank frame %d shows %v", step.Frame, shows(step))
						}
					}
					if name == "cut" {
						if want := []int{int(step.Frame / 6)}; !slices.Equal(shows(step), want) {
							t.Errorf("frame %d shows %v, want %v", step.Frame, shows(step), want)
						}
					}
					step.Close()
				}
			}
			for i, img := range c.film {
				at := time.Duration(i) * 40 * time.Millisecond
				if c.times != nil {
					at = c.times(i)
				}
				steps, err := s.Next(t.Context(), img, at)
				if err != nil {
					t.Fatal(err)
				}
				take(steps)
			}
			take(s.Flush())
			if name == "blank" || name == "another size" {
				// Only the first blank frame and the first after it matter.
				fresh = slices.DeleteFunc(fresh, func(f int64) bool { return slices.Contains(blank, f) && f != blank[0] })
				c.fresh = slices.DeleteFunc(c.fresh, func(f int64) bool { return slices.Contains(blank, f) && f != blank[0] })
				if name == "blank" {
					c.fresh = slices.DeleteFunc(c.fresh, func(f int64) bool { return f == 4 })
					fresh = slices.DeleteFunc(fresh, func(f int64) bool { return f == 4 }) // black may be a cut or not
				}
			}
			if !slices.Equal(fresh, c.fresh) || !slices.Equal(blank, c.blank) {
				t.Errorf("shots begin at %v and %v are blank; want %v and %v", fresh, blank, c.fresh, c.blank)
			}
		})
	}
}

// film is one in which everything happens.
func film() []*car.Image {
	return ticks(70, func(i int) *car.Image {
		squares := []square{{0, 4 + i/2, 8, 13}}
		if i > 15 && i < 50 {
			squares = append(squares, square{1, 50 - i/2, 12, 12})
		}
		if i%20 < 11 {
			squares = append(squares, square{2, 48, 30, 11})
		}
		if i >= 40 {
			return paintOn(1, squares...)
		}
		return paint(squares...)
	})
}

// results are what a session says of a film, frame by frame.
func results(t testing.TB, s *Session, film []*car.Image) []string {
	var out []string
	for _, step := range play(t, s, film) {
		line := fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels)
		for _, f := range step.Result.Found {
			line += fmt.Sprint(f.Query, f.Probability)
		}
		out = append(out, line)
	}
	return out
}

// The number of threads does not show.
func TestThreads(t *testing.T) {
	run := func(threads int) []string {
		s, _ := newSession(t, 4, func(s *Session) {
			s.Tracker.Segmenter.Threads, s.Motion.Threads, s.Propagator.Threads = threads, threads, threads
			s.Propagator.Smoothing, s.Propagator.Lookahead = .5, 8
		})
		pictures := film()
		if testing.Short() { // under the race detector a frame takes a tenth of a second
			pictures = pictures[:24]
		}
		return results(t, s, pictures)
	}
	one := run(1)
	many := []int{2, 5}
	if testing.Short() {
		many = []int{3}
	}
	for _, threads := range many {
		if d := cmp.Diff(one, run(threads)); d != "" {
			t.Fatalf("%d threads give something else", threads)
		}
	}
}

// A state that was written down and read again goes on as if nothing had happened.
func TestResume(t *testing.T) {
	pictures := film()[:30]
	decide := func(stop int) []string {
		set := func(s *Session) { s.Tracker.Every = 3 }
		s, _ := newSession(t, 4, set)
		s.Tracker.Reports, s.Propagator.Reports = nil, nil
		var said []string
		tell := func(e *Explanation) {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, string(b))
		}
		s.Tracker.Explain = tell
		tr := &s.Tracker
		for i, img := range pictures {
			if i == stop {
				b, err := json.Marshal(tr.State())
				if err != nil {
					t.Fatal(err)
				}
				var state State
				if err := json.Unmarshal(b, &state); err != nil {
					t.Fatal(err)
				}
				other, _ := newSession(t, 4, set)
				tr = &other.Tracker
				tr.Reports, tr.Explain = nil, tell
				if err := tr.Resume(state); err != nil {
					t.Fatal(err)
				}
			}
			step, err := tr.Step(t.Context(), s.Motion.Analyze(img, time.Duration(i)*40*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			step.Close()
		}
		return said
	}
	whole := decide(-1)
	stops := []int{1, 14, 22}
	if testing.Short() {
		stops = stops[1:2]
	}
	for _, stop := range stops {
		got := decide(stop)
		for i := stop; i < len(whole); i++ {
			var a, b Explanation
			json.Unmarshal([]byte(whole[i]), &a)
			json.Unmarshal([]byte(got[i]), &b)
			for q := range a.Queries { // the last judgement is told of before the break only
				a.Queries[q].Score, a.Queries[q].Presence, b.Queries[q].Score, b.Queries[q].Presence = 0, 0, 0, 0
			}
			if d := cmp.Diff(a, b); d != "" {
				t.Fatalf("resumed at %d, frame %d:\n%s", stop, i, d)
			}
		}
	}
	s, _ := newSession(t, 4, nil)
	if err := s.Tracker.Resume(State{Queries: make([]QueryState, 3)}); err == nil {
		t.Error("a state of other queries is taken")
	}
	for name, spoil := range map[string]func(*State){
		"a mask of another size":   func(s *State) { s.Queries[1].Mask = make([]byte, 3) },
		"a look of another size":   func(s *State) { s.Queries[2].Template = make([]byte, 5) },
		"a motion of another size": func(s *State) { s.U, s.V = make([]float32, 3), make([]float32, 3) },
		"half a motion":            func(s *State) { s.V = nil },
	} {
		state := State{W: 2, H: 2, U: make([]float32, 4), V: make([]float32, 4), Queries: make([]QueryState, 4)}
		if err := s.Tracker.Resume(state); err != nil {
			t.Fatal(err)
		}
		if spoil(&state); s.Tracker.Resume(state) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// In steady state the memory of a frame is used again for another.
func TestSteadyMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and the race detector allocates")
	}
	s, _ := newSession(t, 3, func(s *Session) { s.Propagator.Smoothing, s.Propagator.Lookahead = .5, 8 })
	pictures := ticks(16, func(i int) *car.Image { return paint(square{1, 10 + i, 20, 16}) })
	count := 0
	next := func() {
		// To and fro, so that it never ends.
		i := count % 30
		if i > 15 {
			i = 30 - i
		}
		steps, err := s.Next(t.Context(), pictures[i], time.Duration(count)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			step.Close()
			s.Propagator.Recycle(step.Result)
		}
		count++
	}
	for range 120 {
		next()
	}
	res := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next()
		}
	})
	// The world's own attention is made anew in every key frame, and its maps.
	n := int64(worldW / patchSize * worldH / patchSize)
	if bytes, own := res.AllocedBytesPerOp(), 4*n*n; bytes > own/2+4096 {
		t.Errorf("%d bytes are allocated for a frame, %d in a key frame being the tests' own", bytes, own)
	}
}
