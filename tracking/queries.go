package tracking

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
)

// SetQueries changes what is looked for, from the next frame on. bank has all queries
// from now on, as [car.Segmenter.Encode] gives it, each with an ID of its own. A query
// that was there before, by its ID, keeps what is known of it. One that is new, or means
// something else, is asked at once. It is called between two steps.
func (t *Tracker) SetQueries(bank *car.Bank) error {
	queries := bank.Queries()
	states := make([]QueryState, len(queries))
	anew := make([]bool, len(queries))
	for i := range queries {
		q := &queries[i]
		if q.ID <= 0 || slices.ContainsFunc(queries[:i], func(o car.Query) bool { return o.ID == q.ID }) {
			return fmt.Errorf("setting queries: %q has no ID of its own", q.Label)
		}
		before := slices.IndexFunc(t.Queries, func(o car.Query) bool { return o.ID == q.ID })
		if before < 0 {
			anew[i] = true
			continue
		}
		states[i] = t.state.Queries[before]
		if !q.SameMeaning(&t.Queries[before]) {
			anew[i] = true
			states[i].voidJudgements()
		}
	}
	t.Queries, t.bank, t.state.Queries, t.unevaluated = queries, bank, states, anew
	t.explanation.Queries = nil
	return nil
}

// reconsider makes the judgements of a query void, since it means something else now.
// Where it is, if it is there, is a guess that the next judgement confirms or not.
func (q *QueryState) voidJudgements() {
	if !q.Present {
		*q = QueryState{}
		return
	}
	q.PresenceFell = true // so that it is judged
	q.Template = q.Template[:0]
}

// someAnew says that a query was not asked yet since it was set.
func (t *Tracker) anyUnevaluated() bool { return slices.Contains(t.unevaluated, true) }

// An adoption leads from the places of queries in one bank to those in another, by their
// IDs; -1 where there is none.
type bankMapping []int

func mapBanks(from, to *car.Bank) bankMapping {
	a := make(bankMapping, len(from.Queries()))
	for i, q := range from.Queries() {
		a[i] = slices.IndexFunc(to.Queries(), func(o car.Query) bool { return o.ID == q.ID })
	}
	return a
}

// adopt makes the carrier go on with another bank. Nothing is held back.
func (c *Propagator) setBank(bank *car.Bank) {
	if c.Bank != nil {
		places := mapBanks(c.Bank, bank)
		// The memory of those that are gone stays, behind the others.
		kept := 0
		for i := range c.sources {
			if to := places[c.sources[i].query]; to >= 0 {
				c.sources[i].query = to
				c.sources[kept], c.sources[i] = c.sources[i], c.sources[kept]
				kept++
			}
		}
		c.sources = c.sources[:kept]
		if c.InstanceTracker != nil {
			c.InstanceTracker.setBank(places, len(bank.Queries()))
		}
	}
	c.Bank = bank
}

// adopt makes the roster go on with the queries at other places. Things of a query that
// is gone are forgotten, and so are their numbers.
func (r *InstanceTracker) setBank(places bankMapping, queries int) {
	next := make([]int, queries)
	for q, n := range r.nextID {
		if to := places[q]; to >= 0 {
			next[to] = n
		}
	}
	r.nextID = next
	for i, t := range r.tracks {
		switch {
		case t == nil:
		case places[t.query] < 0:
			r.tracks[i] = nil
			for p, o := range r.previousOwners {
				if int(o) == i+1 {
					r.previousOwners[p] = 0
				}
			}
		default:
			t.query = places[t.query]
		}
	}
}
