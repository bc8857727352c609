package tracking

import (
	"github.com/carve-video/carve/car"
)

// compareProposals compares the proposals of a round with what the frame is expected to
// show: those of present queries with their propagated masks, those of absent queries with
// the masks of queries that match their templates.
func (t *Tracker) compareProposals(a *Analysis, round *car.Round) {
	for p := range round.Proposals() {
		o := &t.observed[p.Query]
		t.scratch = t.proposalMask(a, p, t.scratch)
		if t.state.Queries[p.Query].Present {
			o.iou = iou(o.mask, t.scratch)
			continue
		}
		o.occupied = t.occupiedShare(p.Query, t.scratch)
		t.explanation.setOccupied(p.Query, o.occupied)
	}
}

// reusable returns the judgements of queries whose masks only moved, by query. A query is
// judged again if its last judgement is too old, missed, or left little of its presence,
// if it no longer looks like its template, and after an abrupt change.
func (t *Tracker) reusable(a *Analysis, round *car.Round) map[int]car.Judgement {
	known := make(map[int]car.Judgement)
	for p := range round.Proposals() {
		q, o := &t.state.Queries[p.Query], &t.observed[p.Query]
		missed := q.Misses > 0 || q.LastPassed.Frame < q.LastJudged.Frame
		if q.Present && o.iou >= t.Params.ReuseIoU && !missed && !q.PresenceFell && !o.mismatches && !a.Abrupt &&
			!t.JudgeEvery.Elapsed(q.LastJudged, a.Moment) {
			known[p.Query] = q.Judgement
		}
	}
	return known
}

// decide returns the queries of a judged round that stay in the active set or enter it.
func (t *Tracker) decide(a *Analysis, round *car.Round) (stay []int) {
	for p := range round.Proposals() {
		passed := t.Segmenter.Passes(t.bank, p.Query, p.Judgement)
		if t.decideOn(p.Query, p.Judgement, passed, a.Moment) {
			stay = append(stay, p.Query)
		}
	}
	return stay
}

// decideOn decides whether one query stays in the set or enters it.
func (t *Tracker) decideOn(query int, j car.Judgement, passed bool, now Moment) bool {
	if t.state.Queries[query].Present {
		return t.stays(query, j, passed, now)
	}
	return t.enters(query, j, passed, now)
}

// stays decides whether a present query stays in the set. A single miss is not enough to
// drop it, because a blurred frame or unusual light can make the judge fail. A query that
// missed is dropped at once if it no longer looks like its template, and is retained while
// it does. If the template does not tell, it is dropped after some misses in a row: after
// more of them if its proposal is where the motion leads, and at once if it is elsewhere
// and hardly any presence is left.
func (t *Tracker) stays(query int, j car.Judgement, passed bool, now Moment) bool {
	q, o := &t.state.Queries[query], &t.observed[query]
	switch {
	case passed:
		return true
	case o.mismatches:
		return false
	case t.isRetained(q, o, now):
		o.retained = true
		return true
	case o.iou > t.Params.PropagatedIoU:
		return q.Misses+1 < t.Params.MissLimitMoved
	}
	return q.Misses+1 < t.Params.MissLimit && !t.isClearlyAbsent(query, j)
}

// isClearlyAbsent reports whether one judgement is enough to drop a query.
func (t *Tracker) isClearlyAbsent(query int, j car.Judgement) bool {
	threshold := t.Segmenter.Preset().Presence
	if own := t.Queries[query].Presence; own != nil {
		threshold = *own
	}
	return j.Presence < float32(t.Params.AbsentShare)*threshold
}

// enters decides whether an absent query enters the set. A query that passes by little has
// to pass twice. A query whose proposal lies on queries that match their templates has to
// pass with certainty for ConfirmTime: another object is visible there, and the judge may
// take one for the other.
func (t *Tracker) enters(query int, j car.Judgement, passed bool, now Moment) bool {
	q, o := &t.state.Queries[query], &t.observed[query]
	certain := float64(j.Presence) >= t.Params.CertainPresence || t.Segmenter.Preset().Presence == 0
	free := o.occupied <= t.Params.OccupiedShare
	switch {
	case !passed:
		q.Confirmations = 0
		return false
	case free && (certain || q.Confirmations > 0),
		!free && certain && q.Confirmations > 0 && now.Time-q.FirstConfirmed.Time >= t.Params.ConfirmTime:
		q.Confirmations = 0
		return true
	case !free && !certain:
		q.Confirmations = 0
		return false
	}
	if q.Confirmations == 0 {
		q.FirstConfirmed = now
	}
	q.Confirmations++
	return false
}

// occupiedShare is the share of a proposal's mask that lies on other queries which match
// their templates.
func (t *Tracker) occupiedShare(query int, mask []byte) float64 {
	n, on := 0, 0
	for i, m := range mask {
		if m == 0 {
			continue
		}
		n++
		for k := range t.observed {
			if o := &t.observed[k]; k != query && o.matches && o.mask[i] != 0 {
				on++
				break
			}
		}
	}
	return float64(on) / float64(max(n, 1))
}

// proposalMask returns the mask of a proposal that the judge sees, at the flow's
// resolution. It reuses the memory of dst.
func (t *Tracker) proposalMask(a *Analysis, p *car.Proposal, dst []byte) []byte {
	return maskAtFlowSize(a, p.Heat, t.Segmenter.Preset().Eta, dst)
}

// maskAtFlowSize returns a mask, at the flow's resolution, of where a plane of the image's
// size is above a value. It reuses the memory of dst.
func maskAtFlowSize(a *Analysis, plane []float32, above float32, dst []byte) []byte {
	w, h, f := flowSize(a)
	dst = resizedSlice(dst, w*h)
	for y := range h {
		row := min(y*f+f/2, a.Image.H-1) * a.Image.W
		for x := range w {
			dst[y*w+x] = 0
			if plane[row+min(x*f+f/2, a.Image.W-1)] > above {
				dst[y*w+x] = 1
			}
		}
	}
	return dst
}

// iou is the intersection of two masks over their union. It is 1 if both are empty, and 0 if
// their sizes differ.
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
