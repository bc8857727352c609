package tracking

import (
	"time"

	"github.com/carve-video/carve/car"
)

// keep has the last word on who stays. Who is not of the set has to pass, and more
// than once if it is a near thing. Who is of it has been there: a blurred frame, or a
// light that the judge has never seen, does not make it vanish. It is dropped at once
// if little is left of its look, and stands while all of it is. In between it is
// dropped after some failures in a row: many, while its mask goes where the motion
// leads; few, if the mask is elsewhere; and at once, if it is and next to nothing
// speaks for it.
func (t *Tracker) stays(query int, j car.Judgement, fits bool) bool {
	q := &t.state.Queries[query]
	q.retained = false
	switch {
	case !q.Present:
		if q.needsConfirmation(j, fits, t.Segmenter.Preset().Presence == 0, t.now) {
			return false
		}
		q.Confirmations = 0
		return fits
	case fits:
		return true
	case q.mismatches:
		return false
	case t.retainedByTemplate(q, t.now):
		q.retained = true
		return true
	case q.carriedIoU > goesOn:
		return q.Misses+1 < doubtsToDropMoved
	}
	return q.Misses+1 < doubtsToDrop && !t.clearlyAbsent(query, j)
}

const (
	// certain is the presence above which one judgement is enough to be let in.
	certain = 0.5
	// goesOn is the overlap with the carried mask above which a thing is where it has
	// to be.
	goesOn            = 0.5
	doubtsToDrop      = 2
	doubtsToDropMoved = 4
	// hopelessShare is how much of the threshold of presence must be left.
	hopelessShare = 0.25
)

// hopeless tells whether a judgement needs no second one.
func (t *Tracker) clearlyAbsent(query int, j car.Judgement) bool {
	presence := t.Segmenter.Preset().Presence
	if own := t.Queries[query].Presence; own != nil {
		presence = *own
	}
	return j.Presence < hopelessShare*presence
}

// hopes tells whether an absent query that passed has to pass again before it is let
// in: one that passed by a hair once, and one on the ground of what is unchanged, in
// which there was nothing else a moment ago, clearly and for some time. The judge is
// shown both things there, and may name the one after the other.
func (q *QueryState) needsConfirmation(j car.Judgement, fits, anyone bool, now Moment) bool {
	surely, elsewhere := j.Presence >= certain || anyone, q.occupied <= takenGround
	switch {
	case !fits:
		return false
	case elsewhere && (surely || q.Confirmations > 0):
		return false
	case !elsewhere && !surely:
		q.Confirmations = 0
		return true
	case !elsewhere && q.Confirmations > 0 && now.Time-q.FirstConfirmed.Time >= settling:
		return false
	case q.Confirmations == 0:
		q.FirstConfirmed = now
	}
	q.Confirmations++
	return true
}

const (
	// takenGround is how much of a newcomer may lie on what is unchanged, and settling
	// how long it has to pass there before it is let in nonetheless.
	takenGround = 0.85
	settling    = time.Second
)

// takenShare is how much of a proposal lies on things that are unchanged.
func (t *Tracker) occupiedShare(s *Analysis, p *car.Proposal) float64 {
	t.maskScratch = t.proposalMask(s, p, t.maskScratch)
	n, on := 0, 0
	for i, m := range t.maskScratch {
		if m == 0 {
			continue
		}
		n++
		for k := range t.state.Queries {
			if q := &t.state.Queries[k]; k != p.Query && q.matches && q.propagated[i] != 0 {
				on++
				break
			}
		}
	}
	return float64(on) / float64(max(n, 1))
}
