package tracking

import (
	"math"
	"time"
)

// An object that matches its template where the motion brought it is still there, whatever
// the judge says: light that the judge was not trained on, or another object nearby, can
// make the judge fail although the object has not vanished. Such a query is retained: it
// stays in the set, with the propagated mask, for a limited time. Conversely, a query that
// mismatches its template is dropped after one failure.

// The thresholds of templates were chosen on the standing suite and on clips of seeds 2
// and 3 (see docs/memory.md).
const (
	// matchCorrelation is the correlation with the template, -1..1, above which an object
	// is unchanged, and mismatchCorrelation the one below which it is no longer visible.
	matchCorrelation    = 0.8
	mismatchCorrelation = 0.4
	// mismatchStrength is the value below which both the correlation and the strength mean
	// that an object is no longer visible. In a dissolve both are about its share in the
	// frame.
	mismatchStrength = 0.65
	// minDeviation is the standard deviation of brightness, of 255, below which a template
	// or a frame has no pattern to compare.
	minDeviation = 2.0
	// maxRetained is how long a query is retained at most. It is also not retained longer
	// than it had been in the set when it last passed.
	maxRetained = 2 * time.Second
	// minRetainedArea is the share of its area that a retained query must still have.
	// Without it an object that leaves the frame would match to the last pixel.
	minRetainedArea = 0.5
)

// matchTemplates compares each propagated query of the set with its template.
func (t *Tracker) matchTemplates(s *Analysis) {
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		q.matches, q.mismatches, q.retained, q.occupied = false, false, false, 0
		if !q.Present || len(q.propagated) == 0 || len(q.Template) != len(q.propagated) {
			continue
		}
		q.templateNow = t.path.warpLuma(q.Template, q.templateNow)
		match, known := matchTemplate(q.propagated, q.templateNow, s.pyramid.Luma())
		q.matches = known && match.correlation > matchCorrelation
		q.mismatches = known && (match.correlation < mismatchCorrelation || max(match.correlation, match.strength) < mismatchStrength)
		t.explanation.setTemplateMatch(i, match)
	}
}

// A templateMatch is how well a frame matches a template.
type templateMatch struct {
	correlation float64 // -1..1, invariant to the gain and the offset of the light
	strength    float64 // the gain of the template's pattern in the frame, 1 if as strong
}

// matchTemplate compares a frame with a template inside a mask. The result is not known
// if the mask is empty or neither has a pattern. If only one of them has, the match is 0.
func matchTemplate(mask, template []byte, luma []float32) (r templateMatch, known bool) {
	var n, sa, sb, saa, sbb, sab float64
	for i, m := range mask {
		if m == 0 {
			continue
		}
		a, b := float64(template[i]), float64(luma[i])
		n, sa, sb = n+1, sa+a, sb+b
		saa, sbb, sab = saa+a*a, sbb+b*b, sab+a*b
	}
	if n == 0 {
		return r, false
	}
	va, vb := saa/n-sa/n*sa/n, sbb/n-sb/n*sb/n
	if max(va, vb) < minDeviation*minDeviation {
		return r, false
	}
	if min(va, vb) < minDeviation*minDeviation {
		return r, true
	}
	cov := sab/n - sa/n*sb/n
	return templateMatch{correlation: cov / math.Sqrt(va*vb), strength: cov / va}, true
}

// retainedByTemplate reports whether a query that failed the judge stays in the set because
// it matches its template.
func (t *Tracker) retainedByTemplate(q *QueryState, now Moment) bool {
	return q.matches && float64(area(q.propagated)) > minRetainedArea*float64(q.TemplateArea) &&
		now.Time-q.LastPassed.Time <= min(maxRetained, q.LastPassed.Time-q.Entered.Time)
}

// updateTemplate makes the frame's brightness the query's template.
func (q *QueryState) updateTemplate(s *Analysis) { q.Template = quantize(s.pyramid.Luma(), q.Template) }
