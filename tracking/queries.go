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
			states[i].reconsider()
		}
	}
	t.Queries, t.bank, t.state.Queries, t.anew = queries, bank, states, anew
	t.why.Queries = nil
	return nil
}

// reconsider makes the judgements of a query void, since it means something else now.
// Where it is, if it is there, is a guess that the next judgement confirms or not.
func (q *QueryState) reconsider() {
	if !q.Present {
		*q = QueryState{}
		return
	}
	q.Sank = true // so that it is judged
	q.Look = q.Look[:0]
}

// someAnew says that a query was not asked yet since it was set.
func (t *Tracker) someAnew() bool { return slices.Contains(t.anew, true) }

// An adoption leads from the places of queries in one bank to those in another, by their
// IDs; -1 where there is none.
type adoption []int

func adopt(from, to *car.Bank) adoption {
	a := make(adoption, len(from.Queries()))
	for i, q := range from.Queries() {
		a[i] = slices.IndexFunc(to.Queries(), func(o car.Query) bool { return o.ID == q.ID })
	}
	return a
}

// adopt makes the carrier go on with another bank. Nothing is held back.
func (c *Carrier) adopt(bank *car.Bank) {
	if c.Bank != nil {
		places := adopt(c.Bank, bank)
		// The memory of those that are gone stays, behind the others.
		kept := 0
		for i := range c.source {
			if to := places[c.source[i].query]; to >= 0 {
				c.source[i].query = to
				c.source[kept], c.source[i] = c.source[i], c.source[kept]
				kept++
			}
		}
		c.source = c.source[:kept]
		if c.Roster != nil {
			c.Roster.adopt(places, len(bank.Queries()))
		}
	}
	c.Bank = bank
}

// adopt makes the roster go on with the queries at other places. Things of a query that
// is gone are forgotten, and so are their numbers.
func (r *Roster) adopt(places adoption, queries int) {
	next := make([]int, queries)
	for q, n := range r.next {
		if to := places[q]; to >= 0 {
			next[to] = n
		}
	}
	r.next = next
	for i, t := range r.known {
		switch {
		case t == nil:
		case places[t.query] < 0:
			r.known[i] = nil
			for p, o := range r.before {
				if int(o) == i+1 {
					r.before[p] = 0
				}
			}
		default:
			t.query = places[t.query]
		}
	}
}
