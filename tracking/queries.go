package tracking

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
)

// SetQueries replaces the queries, from the next frame on. bank comes from
// [car.Segmenter.EmbedQueries], and each of its queries has an ID of its own. A query whose
// ID was there before keeps what is known about it. A query that is new, or has another
// meaning than before, is evaluated in the next frame. Call SetQueries between two steps.
func (t *Tracker) SetQueries(bank *car.Bank) error {
	queries := bank.Queries()
	states := make([]QueryState, len(queries))
	for i := range queries {
		q := &queries[i]
		if q.ID <= 0 || slices.ContainsFunc(queries[:i], func(o car.Query) bool { return o.ID == q.ID }) {
			return fmt.Errorf("setting queries: %q has no ID of its own", q.Label)
		}
		before := slices.IndexFunc(t.Queries, func(o car.Query) bool { return o.ID == q.ID })
		if before < 0 {
			states[i].Unevaluated = true
			continue
		}
		states[i] = t.state.Queries[before]
		if !q.SameMeaning(&t.Queries[before]) {
			states[i].voidJudgements()
		}
	}
	t.Queries, t.bank, t.state.Queries = queries, bank, states
	t.observed = make([]observation, len(queries))
	for i := range queries {
		t.moveMask(i)
	}
	return nil
}

// voidJudgements forgets the judgements of a query whose meaning has changed. A present
// query stays where it is until it is judged.
func (q *QueryState) voidJudgements() {
	if !q.Present {
		*q = QueryState{Unevaluated: true}
		return
	}
	q.Unevaluated = true
	q.Judgement = car.Judgement{}
	q.PresenceFell = true // so that the last judgement is not reused
	q.Template = q.Template[:0]
}

// A bankMapping maps indices of queries in one bank to those in another, by their IDs. It is
// -1 for a query that the other bank does not have.
type bankMapping []int

func mapBanks(from, to *car.Bank) bankMapping {
	a := make(bankMapping, len(from.Queries()))
	for i, q := range from.Queries() {
		a[i] = slices.IndexFunc(to.Queries(), func(o car.Query) bool { return o.ID == q.ID })
	}
	return a
}

// setBank makes the Propagator go on with another bank. No frame is pending.
func (c *Propagator) setBank(bank *car.Bank) {
	if c.Bank != nil {
		mapping := mapBanks(c.Bank, bank)
		// Sources of queries that are gone move to the end, where their memory is reused.
		kept := 0
		for i := range c.sources {
			if to := mapping[c.sources[i].query]; to >= 0 {
				c.sources[i].query = to
				c.sources[kept], c.sources[i] = c.sources[i], c.sources[kept]
				kept++
			}
		}
		c.sources = c.sources[:kept]
		if c.InstanceTracker != nil {
			c.InstanceTracker.setBank(mapping, len(bank.Queries()))
		}
	}
	c.Bank = bank
}

// setBank makes the InstanceTracker go on with queries at other indices. The tracks of a
// query that is gone are dropped, and so are their numbers.
func (r *InstanceTracker) setBank(mapping bankMapping, queries int) {
	next := make([]int, queries)
	for q, n := range r.nextID {
		if to := mapping[q]; to >= 0 {
			next[to] = n
		}
	}
	r.nextID = next
	for i, t := range r.tracks {
		switch {
		case t == nil:
		case mapping[t.Query] < 0:
			r.tracks[i] = nil
			for p, o := range r.previousOwners {
				if int(o) == i+1 {
					r.previousOwners[p] = 0
				}
			}
		default:
			t.Query = mapping[t.Query]
		}
	}
}
