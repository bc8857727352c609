package car

// An Outcome is what the loop came to in one scene: the proposals that stayed,
// before refinement. Their heat belongs to the scene.
type Outcome struct {
	bank   *Bank
	kept   [][]Proposal // per pass of the bank
	Stages []Stage      // what happened, in order
}

// A Stage is a record of one round.
type Stage struct {
	Number int       // 1 is the raw names of the loop, or a step
	Pass   string    // "things" or "stuff"
	Asked  []int     // queries of the bank
	Scores []float32 // of each
	Kept   []int     // those that stayed
}

// Kept returns the queries that stayed, in ascending order within each pass.
func (o *Outcome) Kept() []int {
	var out []int
	for _, p := range o.kept {
		out = append(out, members(p)...)
	}
	return out
}

// Score returns the last score of a query in the outcome, 0 where it was not
// asked.
func (o *Outcome) Score(query int) float32 {
	var score float32
	for _, st := range o.Stages {
		for i, q := range st.Asked {
			if q == query {
				score = st.Scores[i]
			}
		}
	}
	return score
}

func (o *Outcome) record(p *pass, number int, proposals, kept []Proposal) {
	st := Stage{Number: number, Pass: p.name, Asked: members(proposals), Kept: members(kept)}
	for _, q := range proposals {
		st.Scores = append(st.Scores, q.Score)
	}
	o.Stages = append(o.Stages, st)
}
