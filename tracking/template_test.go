package tracking

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// patterned draws a pattern on a square, which moves with it, so that its template has
// contrast.
func patterned(img *car.Image, s square) *car.Image {
	for y := range img.H {
		for x := range img.W {
			u, v := x-s.x*unit, y-s.y*unit
			if !s.contains(x, y) || (u/5+v/7)%2 == 0 {
				continue
			}
			p := img.Pix[3*(y*img.W+x):][:3]
			for c := range p {
				p[c] -= min(p[c], 60)
			}
		}
	}
	return img
}

// TestMatchTemplate: in any light, a match distinguishes a pattern from its negative and from
// another pattern, and measures its strength.
func TestMatchTemplate(t *testing.T) {
	mask := []byte{1, 1, 1, 1, 0, 0}
	template := []byte{10, 20, 30, 40, 0, 255}
	for _, c := range []struct {
		name                  string
		luma                  []float32
		correlation, strength float64
	}{
		{"the same", []float32{10, 20, 30, 40, 99, 99}, 1, 1},
		{"brighter, with less contrast", []float32{105, 110, 115, 120, 0, 0}, 1, .5},
		{"the negative", []float32{40, 30, 20, 10, 0, 0}, -1, -1},
		{"another pattern", []float32{10, 40, 40, 10, 0, 0}, 0, 0},
		{"half of the pattern", []float32{10, 20, 20, 10, 0, 0}, 0, 0},
		{"no pattern left", []float32{70, 70, 70, 70, 0, 255}, 0, 0},
	} {
		got, known := matchTemplate(mask, template, c.luma, defaultParams.TemplateContrast)
		if !known || math.Abs(got.correlation-c.correlation) > 1e-12 || math.Abs(got.strength-c.strength) > 1e-12 {
			t.Errorf("%s: %+v, known %v; want %g and %g", c.name, got, known, c.correlation, c.strength)
		}
	}
	if _, known := matchTemplate(mask, []byte{50, 51, 50, 51, 0, 255}, []float32{9, 9, 9, 10, 0, 255}, defaultParams.TemplateContrast); known {
		t.Error("two planes without a pattern have a match")
	}
	if _, known := matchTemplate(make([]byte, 6), template, make([]float32, 6), defaultParams.TemplateContrast); known {
		t.Error("an empty mask has a match")
	}
}

// TestMatchTemplates: a pattern that only lost contrast is in another light, and matches. A
// pattern into which another image is mixed is fading away, and mismatches.
func TestMatchTemplates(t *testing.T) {
	at := square{0, 10, 10, 24}
	bright := patterned(paint(at), at)
	other := paintOn(2)
	ground := paint()
	mixInside := func(img, other *car.Image, share float64) *car.Image {
		mixed := mix(img, other, share)
		for y := range img.H {
			for x := range img.W {
				if p := 3 * (y*img.W + x); !at.contains(x, y) {
					copy(mixed.Pix[p:p+3], img.Pix[p:p+3])
				}
			}
		}
		return mixed
	}
	for _, c := range []struct {
		name                string
		img                 *car.Image
		matches, mismatches bool
	}{
		{"the same", bright, true, false},
		{"in a third of the light", mix(bright, car.NewImage(frameW, frameH), .67), true, false},
		{"a tenth gone", mixInside(bright, ground, .1), true, false},
		{"a third gone", mixInside(bright, ground, .3), false, false},
		{"two thirds gone", mixInside(bright, ground, .67), false, true},
		{"two thirds of the frame gone", mix(bright, other, .67), false, true},
	} {
		s, _ := newSession(t, 1, nil)
		tr := &s.Tracker
		analysis := s.Motion.Analyze(bright, 0)
		q, o := &tr.state.Queries[0], &tr.observed[0]
		q.Present = true
		q.Template = quantize(analysis.pyramid.Luma(), nil)
		w, h, f := flowSize(analysis)
		o.mask = make([]byte, w*h)
		for i := range o.mask {
			if at.contains(i%w*f, i/w*f) {
				o.mask[i] = 1
			}
		}
		tr.path.reset(w, h, f)
		tr.explanation.begin(analysis, tr.Queries)
		tr.matchTemplates(s.Motion.Analyze(c.img, 1))
		if o.matches != c.matches || o.mismatches != c.mismatches {
			e := tr.explanation.Queries[0]
			t.Errorf("%s: matches %v, mismatches %v (correlation %.2f, strength %.2f)", c.name, o.matches, o.mismatches, e.TemplateMatch, e.TemplateStrength)
		}
	}
}

