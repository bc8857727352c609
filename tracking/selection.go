package tracking

import (
	"cmp"
	"slices"

	"github.com/carve-video/carve/car"
)

// askAll notes that every query is asked.
func (t *Tracker) noteAll(s *Analysis) {
	t.state.FullProbe = s.Moment
	for q := range t.Queries {
		t.explanation.setEvaluated(q, "all")
	}
}

// ask chooses the queries of a key frame, in ascending order: those of the set,
// those that the picture begins to speak for, and of the others as many as it takes
// for each to have its turn in time, those first that have waited longest. What
// startles asks for all, if that was not done a moment ago.
func (t *Tracker) selectQueries(s *Analysis, likeness []float32) []int {
	all := s.FadeIn || s.Abrupt && allAgain.elapsed(t.state.FullProbe, s.Moment)
	if all {
		t.state.FullProbe = s.Moment
	}
	// What the picture says of all absent queries alike is about none of them.
	common, absent := float32(0), 0
	for q := range t.state.Queries {
		if !t.state.Queries[q].Present {
			common, absent = common+likeness[q], absent+1
		}
	}
	common /= float32(max(absent, 1))
	var asked, waiting []int
	for q := range t.state.Queries {
		m := &t.state.Queries[q]
		like := likeness[q] - common
		switch {
		case !m.Present && t.unevaluated != nil && t.unevaluated[q]:
			asked = append(asked, q)
			t.explanation.setEvaluated(q, "new")
		case m.Present:
			asked = append(asked, q)
			t.explanation.setEvaluated(q, "present")
			continue
		case all:
			asked = append(asked, q)
			t.explanation.setEvaluated(q, map[bool]string{true: keyFadeIn, false: keyAbrupt}[s.FadeIn])
		case m.Confirmations > 0:
			asked = append(asked, q)
			t.explanation.setEvaluated(q, "tentative")
		case m.Dropped.Frame > 0 && s.Frame-m.LastEvaluated.Frame > m.LastEvaluated.Frame-m.Dropped.Frame:
			// Who was dropped a moment ago may only be hidden. The question comes back
			// after twice the time, until it is no more than a probe.
			asked = append(asked, q)
			t.explanation.setEvaluated(q, "dropped")
		case m.Similarities > 0 && like > m.MeanSimilarity+likelier:
			asked = append(asked, q)
			t.explanation.setEvaluated(q, "similarity")
		default:
			waiting = append(waiting, q)
		}
		m.Similarities++
		m.MeanSimilarity += (like - m.MeanSimilarity) / float32(min(m.Similarities, likenessOver))
	}
	slices.SortStableFunc(waiting, func(a, b int) int {
		return cmp.Compare(t.state.Queries[a].LastEvaluated.Frame, t.state.Queries[b].LastEvaluated.Frame)
	})
	t.state.ProbeDebt += float64(len(waiting)) * t.Probe.elapsedShare(t.state.LastKey, s.Moment)
	turn := min(int(t.state.ProbeDebt), len(waiting))
	t.state.ProbeDebt = min(t.state.ProbeDebt-float64(turn), 1)
	for _, q := range waiting[:turn] {
		asked = append(asked, q)
		t.explanation.setEvaluated(q, "probe")
	}
	slices.Sort(asked)
	return asked
}

// allAgain is the time between two key frames that ask for everything, unless a
// shot begins: a flickering lamp startles all the time.
var allAgain = Interval{Time: 250e6}

const (
	// likelier is by how much the picture must speak for a query more than it has
	// done so far in the shot for it to be asked out of turn, in logits.
	likelier = 1.5
	// likenessOver is over how many key frames that mean goes.
	likenessOver = 8
)

// known spares the judge a query whose mask only moved, unless little is left of its
// look, or its last judgement is too old, was not passed, or was passed by less.
func (t *Tracker) reuseJudgement(s *Analysis) func(*car.Proposal) (car.Judgement, bool) {
	return func(p *car.Proposal) (car.Judgement, bool) {
		q := &t.state.Queries[p.Query]
		if !q.Present {
			q.occupied = t.occupiedShare(s, p)
			t.explanation.setOccupied(p.Query, q.occupied)
			return car.Judgement{}, false
		}
		q.carriedIoU = t.proposalIoU(s, q, p)
		failed := q.LastPassed.Frame < q.LastJudged.Frame
		if q.carriedIoU < sameMask || failed || q.mismatches || q.PresenceFell || q.Misses > 0 || s.Abrupt || t.JudgeEvery.elapsed(q.LastJudged, s.Moment) {
			return car.Judgement{}, false
		}
		return q.Judgement, true
	}
}

// sameMask is the overlap with the carried mask above which a proposal has only
// moved. Heat is coarse, and its outline is never quite the same.
const sameMask = 0.7

// likeCarried is the overlap of a proposal with what was carried to this frame.
func (t *Tracker) proposalIoU(s *Analysis, q *QueryState, p *car.Proposal) float64 {
	t.maskScratch = t.proposalMask(s, p, t.maskScratch)
	return iou(q.propagated, t.maskScratch)
}

// roughMask is where a proposal is shown to the judge, at the flow's resolution.
func (t *Tracker) proposalMask(s *Analysis, p *car.Proposal, dst []byte) []byte {
	return maskAtFlowSize(s, p.Heat, t.Segmenter.Preset().Eta, dst)
}

// rough is where a plane of the picture's size is above a value, at the flow's
// resolution, in the memory of dst.
func maskAtFlowSize(s *Analysis, plane []float32, above float32, dst []byte) []byte {
	w, h, f := flowSize(s)
	dst = resizedSlice(dst, w*h)
	for y := range h {
		row := min(y*f+f/2, s.Image.H-1) * s.Image.W
		for x := range w {
			dst[y*w+x] = 0
			if plane[row+min(x*f+f/2, s.Image.W-1)] > above {
				dst[y*w+x] = 1
			}
		}
	}
	return dst
}

// overlap is the intersection of two masks over their union: 1 if both are empty.
func iou(a, b []byte) float64 {
	if len(a) != len(b) {
		return 0
	}
	both, either := 0, 0
	for i, v := range a {
		both += int(v & b[i])
		either += int(v | b[i])
	}
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}
