package car

import (
	"iter"
	"slices"
)

// An Outcome is what the loop came to in one encoded image: the proposals that stayed,
// before refinement. Their heat belongs to the encoded image.
type Outcome struct {
	bank   *Bank
	kept   [][]Proposal // per pass of the bank
	Stages []Stage      // what happened, in order
}

// A Stage is a record of one round.
type Stage struct {
	Number    int       // 1 is the raw names of the loop, or a step
	Pass      string    // "things" or "stuff"
	Evaluated []int     // queries of the bank
	Scores    []float32 // of each
	// Presences of each, 0 where they were not weighed.
	Presences []float32
	Kept      []int // those that stayed
	// Spared were asked and not judged: Scores and Presences are what was known.
	Reused []int
}

// Kept returns the queries that stayed, in ascending order within each pass.
func (o *Outcome) Kept() []int {
	var out []int
	for _, p := range o.kept {
		out = append(out, members(p)...)
	}
	return out
}

// Proposals goes over the proposals that stayed, pass by pass. They are valid until
// the encoded image is closed.
func (o *Outcome) Proposals() iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, kept := range o.kept {
			for i := range kept {
				if !yield(&kept[i]) {
					return
				}
			}
		}
	}
}

// Without takes the proposals of some queries out: of those whose masks are known
// from elsewhere, and whose heat would only be in the way of the others.
func (o *Outcome) Exclude(queries []int) {
	for i := range o.kept {
		o.kept[i] = slices.DeleteFunc(o.kept[i], func(p Proposal) bool { return slices.Contains(queries, p.Query) })
	}
}

// Judged returns the last judgement of a query, and whether it was asked at all.
func (o *Outcome) Judged(query int) (j Judgement, asked bool) {
	for _, st := range o.Stages {
		for i, q := range st.Evaluated {
			if q == query {
				j, asked = Judgement{st.Scores[i], st.Presences[i]}, true
			}
		}
	}
	return j, asked
}

func (o *Outcome) record(p *pass, number int, proposals, kept []Proposal) {
	st := Stage{Number: number, Pass: p.name, Evaluated: members(proposals), Kept: members(kept)}
	for _, q := range proposals {
		st.Scores = append(st.Scores, q.Score)
		st.Presences = append(st.Presences, q.Presence)
		if q.reused {
			st.Reused = append(st.Reused, q.Query)
		}
	}
	o.Stages = append(o.Stages, st)
}