// TestIsRetained: a query is retained no longer than it was in the set before, and
// no longer than Params.RetainTime.
func TestIsRetained(t *testing.T) {
	at := func(d time.Duration) Moment { return Moment{Time: d} }
	s, _ := newSession(t, 1, nil)
	for _, c := range []struct {
		name                     string
		entered, lastPassed, now time.Duration
		area                     int // of the template's mask, in pixels
		matches                  bool
		want                     bool
	}{
		{"just failed", 0, 10 * time.Second, 10040 * time.Millisecond, 8, true, true},
		{"at the limit", 0, 10 * time.Second, 12 * time.Second, 8, true, true},
		{"beyond the limit", 0, 10 * time.Second, 12001 * time.Millisecond, 8, true, false},
		{"new, at its limit", 9500 * time.Millisecond, 10 * time.Second, 10500 * time.Millisecond, 8, true, true},
		{"new, beyond its limit", 9500 * time.Millisecond, 10 * time.Second, 10501 * time.Millisecond, 8, true, false},
		{"entered just now", 10 * time.Second, 10 * time.Second, 10040 * time.Millisecond, 8, true, false},
		{"does not match", 0, 10 * time.Second, 10040 * time.Millisecond, 8, false, false},
		{"half of its area is gone", 0, 10 * time.Second, 10040 * time.Millisecond, 16, true, false},
	} {
		q := QueryState{Entered: at(c.entered), LastPassed: at(c.lastPassed), TemplateArea: c.area}
		o := observation{mask: []byte{1, 1, 1, 1, 1, 1, 1, 1, 0}, matches: c.matches}
		if got := s.Tracker.isRetained(&q, &o, at(c.now)); got != c.want {
			t.Errorf("%s: retained %v", c.name, got)
		}
	}
}

// TestEnters: an absent query that passes narrowly has to pass twice. One whose
// proposal lies on other objects has to pass clearly for a second.
func TestEnters(t *testing.T) {
	type pass struct {
		ms                 int
		presence, occupied float64
		passes             bool
	}
	sure, unsure := defaultParams.CertainPresence+.2, defaultParams.CertainPresence-.01
	for name, c := range map[string]struct {
		passes []pass
		want   int // the index of the pass with which it enters the set; -1 for none
	}{
		"clear":                              {[]pass{{0, sure, 0, true}}, 0},
		"narrow":                             {[]pass{{0, unsure, 0, true}, {80, unsure, 0, true}}, 1},
		"narrow, and then failed":            {[]pass{{0, unsure, 0, true}, {80, unsure, 0, false}, {160, unsure, 0, true}}, -1},
		"slightly over others":               {[]pass{{0, sure, defaultParams.OccupiedShare, true}}, 0},
		"on others, for long":                {[]pass{{0, sure, .9, true}, {500, sure, .9, true}, {990, sure, .9, true}, {1000, sure, .9, true}}, 3},
		"on others, narrow":                  {[]pass{{0, unsure, .9, true}, {500, unsure, .9, true}, {1500, unsure, .9, true}}, -1},
		"on others, clear but not all along": {[]pass{{0, sure, .9, true}, {500, unsure, .9, true}, {1100, sure, .9, true}}, -1},
		"on others, failed in between":       {[]pass{{0, sure, .9, true}, {500, sure, .9, false}, {1100, sure, .9, true}}, -1},
		"on others, and then elsewhere":      {[]pass{{0, sure, .9, true}, {80, sure, .1, true}}, 1},
	} {
		s, _ := newSession(t, 1, nil)
		tr := &s.Tracker
		entered := -1
		for i, p := range c.passes {
			now := Moment{Frame: int64(i), Time: time.Duration(p.ms) * time.Millisecond}
			tr.observed[0].occupied = p.occupied
			if tr.decideOn(0, car.Judgement{Score: .9, Presence: float32(p.presence)}, p.passes, now) {
				entered = i
				break
			}
		}
		if entered != c.want {
			t.Errorf("%s: entered with pass %d, want %d", name, entered, c.want)
		}
	}
}

// TestOccupiedShare: a proposal's pixels are occupied where another query matches its
// template.
func TestOccupiedShare(t *testing.T) {
	s, _ := newSession(t, 3, nil)
	analysis := s.Motion.Analyze(paint(), 0)
	tr := &s.Tracker
	w, h, _ := flowSize(analysis)
	left := make([]byte, w*h)
	for i := range left {
		if i%w < w/4 {
			left[i] = 1
		}
	}
	heat := make([]float32, frameW*frameH)
	for i := range heat {
		if i%frameW < frameW/2 {
			heat[i] = 1
		}
	}
	proposal := tr.proposalMask(analysis, &car.Proposal{Query: 1, Heat: heat}, nil)
	for i := range tr.observed {
		tr.observed[i].mask = left
	}
	if got := tr.occupiedShare(1, proposal); got != 0 {
		t.Errorf("%g is occupied by queries that do not match", got)
	}
	tr.observed[1].matches = true
	if got := tr.occupiedShare(1, proposal); got != 0 {
		t.Errorf("%g is occupied by the query itself", got)
	}
	tr.observed[0].matches, tr.observed[2].matches = true, true
	if got := tr.occupiedShare(1, proposal); math.Abs(got-.5) > .02 {
		t.Errorf("%g is occupied, want half", got)
	}
	clear(proposal)
	if got := tr.occupiedShare(1, proposal); got != 0 {
		t.Errorf("%g of an empty proposal is occupied", got)
	}
}

