package tracking

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestVisibleShare: the share of an object in a mixture is found for any two templates, and
// does not depend on pixels outside the mask.
func TestVisibleShare(t *testing.T) {
	mask := []byte{1, 1, 1, 1, 0}
	with, without := []byte{200, 40, 90, 160, 7}, []byte{20, 80, 90, 100, 250}
	mixed := func(share, noise float32) []float32 {
		p := make([]float32, len(mask))
		for i := range p {
			p[i] = share*float32(with[i]) + (1-share)*float32(without[i]) + noise*[]float32{1, -1, 1, -1, 99}[i]
		}
		return p
	}
	for _, share := range []float32{0, .3, .5, 1} {
		if got, known := visibleShare(mask, mixed(share, 0), with, without, &defaultParams); !known || math.Abs(got-float64(share)) > 1e-6 {
			t.Errorf("a share of %g is taken for %g, known %v", share, got, known)
		}
		if got, known := visibleShare(mask, mixed(share, 5), with, without, &defaultParams); !known || math.Abs(got-float64(share)) > .05 {
			t.Errorf("a share of %g in noise is taken for %g, known %v", share, got, known)
		}
	}
	if _, known := visibleShare(mask, mixed(.5, 0), with, []byte{201, 41, 91, 161, 250}, &defaultParams); known {
		t.Error("a share is known for two templates that are nearly the same")
	}
	if _, known := visibleShare(make([]byte, 5), mixed(.5, 0), with, without, &defaultParams); known {
		t.Error("a share is known for an empty mask")
	}
}

// TestFirstInvisible: the end splits the shares best into high ones before it and low ones
// after it.
func TestFirstInvisible(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []float64
		want   int
	}{
		{"at once", []float64{1, 1, 1, 0, 0}, 3},
		{"bit by bit", []float64{.9, .7, .6, .4, .2}, 3},
		{"before the first", []float64{.4, .2, 0}, 0},
		{"not before the end", []float64{.9, .8, .6}, 3},
		{"with outliers", []float64{1, .4, 1, .9, .1, .6, 0}, 4},
		{"unknown in some", []float64{1, defaultParams.VisibleShare, defaultParams.VisibleShare, 0}, 1},
		{"no frames", nil, 0},
	} {
		if got := firstInvisible(c.shares, defaultParams.VisibleShare); got != c.want {
			t.Errorf("%s: invisible from frame %d, want %d", c.name, got, c.want)
		}
	}
}

// mix mixes a share of image b into image a.
func mix(a, b *car.Image, share float64) *car.Image {
	img := car.NewImage(a.W, a.H)
	for i := range img.Pix {
		img.Pix[i] = uint8(float64(a.Pix[i])*(1-share) + float64(b.Pix[i])*share + .5)
	}
	return img
}

// panned returns img after a pan of the camera by that many pixels.
func panned(img *car.Image, by int) *car.Image {
	out := car.NewImage(img.W, img.H)
	for y := range img.H {
		for x := range img.W {
			copy(out.Pix[3*(y*img.W+x):][:3], img.Pix[3*(y*img.W+(x+by)%img.W):][:3])
		}
	}
	return out
}

// TestDissolve: an object that fades in and out between two key frames is shown while its
// share is more than half, also when the camera pans, and when not all frames between them
// are pending. Motion explains each frame by the one before: only the templates tell.
func TestDissolve(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	object := square{5, 30, 14, 16}
	share := func(i int) float64 { // in from 17 to 23, out from 33 to 39
		return min(max(min(float64(i-17)/6, float64(39-i)/6), 0), 1)
	}
	empty, full := paint(), patterned(paint(object), object)
	for _, c := range []struct{ lookahead, speed int }{{8, 0}, {8, 1}, {3, 0}, {3, 1}} {
		s, _ := newSession(t, 6, func(s *Session) {
			s.Tracker.Every, s.Propagator.Lookahead = 8, c.lookahead
			s.Tracker.Probe, s.Tracker.JudgeEvery = Frames(1), Frames(1)
		})
		frames := makeFrames(48, func(i int) *car.Image { return panned(mix(empty, full, share(i)), c.speed*i) })
		for i, step := range play(t, s, frames) {
			shown := slices.Contains(visibleQueries(step), object.k)
			switch p := share(i); {
			case p > .7 && !shown:
				t.Errorf("look-ahead %d, %d pixels a frame, frame %d, with %.2f of it: not shown", c.lookahead, c.speed, i, p)
			case p < .3 && shown:
				t.Errorf("look-ahead %d, %d pixels a frame, frame %d, with %.2f of it: shown", c.lookahead, c.speed, i, p)
			}
		}
	}
}

// TestFirstKeyFrameFails: a Propagator goes on without templates when the first key frame
// of a shot failed.
func TestFirstKeyFrameFails(t *testing.T) {
	s, _ := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Propagator.Lookahead, s.Tracker.Probe = 4, 8, Frames(1) })
	object := square{0, 20, 14, 16}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ended, paint(), 0); err == nil {
		t.Fatal("a cancelled step returns no error")
	}
	shown := false
	for i := 1; i < 12; i++ {
		steps, err := s.Next(t.Context(), paint(object), time.Duration(i)*40*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			shown = shown || slices.Contains(visibleQueries(step), object.k)
			step.Close()
		}
	}
	if !shown {
		t.Error("the object is not shown")
	}
}

// TestEndAtBlank: an object that fades to black is shown only while it is visible.
func TestEndAtBlank(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	object := square{1, 20, 14, 16}
	light := func(i int) float64 { return min(max(float64(31-i)/10, 0), 1) } // from 21 to 31
	s, _ := newSession(t, 6, func(s *Session) { s.Tracker.Every, s.Propagator.Lookahead = 20, 20 })
	black, full := car.NewImage(frameW, frameH), patterned(paint(object), object)
	blank := 0
	for i, step := range play(t, s, makeFrames(40, func(i int) *car.Image { return mix(black, full, light(i)) })) {
		shown := slices.Contains(visibleQueries(step), object.k)
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
		t.Error("no frame is blank: the test tests nothing")
	}
}

// TestContinuesAfterError: a session continues after a key frame whose masks failed.
func TestContinuesAfterError(t *testing.T) {
	s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every = 1 })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	step, err := s.Tracker.Step(t.Context(), s.Motion.Analyze(paint(square{0, 20, 14, 16}), 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Propagator.Next(ended, step); err == nil {
		t.Fatal("a cancelled Next returns no error")
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
		t.Errorf("%d features are open", w.open)
	}
}
