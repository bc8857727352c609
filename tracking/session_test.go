package tracking

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carve-video/carve/car"
)

// TestMoves: an object that moves needs few key frames, and its mask moves with it.
func TestMoves(t *testing.T) {
	at := func(i int) square { return square{0, 5 + i, 10 + i/3, 14} }
	s, w := newSession(t, 4, func(s *Session) { s.Propagator.Lookahead = 8 })
	steps := play(t, s, makeFrames(40, func(i int) *car.Image { return paint(at(i)) }))
	keys, last := 0, 0
	for i, step := range steps {
		if step.Key {
			keys, last = keys+1, i
		}
	}
	for i, step := range steps {
		if got := visibleQueries(step); !slices.Equal(got, []int{0}) {
			t.Errorf("frame %d shows %v", i, got)
		}
		// Frames between two key frames are corrected from both. A square of one colour is
		// the hardest object to track: only its outline moves.
		minIoU := .9
		if i > last {
			minIoU = .75
		}
		if j := squareIoU(step, at(i)); j < minIoU {
			t.Errorf("frame %d: the IoU of the mask is %.2f", i, j)
		}
	}
	if keys > 20 || keys != w.encoded {
		t.Errorf("%d key frames, and %d of 40 frames encoded", keys, w.encoded)
	}
}

// TestStill: a still object needs ever fewer key frames, and is hardly ever judged.
func TestStill(t *testing.T) {
	if testing.Short() {
		t.Skip("has no goroutine that TestThreads has not")
	}
	s, w := newSession(t, 3, func(s *Session) { s.Tracker.JudgeEvery = Interval{Time: 4 * time.Second} })
	steps := play(t, s, makeFrames(100, func(int) *car.Image { return paint(square{1, 20, 20, 16}) }))
	if w.encoded > 8+100/DefaultMaxEvery {
		t.Errorf("%d frames of a still video encoded", w.encoded)
	}
	// The loop on the first frame, the square at most once more, and two absent queries
	// twice in these 4 seconds. Some stages judge the whole image.
	if w.judged > 12 {
		t.Errorf("%d images were judged", w.judged)
	}
	for i := 1; i < len(steps); i++ {
		if !slices.Equal(steps[i].Result.Labels, steps[0].Result.Labels) {
			t.Fatalf("the mask of a still object changed in frame %d", i)
		}
	}
}

// TestAppearsAndVanishes: an object that appears at once is shown from its first frame on,
// and one that vanishes at once is not shown after its last.
func TestAppearsAndVanishes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s, _ := newSession(t, 5, func(s *Session) {
		s.Tracker.Probe = Interval{Time: time.Hour}
		s.Propagator.Lookahead = 8
	})
	visible := func(i int) bool { return i >= 23 && i < 47 || i >= 61 }
	steps := play(t, s, makeFrames(80, func(i int) *car.Image {
		if visible(i) {
			return paint(square{2, 10, 10, 12}, square{0, 44, 20, 14})
		}
		return paint(square{0, 44, 20, 14})
	}))
	for i, step := range steps {
		if got := slices.Contains(visibleQueries(step), 2); got != visible(i) {
			t.Errorf("frame %d: shown %v, want %v", i, got, visible(i))
		}
		if !slices.Contains(visibleQueries(step), 0) {
			t.Errorf("frame %d: the object that stays is not shown", i)
		}
	}
}

