package tracking

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// The share of a look in a mixture is what it was mixed with, whatever the two are
// and whatever lies outside the mask.
func TestVisible(t *testing.T) {
	mask := []byte{1, 1, 1, 1, 0}
	thing, without := []byte{200, 40, 90, 160, 7}, []byte{20, 80, 90, 100, 250}
	mixed := func(share, noise float32) []float32 {
		p := make([]float32, len(mask))
		for i := range p {
			p[i] = share*float32(thing[i]) + (1-share)*float32(without[i]) + noise*[]float32{1, -1, 1, -1, 99}[i]
		}
		return p
	}
	for _, share := range []float32{0, .3, .5, 1} {
		if got, known := visibleShare(mask, mixed(share, 0), thing, without); !known || math.Abs(got-float64(share)) > 1e-6 {
			t.Errorf("a share of %g is taken for %g, known %v", share, got, known)
		}
		if got, known := visibleShare(mask, mixed(share, 5), thing, without); !known || math.Abs(got-float64(share)) > .05 {
			t.Errorf("a share of %g in noise is taken for %g, known %v", share, got, known)
		}
	}
	if _, known := visibleShare(mask, mixed(.5, 0), thing, []byte{201, 41, 91, 161, 250}); known {
		t.Error("a look is told from one that is nearly the same")
	}
	if _, known := visibleShare(make([]byte, 5), mixed(.5, 0), thing, without); known {
		t.Error("something is known of an empty mask")
	}
}

func TestEndsAt(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []float64
		want   int
	}{
		{"at once", []float64{1, 1, 1, 0, 0}, 3},
		{"bit by bit", []float64{.9, .7, .6, .4, .2}, 3},
		{"before the first", []float64{.4, .2, 0}, 0},
		{"not before the last", []float64{.9, .8, .6}, 3},
		{"with one that says otherwise", []float64{1, .4, 1, .9, .1, .6, 0}, 4},
		{"nothing known of some", []float64{1, visibleAbove, visibleAbove, 0}, 1},
		{"no frames", nil, 0},
	} {
		if got := firstInvisible(c.shares); got != c.want {
			t.Errorf("%s: ended in frame %d, want %d", c.name, got, c.want)
		}
	}
}

// faded is a picture in which the second is mixed into the first.
func faded(a, b *car.Image, share float64) *car.Image {
	img := car.NewImage(a.W, a.H)
	for i := range img.Pix {
		img.Pix[i] = uint8(float64(a.Pix[i])*(1-share) + float64(b.Pix[i])*share + .5)
	}
	return img
}

// panned is a picture as a camera sees it that has turned by so many pixels.
func panned(img *car.Image, by int) *car.Image {
	out := car.NewImage(img.W, img.H)
	for y := range img.H {
		for x := range img.W {
			copy(out.Pix[3*(y*img.W+x):][:3], img.Pix[3*(y*img.W+(x+by)%img.W):][:3])
		}
	}
	return out
}

// What fades in and out between two key frames is shown while most of it is there,
// also where the camera moves, and where not all frames between them are held back.
// Each frame is explained by the one before: only the looks tell.
func TestDissolve(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	thing := square{5, 30, 14, 16}
	share := func(i int) float64 { // in from 17 to 23, out from 33 to 39
		return min(max(min(float64(i-17)/6, float64(39-i)/6), 0), 1)
	}
	empty, full := paint(), patterned(paint(thing), thing)
	for _, c := range []struct{ lookahead, speed int }{{8, 0}, {8, 1}, {3, 0}, {3, 1}} {
		s, _ := newSession(t, 6, func(s *Session) {
			s.Tracker.Every, s.Propagator.Lookahead = 8, c.lookahead
			s.Tracker.Probe, s.Tracker.JudgeEvery = Frames(1), Frames(1)
		})
		film := ticks(48, func(i int) *car.Image { return panned(faded(empty, full, share(i)), c.speed*i) })
		for i, step := range play(t, s, film) {
			shown := slices.Contains(shows(step), thing.k)
			switch p := share(i); {
			case p > .7 && !shown:
				t.Errorf("look-ahead %d, %d pixels a frame, frame %d, with %.2f of it: not shown", c.lookahead, c.speed, i, p)
			case p < .3 && shown:
				t.Errorf("look-ahead %d, %d pixels a frame, frame %d, with %.2f of it: shown", c.lookahead, c.speed, i, p)
			}
		}
	}
}

// A Carrier that comes in where nothing is known of a key frame before does without.
func TestNoLook(t *testing.T) {
	s, _ := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Propagator.Lookahead, s.Tracker.Probe = 4, 8, Frames(1) })
	thing := square{0, 20, 14, 16}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ended, paint(), 0); err == nil {
		t.Fatal("a step that was cancelled has no error")
	}
	shown := false
	for i := 1; i < 12; i++ {
		steps, err := s.Next(t.Context(), paint(thing), time.Duration(i)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			shown = shown || slices.Contains(shows(step), thing.k)
			step.Close()
		}
	}
	if !shown {
		t.Error("nothing is shown")
	}
}

// What fades to black is shown no longer than it is to be seen.
func TestBlacken(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	thing := square{1, 20, 14, 16}
	light := func(i int) float64 { return min(max(float64(31-i)/10, 0), 1) } // from 21 to 31
	s, _ := newSession(t, 6, func(s *Session) { s.Tracker.Every, s.Propagator.Lookahead = 20, 20 })
	black, full := car.NewImage(worldW, worldH), patterned(paint(thing), thing)
	blank := 0
	for i, step := range play(t, s, ticks(40, func(i int) *car.Image { return faded(black, full, light(i)) })) {
		shown := slices.Contains(shows(step), thing.k)
		switch p := light(i); {
		case p > .7 && !shown:
			t.Errorf("frame %d, in %.2f of the light: not shown", i, p)
		case p < .3 && shown:
			t.Errorf("frame %d, in %.2f of the light: shown", i, p)
		}
		if step.Blank {
			blank++
		}
	}
	if blank == 0 {
		t.Error("no frame is blank, so that nothing was tried")
	}
}

// A key frame whose masks could not be made does not stop who goes on.
func TestGoesOn(t *testing.T) {
	s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every = 1 })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	step, err := s.Tracker.Step(t.Context(), s.Motion.Analyze(paint(square{0, 20, 14, 16}), 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Propagator.Next(ended, step); err == nil {
		t.Fatal("masks that were cancelled have no error")
	}
	step.Close()
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := 1; i < 6; i++ {
		steps, err := s.Next(soon, paint(square{0, 20, 14, 16}), time.Duration(i)*40*time.Millisecond)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		for _, step := range steps {
			step.Close()
		}
	}
	if w.open != 0 {
		t.Errorf("%d views are open", w.open)
	}
}
