package tracking

import "math"

// A template is how a query looked when it last passed. If the frame matches it inside the
// propagated mask, the object is still there even if the judge fails, which unusual light
// or another object nearby can cause. Such a query is retained: it stays in the set, with
// the propagated mask, for a limited time. A query that mismatches its template is dropped
// after one failure.

// matchTemplates compares the frame with the templates of the present queries, inside their
// propagated masks.
func (t *Tracker) matchTemplates(a *Analysis) {
	for i := range t.state.Queries {
		q, o := &t.state.Queries[i], &t.observed[i]
		o.matches, o.mismatches, o.retained, o.occupied = false, false, false, 0
		if !q.Present || len(o.mask) == 0 || len(q.Template) != len(o.mask) {
			o.template = o.template[:0]
			continue
		}
		o.template = t.path.warpLuma(q.Template, o.template)
		match, known := matchTemplate(o.mask, o.template, a.pyramid.Luma(), t.Params.TemplateContrast)
		o.matches = known && match.correlation > t.Params.TemplateMatch
		o.mismatches = known && (match.correlation < t.Params.TemplateMismatch ||
			max(match.correlation, match.strength) < t.Params.TemplateStrength)
		t.explanation.setTemplateMatch(i, match)
	}
}

// A templateMatch is how well a frame matches a template.
type templateMatch struct {
	correlation float64 // -1..1, invariant to the gain and the offset of the light
	strength    float64 // the gain of the template's pattern in the frame, 1 if as strong
}

// matchTemplate compares a frame with a template inside a mask. A plane has a pattern if its
// standard deviation there is at least contrast. known is false if the mask is empty or
// neither plane has a pattern. If only one of them has, the match is 0.
func matchTemplate(mask, template []byte, luma []float32, contrast float64) (r templateMatch, known bool) {
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
	if max(va, vb) < contrast*contrast {
		return r, false
	}
	if min(va, vb) < contrast*contrast {
		return r, true
	}
	cov := sab/n - sa/n*sb/n
	return templateMatch{correlation: cov / math.Sqrt(va*vb), strength: cov / va}, true
}

// isRetained reports whether a query that missed is retained: it matches its template, and
// has not been retained for too long.
func (t *Tracker) isRetained(q *QueryState, o *observation, now Moment) bool {
	return o.matches && float64(area(o.mask)) > t.Params.RetainArea*float64(q.TemplateArea) &&
		now.Time-q.LastPassed.Time <= min(t.Params.RetainTime, q.LastPassed.Time-q.Entered.Time)
}
