package tracking

import (
	"slices"

	"github.com/carve-video/carve/car"
)

// sunk is the share of its presence below which a query, though it passes, is not what
// it was: it is judged again, and its look is not taken for its own.
const sunk = 0.5

// remember makes what stood in this frame the state that the next begins with, and
// returns the queries that stand without having passed.
func (t *Tracker) update(s *Analysis, out *car.Outcome, right float64) (standing []int) {
	if !t.Stateless {
		t.state.W, t.state.H, _ = flowSize(s)
	}
	var carried []float64
	was := make([]bool, len(t.Queries))
	for q := range t.state.Queries {
		was[q] = t.state.Queries[q].Present
		t.state.Queries[q].Present = false
	}
	t.recordJudgements(s, out, was)
	for p := range out.Proposals() {
		m := &t.state.Queries[p.Query]
		if t.recordKept(s, p.Query, was[p.Query]) {
			standing = append(standing, p.Query)
		}
		if t.Stateless {
			continue
		}
		if m.retained {
			m.Mask = append(m.Mask[:0], m.propagated...)
		} else {
			if was[p.Query] && !s.NewShot {
				carried = append(carried, t.proposalIoU(s, m, p))
			}
			m.Mask = t.proposalMask(s, p, m.Mask)
		}
		m.propagated = append(m.propagated[:0], m.Mask...)
		if m.LastPassed == s.Moment && m.LastJudged == s.Moment && !m.PresenceFell {
			m.TemplateArea = area(m.Mask)
			m.updateTemplate(s)
		} else { // the look goes on as it is
			m.Template, m.templateNow = m.templateNow, m.Template
		}
	}
	changed := false
	for q := range t.state.Queries {
		m := &t.state.Queries[q]
		changed = changed || m.Present != was[q]
		if was[q] && !m.Present {
			m.reset()
			m.Dropped = s.Moment
			t.explanation.setDropped(q)
		}
	}
	if !t.Stateless {
		t.path.reset(flowSize(s))
	}
	t.adaptSpacing(s, carried, right, changed)
	t.state.LastKey = s.Moment
	slices.Sort(standing)
	return standing
}

// rememberJudged takes in what was asked for and how the judge found it. was tells
// which queries were present before.
func (t *Tracker) recordJudgements(s *Analysis, out *car.Outcome, was []bool) {
	for n, st := range out.Stages {
		for i, q := range st.Evaluated {
			m := &t.state.Queries[q]
			m.LastEvaluated = s.Moment
			if slices.Contains(st.Reused, q) {
				if n == 0 {
					t.explanation.setReused(q)
				}
				continue
			}
			m.PresenceFell = was[q] && st.Presences[i] < sunk*m.Presence
			m.LastJudged, m.Judgement = s.Moment, car.Judgement{Score: st.Scores[i], Presence: st.Presences[i]}
			t.explanation.setJudged(q, m.Judgement)
		}
	}
}

// rememberKept takes in that a query is present, and with how much confidence. It
// reports whether the query stands without having passed.
func (t *Tracker) recordKept(s *Analysis, query int, was bool) (stands bool) {
	m := &t.state.Queries[query]
	m.Present, m.Similarities = true, 0
	if !was || s.NewShot {
		m.Entered = s.Moment
	}
	switch spared := m.LastJudged.Frame != s.Frame; {
	case s.NewShot && m.Presence < certain && t.Segmenter.Preset().Presence > 0:
		m.Misses, m.LastSeen, m.LastPassed = 1, s.Moment, s.Moment // let in at once, and on probation
	case spared || t.Segmenter.Passes(t.bank, query, m.Judgement):
		m.Misses, m.LastSeen, m.LastPassed = 0, s.Moment, s.Moment
	case m.retained:
		m.Misses = 0
		t.explanation.setRetained(query)
		return true
	default:
		m.Misses++
		t.explanation.setMissed(query)
	}
	return false
}
