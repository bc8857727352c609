package tracking

// Why a frame is a key frame.
const (
	keyNewShot    = "new shot"
	keyNewQueries = "new queries"
	keyInterval   = "interval"   // the time since the last key frame has passed
	keyAbrupt     = "abrupt"     // something appeared, vanished or changed at once
	keyFadeIn     = "fade-in"    // the contrast grows
	keyMiss       = "miss"       // a query missed at the last key frame, or is tentative
	keyOccluded   = "occluded"   // most of a mask is occluded
	keyMemoryOff  = "memory off" // every frame is a key frame
)

// A schedule knows the key frames that do not depend on the state of the queries.
type schedule struct {
	stateless bool
	every     int64 // frames; 0 if the spacing is adapted
	key       int64 // the last key frame
}

// due returns why a frame is a key frame, or "" if the schedule does not make it one.
func (s *schedule) due(a *Analysis) string {
	switch {
	case s.stateless:
		return keyMemoryOff
	case a.NewShot:
		return keyNewShot
	case s.every > 0 && a.Frame-s.key >= s.every:
		return keyInterval
	case s.every == 0 && a.Abrupt:
		return keyAbrupt
	}
	return ""
}

// keyReason returns why a frame is a key frame, or "" if it is none.
func (t *Tracker) keyReason(a *Analysis) string {
	s := schedule{t.Stateless, int64(t.Every), t.state.LastKey.Frame}
	switch reason := s.due(a); {
	case reason != "":
		return reason
	case t.hasUnevaluated():
		return keyNewQueries
	case t.Every > 0:
		return ""
	}
	since := a.Frame - t.state.LastKey.Frame
	missed, occluded := false, false
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		missed = missed || q.Misses > 0 || q.Confirmations == 1
		occluded = occluded || len(q.Mask) > 0 && (q.Shrunk || occludedShare(a, t.observed[i].mask) > t.Params.OccludedShare)
	}
	switch {
	case a.FadeIn && float64(since) >= t.Params.FirstSpacing:
		return keyFadeIn
	case missed && since >= t.Params.MissAfter:
		return keyMiss
	case occluded && since >= t.Params.OccludedAfter:
		return keyOccluded
	case float64(since) >= float64(int(t.state.KeySpacing)):
		return keyInterval
	}
	return ""
}

// occludedShare is the share of a mask that the motion does not explain.
func occludedShare(a *Analysis, mask []byte) float64 {
	if len(a.Motion.Occlusion) != len(mask) {
		return 0
	}
	n, sum := 0, float32(0)
	for i, m := range mask {
		if m != 0 {
			n++
			sum += a.Motion.Occlusion[i]
		}
	}
	return float64(sum / float32(max(n, 1)))
}

// adaptSpacing adapts the spacing of key frames to how well propagated masks fit. For the
// last key frame, the IoU of the exact masks is known. For this one, rough has the IoUs of
// the masks at the flow's resolution. changed says that the set of present queries changed.
func (t *Tracker) adaptSpacing(a *Analysis, rough []float64, changed bool) {
	worst := 1.0
	for _, iou := range rough {
		worst = min(worst, iou)
	}
	s, carried := &t.state.KeySpacing, t.state.CarriedIoU
	switch {
	case a.NewShot, changed: // how the new masks move is not known yet
		*s = t.Params.FirstSpacing
	case carried < t.Params.SpacingShrinkIoU || worst < t.Params.SpacingShrinkRoughIoU:
		*s = max(*s/2, t.Params.FirstSpacing)
	case carried > t.Params.SpacingGrowIoU:
		*s *= t.Params.SpacingGrowth
	}
	*s = min(max(*s, 1), float64(t.MaxEvery))
	t.explanation.CarriedIoU = carried
}