// TestLookahead: an object that comes in slowly is no abrupt change and found late. It is
// shown from where it came in, as far as the look-ahead reaches, and not before.
func TestLookahead(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	at := func(i int) square { return square{3, frameW/unit - (i-12)/2, 16, 14} }
	frames := makeFrames(60, func(i int) *car.Image {
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
		for i, step := range play(t, s, frames) {
			if slices.Contains(visibleQueries(step), 3) {
				if at(i).x >= frameW/unit {
					t.Errorf("look-ahead %d: shown in frame %d, before it came in", lookahead, i)
				}
				return i
			}
		}
		return len(frames)
	}
	without, with := first(0), first(8)
	if with >= without || with > without-4 {
		t.Errorf("first shown in frame %d, with look-ahead in %d", without, with)
	}
}

// TestShotBoundaries: nothing is propagated over a cut, a gap or a blank frame.
func TestShotBoundaries(t *testing.T) {
	if testing.Short() {
		t.Skip("has no goroutine that TestThreads has not")
	}
	here, there := square{0, 10, 10, 16}, square{1, 40, 20, 16}
	for name, c := range map[string]struct {
		frames   []*car.Image
		times    func(i int) time.Duration
		newShots []int64
		blank    []int64
	}{
		"cut": {
			frames:   append(makeFrames(6, func(int) *car.Image { return paint(here) }), makeFrames(6, func(int) *car.Image { return paintOn(1, there) })...),
			newShots: []int64{0, 6},
		},
		"gap": {
			frames: append(makeFrames(6, func(int) *car.Image { return paint(here) }), makeFrames(6, func(int) *car.Image { return paint(here, there) })...),
			times: func(i int) time.Duration {
				if i >= 6 {
					return time.Duration(i)*40*time.Millisecond + 5*time.Second
				}
				return time.Duration(i) * 40 * time.Millisecond
			},
			newShots: []int64{0, 6},
		},
		"back in time": {
			frames:   makeFrames(12, func(int) *car.Image { return paint(here) }),
			times:    func(i int) time.Duration { return time.Duration(i%6) * 40 * time.Millisecond },
			newShots: []int64{0, 6},
		},
		"blank": {
			frames: makeFrames(12, func(i int) *car.Image {
				if i >= 4 && i < 8 {
					return car.NewImage(frameW, frameH)
				}
				return paint(here)
			}),
			newShots: []int64{0, 4, 5, 6, 7, 8}, // nothing is propagated from a blank frame
			blank:    []int64{4, 5, 6, 7},
		},
		"another size": {
			frames:   append(makeFrames(3, func(int) *car.Image { return paint(here) }), car.NewImage(40, 40), car.NewImage(40, 40)),
			newShots: []int64{0, 3, 4}, blank: []int64{3, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newSession(t, 4, func(s *Session) { s.Propagator.Lookahead = 4; s.Tracker.Probe = Interval{Time: time.Hour} })
			var newShots, blank []int64
			take := func(steps []*Step) {
				for _, step := range steps {
					if step.NewShot {
						newShots = append(newShots, step.Frame)
						if step.Key != !step.Blank {
							t.Errorf("frame %d begins a shot: key frame %v, blank %v", step.Frame, step.Key, step.Blank)
						}
					}
					if step.Blank {
						blank = append(blank, step.Frame)
						if len(visibleQueries(step)) > 0 {
							t.Errorf("blank frame %d shows %v", step.Frame, visibleQueries(step))
						}
					}
					if name == "cut" {
						if want := []int{int(step.Frame / 6)}; !slices.Equal(visibleQueries(step), want) {
							t.Errorf("frame %d shows %v, want %v", step.Frame, visibleQueries(step), want)
						}
					}
					step.Close()
				}
			}
			for i, img := range c.frames {
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
				newShots = slices.DeleteFunc(newShots, func(f int64) bool { return slices.Contains(blank, f) && f != blank[0] })
				c.newShots = slices.DeleteFunc(c.newShots, func(f int64) bool { return slices.Contains(blank, f) && f != blank[0] })
				if name == "blank" {
					c.newShots = slices.DeleteFunc(c.newShots, func(f int64) bool { return f == 4 })
					newShots = slices.DeleteFunc(newShots, func(f int64) bool { return f == 4 }) // black may be a cut or not
				}
			}
			if !slices.Equal(newShots, c.newShots) || !slices.Equal(blank, c.blank) {
				t.Errorf("shots begin at %v and %v are blank; want %v and %v", newShots, blank, c.newShots, c.blank)
			}
		})
	}
}

// results returns a line per frame with all that a session found.
func results(t testing.TB, s *Session, frames []*car.Image) []string {
	var out []string
	for _, step := range play(t, s, frames) {
		line := fmt.Sprint(step.Frame, step.Key, step.Present, step.Judgements, step.Result.Labels)
		for _, f := range step.Result.Found {
			line += fmt.Sprint(f.Query, f.Probability)
		}
		out = append(out, line)
	}
	return out
}

// TestThreads: the number of threads does not change the results.
func TestThreads(t *testing.T) {
	run := func(threads int) []string {
		s, _ := newSession(t, 4, func(s *Session) {
			s.Tracker.Segmenter.Threads, s.Motion.Threads, s.Propagator.Threads = threads, threads, threads
			s.Propagator.Smoothing, s.Propagator.Lookahead = .5, 8
		})
		frames := eventfulVideo()
		if testing.Short() { // under the race detector a frame takes a tenth of a second
			frames = frames[:24]
		}
		return results(t, s, frames)
	}
	one := run(1)
	many := []int{2, 5}
	if testing.Short() {
		many = []int{3}
	}
	for _, threads := range many {
		if d := cmp.Diff(one, run(threads)); d != "" {
			t.Fatalf("%d threads give other results", threads)
		}
	}
}

// TestSteadyMemory: in steady state the memory of a frame is reused.
func TestSteadyMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and the race detector allocates")
	}
	s, _ := newSession(t, 3, func(s *Session) { s.Propagator.Smoothing, s.Propagator.Lookahead = .5, 8 })
	frames := makeFrames(16, func(i int) *car.Image { return paint(square{1, 10 + i, 20, 16}) })
	count := 0
	next := func() {
		// Back and forth, so that the video never ends.
		i := count % 30
		if i > 15 {
			i = 30 - i
		}
		steps, err := s.Next(t.Context(), frames[i], time.Duration(count)*40*time.Millisecond)
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
	// The fake model allocates its attention and its maps in every key frame.
	n := int64(frameW / patchSize * frameH / patchSize)
	if bytes, own := res.AllocedBytesPerOp(), 4*n*n; bytes > own/2+4096 {
		t.Errorf("%d bytes are allocated per frame, %d of them per key frame by the test itself", bytes, own)
	}
}
