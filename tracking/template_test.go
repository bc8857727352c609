package tracking

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// patterned gives a square a pattern, by which it can be known, and which goes with it.
func patterned(img *car.Image, s square) *car.Image {
	for y := range img.H {
		for x := range img.W {
			u, v := x-s.x*unit, y-s.y*unit
			if !s.holds(x, y) || (u/5+v/7)%2 == 0 {
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

// A resemblance tells a thing from its negative and from another whatever the light,
// and how much of its strength is left.
func TestResemblance(t *testing.T) {
	mask := []byte{1, 1, 1, 1, 0, 0}
	look := []byte{10, 20, 30, 40, 0, 255}
	for _, c := range []struct {
		name            string
		luma            []float32
		alike, strength float64
	}{
		{"the same", []float32{10, 20, 30, 40, 99, 99}, 1, 1},
		{"lighter and weaker", []float32{105, 110, 115, 120, 0, 0}, 1, .5},
		{"the negative", []float32{40, 30, 20, 10, 0, 0}, -1, -1},
		{"another", []float32{10, 40, 40, 10, 0, 0}, 0, 0},
		{"half of it", []float32{10, 20, 20, 10, 0, 0}, 0, 0},
		{"turned plain", []float32{70, 70, 70, 70, 0, 255}, 0, 0},
	} {
		got, known := matchTemplate(mask, look, c.luma)
		if !known || math.Abs(got.correlation-c.alike) > 1e-12 || math.Abs(got.strength-c.strength) > 1e-12 {
			t.Errorf("%s: %+v, known %v; want %g and %g", c.name, got, known, c.alike, c.strength)
		}
	}
	if _, known := matchTemplate(mask, []byte{50, 51, 50, 51, 0, 255}, []float32{9, 9, 9, 10, 0, 255}); known {
		t.Error("two plain ones tell something")
	}
	if _, known := matchTemplate(make([]byte, 6), look, make([]float32, 6)); known {
		t.Error("an empty mask tells something")
	}
}

// What has lost its strength and nothing else is in another light; what has lost it to
// something else fades away.
func TestRecognise(t *testing.T) {
	at := square{0, 10, 10, 24}
	bright := patterned(paint(at), at)
	other := paintOn(2)
	ground := paint()
	inside := func(img *car.Image, of *car.Image, share float64) *car.Image {
		mixed := faded(img, of, share)
		for y := range img.H {
			for x := range img.W {
				if p := 3 * (y*img.W + x); !at.holds(x, y) {
					copy(mixed.Pix[p:p+3], img.Pix[p:p+3])
				}
			}
		}
		return mixed
	}
	for _, c := range []struct {
		name               string
		img                *car.Image
		unchanged, changed bool
	}{
		{"the same", bright, true, false},
		{"in a third of the light", faded(bright, car.NewImage(worldW, worldH), .67), true, false},
		{"a tenth gone", inside(bright, ground, .1), true, false},
		{"a third gone", inside(bright, ground, .3), false, false},
		{"two thirds gone", inside(bright, ground, .67), false, true},
		{"gone with everything", faded(bright, other, .67), false, true},
	} {
		s, _ := newSession(t, 1, nil)
		tr := &s.Tracker
		first := s.Motion.Analyze(bright, 0)
		q := &tr.state.Queries[0]
		q.Present = true
		q.updateTemplate(first)
		w, h, f := flowSize(first)
		q.propagated = make([]byte, w*h)
		for i := range q.propagated {
			if at.holds(i%w*f, i/w*f) {
				q.propagated[i] = 1
			}
		}
		tr.path.reset(w, h, f)
		tr.explanation.begin(first, tr.Queries)
		tr.matchTemplates(s.Motion.Analyze(c.img, 1))
		if q.matches != c.unchanged || q.mismatches != c.changed {
			e := tr.explanation.Queries[0]
			t.Errorf("%s: unchanged %v, changed %v (%.2f alike, %.2f of the strength)", c.name, q.matches, q.mismatches, e.TemplateMatch, e.TemplateStrength)
		}
	}
}

// What stands has credit: no more than it was there before, and than patience.
func TestStandsOnCredit(t *testing.T) {
	at := func(d time.Duration) Moment { return Moment{Time: d} }
	s, _ := newSession(t, 1, nil)
	for _, c := range []struct {
		name                    string
		since, clear, now, area time.Duration // area is a count of pixels
		unchanged               bool
		want                    bool
	}{
		{"just failed", 0, 10 * time.Second, 10040 * time.Millisecond, 8, true, true},
		{"to the end of patience", 0, 10 * time.Second, 12 * time.Second, 8, true, true},
		{"beyond it", 0, 10 * time.Second, 12001 * time.Millisecond, 8, true, false},
		{"new, within its credit", 9500 * time.Millisecond, 10 * time.Second, 10500 * time.Millisecond, 8, true, true},
		{"new, beyond it", 9500 * time.Millisecond, 10 * time.Second, 10501 * time.Millisecond, 8, true, false},
		{"let in a moment ago", 10 * time.Second, 10 * time.Second, 10040 * time.Millisecond, 8, true, false},
		{"does not look as it did", 0, 10 * time.Second, 10040 * time.Millisecond, 8, false, false},
		{"half of it is gone", 0, 10 * time.Second, 10040 * time.Millisecond, 16, true, false},
	} {
		q := QueryState{Entered: at(c.since), LastPassed: at(c.clear), TemplateArea: int(c.area), propagated: []byte{1, 1, 1, 1, 1, 1, 1, 1, 0}, matches: c.unchanged}
		if got := s.Tracker.retainedByTemplate(&q, at(c.now)); got != c.want {
			t.Errorf("%s: stands %v", c.name, got)
		}
	}
}

// Who is absent and passes by a hair has to pass twice, and on ground that is taken
// for a second, and clearly.
func TestHopes(t *testing.T) {
	type pass struct {
		ms              int
		presence, taken float64
		fits            bool
	}
	sure, near := certain+.2, certain-.01
	for name, c := range map[string]struct {
		passes []pass
		in     int // the one that lets it in; -1: none
	}{
		"clearly":                      {[]pass{{0, sure, 0, true}}, 0},
		"by a hair":                    {[]pass{{0, near, 0, true}, {80, near, 0, true}}, 1},
		"by a hair, and then not":      {[]pass{{0, near, 0, true}, {80, near, 0, false}, {160, near, 0, true}}, -1},
		"a little over others":         {[]pass{{0, sure, takenGround, true}}, 0},
		"on taken ground, for long":    {[]pass{{0, sure, .9, true}, {500, sure, .9, true}, {990, sure, .9, true}, {1000, sure, .9, true}}, 3},
		"on taken ground, not clearly": {[]pass{{0, near, .9, true}, {500, near, .9, true}, {1500, near, .9, true}}, -1},
		"clearly, but not all along":   {[]pass{{0, sure, .9, true}, {500, near, .9, true}, {1100, sure, .9, true}}, -1},
		"failing in between":           {[]pass{{0, sure, .9, true}, {500, sure, .9, false}, {1100, sure, .9, true}}, -1},
		"and then elsewhere":           {[]pass{{0, sure, .9, true}, {80, sure, .1, true}}, 1},
	} {
		s, _ := newSession(t, 1, nil)
		tr := &s.Tracker
		in := -1
		for i, p := range c.passes {
			tr.now = Moment{Frame: int64(i), Time: time.Duration(p.ms) * time.Millisecond}
			tr.state.Queries[0].occupied = p.taken
			if tr.stays(0, car.Judgement{Score: .9, Presence: float32(p.presence)}, p.fits) {
				in = i
				break
			}
		}
		if in != c.in {
			t.Errorf("%s: let in by pass %d, want %d", name, in, c.in)
		}
	}
}

// Ground is taken where something unchanged is, other than who is asked about.
func TestTakenShare(t *testing.T) {
	s, _ := newSession(t, 3, nil)
	sight := s.Motion.Analyze(paint(), 0)
	tr := &s.Tracker
	w, h, _ := flowSize(sight)
	left := make([]byte, w*h)
	for i := range left {
		if i%w < w/4 {
			left[i] = 1
		}
	}
	heat := make([]float32, worldW*worldH)
	for i := range heat {
		if i%worldW < worldW/2 {
			heat[i] = 1
		}
	}
	p := &car.Proposal{Query: 1, Heat: heat}
	for i := range tr.state.Queries {
		tr.state.Queries[i].propagated = left
	}
	if got := tr.occupiedShare(sight, p); got != 0 {
		t.Errorf("%g is taken by what is not unchanged", got)
	}
	tr.state.Queries[1].matches = true
	if got := tr.occupiedShare(sight, p); got != 0 {
		t.Errorf("%g is taken by the query itself", got)
	}
	tr.state.Queries[0].matches, tr.state.Queries[2].matches = true, true
	if got := tr.occupiedShare(sight, p); math.Abs(got-.5) > .02 {
		t.Errorf("%g is taken, want half", got)
	}
	clear(heat)
	if got := tr.occupiedShare(sight, p); got != 0 {
		t.Errorf("%g of nothing is taken", got)
	}
}

// A judge that goes blind does not make a thing vanish that looks as it did: for as
// long as it had been there before. One without a look has its doubts counted, and
// one that is no longer there is gone at once.
func TestStands(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const blind, frames = 20, 60
	at := func(i int) square { return square{0, 6 + i/4, 10, 20} }
	last := func(film func(i int) *car.Image) (shown int, standing []int64) {
		s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Tracker.JudgeEvery = 1, Frames(1) })
		verdicts := 0
		s.Tracker.Explain = func(e *Explanation) {
			if e.Queries[0].Verdict == "retained" {
				verdicts++
				if e.Queries[0].TemplateMatch < matchCorrelation {
					t.Errorf("frame %d: stands, and has %.2f of its look", e.Frame, e.Queries[0].TemplateMatch)
				}
			}
		}
		for i := range frames {
			if i == blind {
				w.dim = .1
			}
			steps, err := s.Next(t.Context(), film(i), time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				if slices.Contains(shows(step), 0) {
					if shown != i-1 && i > 0 {
						t.Errorf("frame %d: shown again after frame %d", i, shown)
					}
					shown = i
				}
				if slices.Contains(step.Retained, 0) {
					standing = append(standing, step.Frame)
					if j := agrees(step, at(i)); j < .75 {
						t.Errorf("frame %d: stands with a mask that agrees to %.2f", i, j)
					}
				}
				step.Close()
				s.Propagator.Recycle(step.Result)
			}
		}
		if verdicts != len(standing) {
			t.Errorf("%d explanations of %d frames in which it stood", verdicts, len(standing))
		}
		return shown, standing
	}
	// It passed for the last time in frame 19, and had been there for 19 frames.
	shown, standing := last(func(i int) *car.Image { return patterned(paint(at(i)), at(i)) })
	// In a frame or two of those the motion may be wrong by more than the look bears.
	if len(standing) < 16 || standing[0] != blind || standing[len(standing)-1] != 38 || shown < 38 || shown > 38+doubtsToDropMoved {
		t.Errorf("it stood in frames %v, and was shown until %d", standing, shown)
	}
	if shown, standing := last(func(i int) *car.Image { return paint(at(i)) }); len(standing) > 0 || shown > blind+doubtsToDropMoved {
		t.Errorf("a plain one stood in frames %v, and was shown until %d", standing, shown)
	}
	if shown, standing := last(func(i int) *car.Image {
		if i >= blind {
			return paint()
		}
		return patterned(paint(at(i)), at(i))
	}); len(standing) > 0 || shown >= blind {
		t.Errorf("one that was gone stood in frames %v, and was shown until %d", standing, shown)
	}
}

// Between two judgements a thing that looks as it did is taken to be there, whatever
// the judge would say; one whose look dissolves into another is judged, and goes.
func TestJudgedWhenChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const blind, gone = 6, 22
	at := square{0, 12, 10, 20}
	was, becomes := patterned(paint(at), at), paint(at)
	for i := range becomes.Pix { // stripes
		if x, y := i/3%worldW, i/3/worldW; at.holds(x, y) && (x+2*y)/9%2 == 0 {
			becomes.Pix[i] -= min(becomes.Pix[i], 60)
		}
	}
	for _, changes := range []bool{false, true} {
		s, w := newSession(t, 2, func(s *Session) { s.Tracker.Every, s.Tracker.JudgeEvery = 1, Interval{Time: time.Hour} })
		for i := range gone + 4 {
			img := was
			if i >= blind {
				w.dim = .1
			}
			if changes {
				img = faded(was, becomes, min(max(float64(i-blind)/(gone-blind), 0), 1))
			}
			steps, err := s.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				shown := slices.Contains(shows(step), 0)
				if want := !changes || i <= blind; !shown && want || shown && changes && i >= gone {
					t.Errorf("it changes: %v; frame %d: shown %v", changes, i, shown)
				}
				step.Close()
				s.Propagator.Recycle(step.Result)
			}
		}
	}
}
