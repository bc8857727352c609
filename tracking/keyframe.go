package tracking

// Why a frame is a key frame.
const (
	keyNewShot    = "new shot"
	keyNewQueries = "new queries"
	keyInterval   = "interval"   // the time since the last key frame has passed
	keyAbrupt     = "abrupt"     // something appeared, vanished or changed at once
	keyFadeIn     = "fade-in"    // the contrast grows
	keyMiss       = "miss"       // a query failed the judge at the last key frame
	keyOccluded   = "occluded"   // most of a mask is hidden
	keyMemoryOff  = "memory off" // every frame is a key frame
)

// key says why a frame is to be looked at with the model; empty, it is not.
func (t *Tracker) keyReason(s *Analysis) string {
	sure := schedule{t.Stateless, int64(t.Every), t.state.LastKey.Frame}
	switch why := sure.due(s); {
	case why != "":
		return why
	case t.anyUnevaluated():
		return keyNewQueries
	case t.Every > 0:
		return ""
	}
	since := s.Frame - t.state.LastKey.Frame
	doubt, lost := false, false
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		doubt = doubt || q.Misses > 0 || q.Confirmations == 1
		lost = lost || len(q.Mask) > 0 && (q.Shrunk || t.occludedShare(s, q.propagated) > lostShare)
	}
	switch {
	case s.FadeIn && since >= first:
		return keyFadeIn
	case doubt && since >= doubtAfter:
		return keyMiss
	case lost && since >= lostAfter:
		return keyOccluded
	case float64(since) >= t.spacing():
		return keyInterval
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
func (t *Tracker) occludedShare(s *Analysis, mask []byte) float32 {
	if len(s.Motion.Occlusion) != len(mask) {
		return 0
	}
	n, sum := 0, float32(0)
	for i, m := range mask {
		if m != 0 {
			n++
			sum += s.Motion.Occlusion[i]
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
func (t *Tracker) adaptSpacing(s *Analysis, carried []float64, right float64, changed bool) {
	worst := 1.0
	for _, c := range carried {
		worst = min(worst, c)
	}
	switch {
	case s.NewShot, changed: // nobody knows yet how what is new moves
		t.state.KeySpacing = first
	case right < wrongBelow || worst < lostBelow:
		t.state.KeySpacing = max(t.state.KeySpacing/2, first)
	case right > rightAbove:
		t.state.KeySpacing *= widen
	}
	t.state.KeySpacing = min(max(t.state.KeySpacing, 1), float64(t.MaxEvery))
	t.explanation.CarriedIoU = right
}

func (t *Tracker) spacing() float64 { return float64(int(t.state.KeySpacing)) }
