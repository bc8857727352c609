package tracking

import (
	"math"
	"time"
)

// A thing that looks as it did, where it has to be, is still there, whatever the
// judge says: light that the judge has never seen, or another thing that comes near,
// makes it fail without making the thing vanish. Such a query stands: it stays of the
// set, and its mask is the one that motion brought, until its credit is used up. And
// the other way round: where little or nothing is left of its look, one failure is
// enough for it to go.

const (
	// sameLook is the correlation with the look of the last judgement that passed above
	// which a thing is unchanged, and otherLook the one below which it is no longer to
	// be seen.
	sameLook  = 0.8
	otherLook = 0.4
	// strong is the correlation, and the share of the strength of its look, below both of
	// which it is no longer to be seen either: in a dissolve they are about how much of
	// the picture is still it.
	strong = 0.65
	// plain is the deviation of brightness, of 255, below which a look says nothing.
	plain = 2.0
	// patience is how long a thing stands at most on its look alone; it does not
	// stand longer than it had been there and passed.
	patience = 2 * time.Second
	// mostOfIt is the share of a mask that must be left for that: what leaves the picture
	// looks the same to the last.
	mostOfIt = 0.5
)

// recognise compares each query of the set, where motion has brought it, with how it
// looked when it passed last.
func (t *Tracker) matchTemplates(s *Analysis) {
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		q.matches, q.mismatches, q.retained, q.occupied = false, false, false, 0
		if !q.Present || len(q.propagated) == 0 || len(q.Template) != len(q.propagated) {
			continue
		}
		q.templateNow = t.path.warpLuma(q.Template, q.templateNow)
		still, known := matchTemplate(q.propagated, q.templateNow, s.pyramid.Luma())
		q.matches = known && still.correlation > sameLook
		q.mismatches = known && (still.correlation < otherLook || max(still.correlation, still.strength) < strong)
		t.explanation.setTemplateMatch(i, still)
	}
}

// A resemblance says how far a picture goes on.
type templateMatch struct {
	correlation float64 // correlation, -1..1: how light or strong either is does not count
	strength    float64 // of the pattern of the one in the other
}

// compare holds a look against a picture inside a mask. Two plain ones tell nothing,
// nor does an empty mask; a plain one and one that is not are nothing like each other.
func matchTemplate(mask, look []byte, luma []float32) (r templateMatch, known bool) {
	var n, sa, sb, saa, sbb, sab float64
	for i, m := range mask {
		if m == 0 {
			continue
		}
		a, b := float64(look[i]), float64(luma[i])
		n, sa, sb = n+1, sa+a, sb+b
		saa, sbb, sab = saa+a*a, sbb+b*b, sab+a*b
	}
	if n == 0 {
		return r, false
	}
	va, vb := saa/n-sa/n*sa/n, sbb/n-sb/n*sb/n
	if max(va, vb) < plain*plain {
		return r, false
	}
	if min(va, vb) < plain*plain {
		return r, true
	}
	cov := sab/n - sa/n*sb/n
	return templateMatch{correlation: cov / math.Sqrt(va*vb), strength: cov / va}, true
}

// stands tells whether a query that did not pass stays because it is unchanged.
func (t *Tracker) retainedByTemplate(q *QueryState, now Moment) bool {
	return q.matches && float64(area(q.propagated)) > mostOfIt*float64(q.TemplateArea) &&
		now.Time-q.LastPassed.Time <= min(patience, q.LastPassed.Time-q.Entered.Time)
}

// remind makes the picture under a query's mask its look.
func (q *QueryState) updateTemplate(s *Analysis) { q.Template = quantize(s.pyramid.Luma(), q.Template) }