// TestRetained: an object that matches its template is retained when the judge goes blind,
// for as long as it was in the set before. One without a pattern is dropped after some
// misses, and one that is no longer there at once.
func TestRetained(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const blind, frames = 20, 60
	at := func(i int) square { return square{0, 6 + i/4, 10, 20} }
	playBlind := func(frame func(i int) *car.Image) (shown int, retained []int64) {
		s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Tracker.JudgeEvery = 1, Frames(1) })
		verdicts := 0
		s.Tracker.Explain = func(e *Explanation) {
			if e.Queries[0].Verdict == "retained" {
				verdicts++
				if e.Queries[0].TemplateMatch < defaultParams.TemplateMatch {
					t.Errorf("frame %d: retained with a correlation of %.2f", e.Frame, e.Queries[0].TemplateMatch)
				}
			}
		}
		for i := range frames {
			if i == blind {
				w.dim = .1
			}
			steps, err := s.Next(t.Context(), frame(i), time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				if slices.Contains(visibleQueries(step), 0) {
					if shown != i-1 && i > 0 {
						t.Errorf("frame %d: shown again after frame %d", i, shown)
					}
					shown = i
				}
				if slices.Contains(step.Retained, 0) {
					retained = append(retained, step.Frame)
					if j := squareIoU(step, at(i)); j < .75 {
						t.Errorf("frame %d: retained with a mask of IoU %.2f", i, j)
					}
				}
				step.Close()
				s.Propagator.Recycle(step.Result)
			}
		}
		if verdicts != len(retained) {
			t.Errorf("%d explanations of %d frames in which it was retained", verdicts, len(retained))
		}
		return shown, retained
	}
	// It passed last in frame 19, after 19 frames in the set.
	shown, retained := playBlind(func(i int) *car.Image { return patterned(paint(at(i)), at(i)) })
	// In a frame or two of those the motion may be too wrong for a match.
	if len(retained) < 16 || retained[0] != blind || retained[len(retained)-1] != 38 || shown < 38 || shown > 38+defaultParams.MissLimitMoved {
		t.Errorf("it was retained in frames %v, and shown until %d", retained, shown)
	}
	if shown, retained := playBlind(func(i int) *car.Image { return paint(at(i)) }); len(retained) > 0 || shown > blind+defaultParams.MissLimitMoved {
		t.Errorf("one without a pattern was retained in frames %v, and shown until %d", retained, shown)
	}
	if shown, retained := playBlind(func(i int) *car.Image {
		if i >= blind {
			return paint()
		}
		return patterned(paint(at(i)), at(i))
	}); len(retained) > 0 || shown >= blind {
		t.Errorf("one that was gone was retained in frames %v, and shown until %d", retained, shown)
	}
}

// TestJudgedWhenChanged: an object that matches its template is not judged only because its
// last judgement is old, and stays although the judge is blind. One that dissolves into
// another pattern is judged, and dropped.
func TestJudgedWhenChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const blind, gone = 6, 22
	at := square{0, 12, 10, 20}
	before, after := patterned(paint(at), at), paint(at)
	for i := range after.Pix { // stripes
		if x, y := i/3%frameW, i/3/frameW; at.contains(x, y) && (x+2*y)/9%2 == 0 {
			after.Pix[i] -= min(after.Pix[i], 60)
		}
	}
	for _, changes := range []bool{false, true} {
		s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Tracker.JudgeEvery = 1, Interval{Time: time.Hour} })
		for i := range gone + 4 {
			img := before
			if i >= blind {
				w.dim = .1
			}
			if changes {
				img = mix(before, after, min(max(float64(i-blind)/(gone-blind), 0), 1))
			}
			steps, err := s.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				shown := slices.Contains(visibleQueries(step), 0)
				if want := !changes || i <= blind; !shown && want || shown && changes && i >= gone {
					t.Errorf("changes %v, frame %d: shown %v", changes, i, shown)
				}
				step.Close()
				s.Propagator.Recycle(step.Result)
			}
		}
	}
}
