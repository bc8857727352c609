package tracking

import (
	"cmp"
	"slices"
)

// Why a query is evaluated at a key frame.
const (
	evaluateAll        = "all"        // a shot begins, or there is no memory
	evaluateNew        = "new"        // it was set since the last key frame
	evaluatePresent    = "present"    // it is in the active set
	evaluateAbrupt     = "abrupt"     // the frame changed at once, so any object may be new
	evaluateFadeIn     = "fade-in"    // what could not be seen before may be visible now
	evaluateTentative  = "tentative"  // it passed, and has to pass again
	evaluateDropped    = "dropped"    // it was dropped lately
	evaluateSimilarity = "similarity" // the whole image has become more similar to it
	evaluateProbe      = "probe"      // it is its turn
)

// selectAll selects every query.
func (t *Tracker) selectAll(a *Analysis) []int {
	t.state.FullProbe = a.Moment
	all := make([]int, len(t.Queries))
	for q := range all {
		all[q] = q
		t.explanation.setEvaluated(q, evaluateAll)
	}
	return all
}

// selectQueries selects the queries that a key frame evaluates, in ascending order. They are
// the present ones, absent ones for which there is a reason, and some of the other absent
// ones, the longest waiting first: as many as are needed to evaluate each within Probe. A
// fade-in selects all; so does an abrupt change, unless all were selected within FullProbe.
// similarity is that of the whole image to each query, in logits.
func (t *Tracker) selectQueries(a *Analysis, similarity []float32) []int {
	all := a.FadeIn || a.Abrupt && Interval{Time: t.Params.FullProbe}.Elapsed(t.state.FullProbe, a.Moment)
	if all {
		t.state.FullProbe = a.Moment
	}
	common := t.meanAbsent(similarity)
	var selected, waiting []int
	for q := range t.state.Queries {
		s := &t.state.Queries[q]
		relative := similarity[q] - common
		reason := t.reasonToEvaluate(q, a, all, relative)
		if reason == "" {
			waiting = append(waiting, q)
		} else {
			selected = append(selected, q)
			t.explanation.setEvaluated(q, reason)
		}
		if !s.Present {
			s.Similarities++
			s.MeanSimilarity += (relative - s.MeanSimilarity) / float32(min(s.Similarities, t.Params.SimilarityWindow))
		}
	}
	slices.SortStableFunc(waiting, func(a, b int) int {
		return cmp.Compare(t.state.Queries[a].LastEvaluated.Frame, t.state.Queries[b].LastEvaluated.Frame)
	})
	t.state.ProbeDebt += float64(len(waiting)) * t.Probe.elapsedShare(t.state.LastKey, a.Moment)
	probes := min(int(t.state.ProbeDebt), len(waiting))
	t.state.ProbeDebt = min(t.state.ProbeDebt-float64(probes), 1)
	for _, q := range waiting[:probes] {
		selected = append(selected, q)
		t.explanation.setEvaluated(q, evaluateProbe)
	}
	slices.Sort(selected)
	return selected
}

// meanAbsent is the mean similarity to the absent queries. It is subtracted, because what
// raises the similarity to all of them is evidence for none.
func (t *Tracker) meanAbsent(similarity []float32) float32 {
	sum, absent := float32(0), 0
	for q := range t.state.Queries {
		if !t.state.Queries[q].Present {
			sum, absent = sum+similarity[q], absent+1
		}
	}
	return sum / float32(max(absent, 1))
}

// reasonToEvaluate returns why a query is evaluated out of turn, or "". relative is the
// similarity of the image to it, less that to all absent queries.
func (t *Tracker) reasonToEvaluate(query int, a *Analysis, all bool, relative float32) string {
	q := &t.state.Queries[query]
	switch {
	case q.Present:
		return evaluatePresent
	case q.Unevaluated:
		return evaluateNew
	case all && a.FadeIn:
		return evaluateFadeIn
	case all:
		return evaluateAbrupt
	case q.Confirmations > 0:
		return evaluateTentative
	case q.Dropped.Frame > 0 && a.Frame-q.LastEvaluated.Frame > q.LastEvaluated.Frame-q.Dropped.Frame:
		// A query that was dropped a moment ago may only be hidden. It is evaluated after
		// intervals that double, until its turn comes sooner.
		return evaluateDropped
	case q.Similarities > 0 && relative > q.MeanSimilarity+float32(t.Params.SimilarityGain):
		return evaluateSimilarity
	}
	return ""
}
