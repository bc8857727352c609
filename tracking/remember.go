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
func (t *Tracker) remember(s *Sight, out *car.Outcome, right float64) (standing []int) {
	if !t.Stateless {
		t.state.W, t.state.H, _ = flowSize(s)
	}
	var carried []float64
	was := make([]bool, len(t.Queries))
	for q := range t.state.Queries {
		was[q] = t.state.Queries[q].Present
		t.state.Queries[q].Present = false
	}
	t.rememberJudged(s, out, was)
	for p := range out.Proposals() {
		m := &t.state.Queries[p.Query]
		if t.rememberKept(s, p.Query, was[p.Query]) {
			standing = append(standing, p.Query)
		}
		if t.Stateless {
			continue
		}
		if m.standing {
			m.Mask = append(m.Mask[:0], m.now...)
		} else {
			if was[p.Query] && !s.Fresh {
				carried = append(carried, t.likeCarried(s, m, p))
			}
			m.Mask = t.roughMask(s, p, m.Mask)
		}
		m.now = append(m.now[:0], m.Mask...)
		if m.Clear == s.Moment && m.Judged == s.Moment && !m.Sank {
			m.Area = area(m.Mask)
			m.remind(s)
		} else { // the look goes on as it is
			m.Look, m.looks = m.looks, m.Look
		}
	}
	changed := false
	for q := range t.state.Queries {
		m := &t.state.Queries[q]
		changed = changed || m.Present != was[q]
		if was[q] && !m.Present {
			m.forget()
			m.Left = s.Moment
			t.why.dropped(q)
		}
	}
	if !t.Stateless {
		t.path.begin(flowSize(s))
	}
	t.space(s, carried, right, changed)
	t.state.Key = s.Moment
	slices.Sort(standing)
	return standing
}

// rememberJudged takes in what was asked for and how the judge found it. was tells
// which queries were present before.
func (t *Tracker) rememberJudged(s *Sight, out *car.Outcome, was []bool) {
	for n, st := range out.Stages {
		for i, q := range st.Evaluated {
			m := &t.state.Queries[q]
			m.Asked = s.Moment
			if slices.Contains(st.Reused, q) {
				if n == 0 {
					t.why.spared(q)
				}
				continue
			}
			m.Sank = was[q] && st.Presences[i] < sunk*m.Presence
			m.Judged, m.Judgement = s.Moment, car.Judgement{Score: st.Scores[i], Presence: st.Presences[i]}
			t.why.judged(q, m.Judgement)
		}
	}
}

// rememberKept takes in that a query is present, and with how much confidence. It
// reports whether the query stands without having passed.
func (t *Tracker) rememberKept(s *Sight, query int, was bool) (stands bool) {
	m := &t.state.Queries[query]
	m.Present, m.Known = true, 0
	if !was || s.Fresh {
		m.Since = s.Moment
	}
	switch spared := m.Judged.Frame != s.Frame; {
	case s.Fresh && m.Presence < certain && t.Segmenter.Preset().Presence > 0:
		m.Doubts, m.Seen, m.Clear = 1, s.Moment, s.Moment // let in at once, and on probation
	case spared || t.Segmenter.Passes(t.bank, query, m.Judgement):
		m.Doubts, m.Seen, m.Clear = 0, s.Moment, s.Moment
	case m.standing:
		m.Doubts = 0
		t.why.stands(query)
		return true
	default:
		m.Doubts++
		t.why.doubted(query)
	}
	return false
}
