package tracking

import (
	"slices"

	"github.com/carve-video/carve/car"
)

// update makes the state from the outcome of a key frame. It returns the retained queries,
// which stay without having passed.
func (t *Tracker) update(a *Analysis, out *car.Outcome) (retained []int) {
	was := make([]bool, len(t.Queries)) // present before
	for q := range t.state.Queries {
		was[q] = t.state.Queries[q].Present
		t.state.Queries[q].Present = false
	}
	t.recordJudgements(a, out, was)
	if !t.Stateless {
		t.state.W, t.state.H, _ = flowSize(a)
	}
	var rough []float64 // overlaps of propagated masks with proposals
	for p := range out.Proposals() {
		if t.recordPresent(a, p.Query, was[p.Query]) {
			retained = append(retained, p.Query)
		}
		if t.Stateless {
			continue
		}
		if was[p.Query] && !a.NewShot && !t.observed[p.Query].retained {
			t.scratch = t.proposalMask(a, p, t.scratch)
			rough = append(rough, iou(t.observed[p.Query].mask, t.scratch))
		}
		t.recordMask(a, p)
	}
	changed := false
	for q := range t.state.Queries {
		s := &t.state.Queries[q]
		changed = changed || s.Present != was[q]
		if was[q] && !s.Present {
			t.forget(q)
			s.Dropped = a.Moment
			t.explanation.setVerdict(q, Dropped)
		}
	}
	if !t.Stateless {
		t.path.reset(flowSize(a))
	}
	t.adaptSpacing(a, rough, changed)
	t.state.LastKey, t.state.FeedbackDue = a.Moment, true
	slices.Sort(retained)
	return retained
}

// recordJudgements notes which queries were evaluated, and their judgements. was says which
// were present before.
func (t *Tracker) recordJudgements(a *Analysis, out *car.Outcome, was []bool) {
	for n, stage := range out.Stages {
		for i, q := range stage.Evaluated {
			s := &t.state.Queries[q]
			s.LastEvaluated = a.Moment
			if slices.Contains(stage.Reused, q) {
				if n == 0 {
					t.explanation.setVerdict(q, Reused)
				}
				continue
			}
			s.PresenceFell = was[q] && stage.Presences[i] < float32(t.Params.PresenceFall)*s.Presence
			s.LastJudged, s.Judgement = a.Moment, car.Judgement{Score: stage.Scores[i], Presence: stage.Presences[i]}
			t.explanation.setVerdict(q, Judged)
		}
	}
}

// recordPresent notes that a query is in the set, and whether it passed or missed. It
// reports whether the query is retained.
func (t *Tracker) recordPresent(a *Analysis, query int, was bool) (retained bool) {
	s := &t.state.Queries[query]
	s.Present, s.Similarities = true, 0
	if !was || a.NewShot {
		s.Entered = a.Moment
	}
	switch reused := s.LastJudged.Frame != a.Frame; {
	case a.NewShot && float64(s.Presence) < t.Params.CertainPresence && t.Segmenter.Preset().Presence > 0:
		s.Misses, s.LastSeen, s.LastPassed = 1, a.Moment, a.Moment // it enters at once, and has to pass again
	case reused || t.Segmenter.Passes(t.bank, query, s.Judgement):
		s.Misses, s.LastSeen, s.LastPassed = 0, a.Moment, a.Moment
	case t.observed[query].retained:
		s.Misses = 0
		t.explanation.setVerdict(query, Retained)
		return true
	default:
		s.Misses++
		t.explanation.setVerdict(query, Missed)
	}
	return false
}

// recordMask stores the mask of a proposal in the state, or, for a retained query, the
// propagated mask. If the query passed, the frame is its new template; otherwise the old
// template is moved to this frame.
func (t *Tracker) recordMask(a *Analysis, p *car.Proposal) {
	s, o := &t.state.Queries[p.Query], &t.observed[p.Query]
	if o.retained {
		s.Mask = append(s.Mask[:0], o.mask...)
	} else {
		s.Mask = t.proposalMask(a, p, s.Mask)
	}
	o.mask = append(o.mask[:0], s.Mask...)
	if s.LastPassed == a.Moment && s.LastJudged == a.Moment && !s.PresenceFell {
		s.Template, s.TemplateArea = quantize(a.pyramid.Luma(), s.Template), area(s.Mask)
	} else {
		s.Template, o.template = o.template, s.Template
	}
}
