package tracking

// Why a frame is a key frame.
const (
	whyFresh    = "fresh"    // a new shot begins
	whyQueries  = "queries"  // other ones are looked for
	whyEvery    = "every"    // it is time
	whyStartled = "startled" // something came, went or changed
	whyBrighter = "brighter" // it fades in
	whyDoubt    = "doubt"    // a query did not pass last time
	whyLost     = "lost"     // what a mask lies on is not what it was
	whyOff      = "memory off"
)

// key says why a frame is to be looked at with the model; empty, it is not.
func (t *Tracker) key(s *Sight) string {
	sure := timetable{t.Stateless, int64(t.Every), t.state.Key.Frame}
	switch why := sure.due(s); {
	case why != "":
		return why
	case t.someAnew():
		return whyQueries
	case t.Every > 0:
		return ""
	}
	since := s.Frame - t.state.Key.Frame
	doubt, lost := false, false
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		doubt = doubt || q.Doubts > 0 || q.Hopes == 1
		lost = lost || len(q.Mask) > 0 && (q.Shrunk || t.hidden(s, q.now) > lostShare)
	}
	switch {
	case s.Brighter && since >= first:
		return whyBrighter
	case doubt && since >= doubtAfter:
		return whyDoubt
	case lost && since >= lostAfter:
		return whyLost
	case float64(since) >= t.spacing():
		return whyEvery
	}
	return ""
}

// When to look again before it is time.
const (
	doubtAfter = 2  // frames after a judgement that was not passed
	lostAfter  = 2  // frames after the last look
	lostShare  = .5 // of a mask that lies on what nothing explains
	// shrunkShare is what is left of a mask after one frame when the motion no longer
	// leads to it: what was there is gone.
	shrunkShare = .75
)

// hidden is the share of a mask that lies on what the frame before does not
// explain.
func (t *Tracker) hidden(s *Sight, mask []byte) float32 {
	if len(s.Motion.Unknown) != len(mask) {
		return 0
	}
	n, sum := 0, float32(0)
	for i, m := range mask {
		if m != 0 {
			n++
			sum += s.Motion.Unknown[i]
		}
	}
	return sum / float32(max(n, 1))
}

// The spacing of key frames: wider by a factor while what was carried is right,
// and half as wide where it was not.
const (
	widen      = 1.5
	rightAbove = 0.88 // overlap of what was carried with what was found
	wrongBelow = 0.78
	lostBelow  = 0.4 // the same of rough masks, of which so much is to be expected
	first      = 2   // frames to the second key frame of a shot
)

// space adapts the spacing of key frames to how right the carried masks were: the
// exact ones at the key frame before this, and the rough ones at this.
func (t *Tracker) space(s *Sight, carried []float64, right float64, changed bool) {
	worst := 1.0
	for _, c := range carried {
		worst = min(worst, c)
	}
	switch {
	case s.Fresh, changed: // nobody knows yet how what is new moves
		t.state.Spacing = first
	case right < wrongBelow || worst < lostBelow:
		t.state.Spacing = max(t.state.Spacing/2, first)
	case right > rightAbove:
		t.state.Spacing *= widen
	}
	t.state.Spacing = min(max(t.state.Spacing, 1), float64(t.MaxEvery))
	t.why.Carried = right
}

func (t *Tracker) spacing() float64 { return float64(int(t.state.Spacing)) }
