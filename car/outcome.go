package car

import (
	"iter"
	"slices"
)

// An Outcome is the result of the loop for one encoded image: the proposals that
// stayed, before refinement. The encoded image owns the memory of their heat.
type Outcome struct {
	bank   *Bank
	kept   [][]Proposal // per pass of the bank
	Stages []Stage      // what happened, in order
}

// A Stage is a record of one round.
type Stage struct {
	Number    int       // from 1; stage 1 of the loop is that of the raw names
	Pass      string    // "things" or "stuff"
	Evaluated []int     // queries of the bank
	Scores    []float32 // of each
	// Presences of each, 0 where they were not computed.
	Presences []float32
	Kept      []int // queries that stayed
	// Reused are the queries that were not judged: their Scores and Presences were
	// known.
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

// Proposals iterates over the proposals that stayed, pass by pass. They are valid
// until the encoded image is closed.
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

// Exclude removes the proposals of some queries: of those whose masks come from
// elsewhere, so that their heat does not compete with the others in refinement.
func (o *Outcome) Exclude(queries []int) {
	for i := range o.kept {
		o.kept[i] = slices.DeleteFunc(o.kept[i], func(p Proposal) bool { return slices.Contains(queries, p.Query) })
	}
}

// Judged returns the last judgement of a query, and whether a stage evaluated it.
func (o *Outcome) Judged(query int) (j Judgement, evaluated bool) {
	for _, st := range o.Stages {
		for i, q := range st.Evaluated {
			if q == query {
				j, evaluated = Judgement{st.Scores[i], st.Presences[i]}, true
			}
		}
	}
	return j, evaluated
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
