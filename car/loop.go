package car

import (
	"context"
	"slices"
)

// Loop runs the recurrence until the set of queries is stable (docs/algorithm.md
// section 2):
//
//	repeat
//	   Y = f(image, texts)             propose a mask for every text
//	   s = g(prompt(image, Y), texts)  judge every mask
//	   texts = those with s > theta    filter
//	until none was dropped
//
// There is at most one stage more than there are queries: every stage but the last
// drops a query.
func (s *Segmenter) Loop(ctx context.Context, encoded *EncodedImage, bank *Bank) (*Outcome, error) {
	out := &Outcome{bank: bank}
	for i := range bank.passes {
		if err := s.runPass(ctx, encoded, bank, &bank.passes[i], out); err != nil {
			return nil, err
		}
	}
	encoded.release()
	return out, nil
}

// runPass is the loop over the queries of one pass.
func (s *Segmenter) runPass(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, out *Outcome) error {
	set, texts, stage := p.members, bank.raw, 1
	if len(set) == 1 {
		// Stage 1 could only filter, and one text is never dropped.
		texts, stage = bank.cam, 2
	}
	var kept []Proposal
	for ; ; stage++ {
		proposals, err := s.stage(ctx, encoded, bank, p, stage, set, texts, nil)
		if err != nil {
			return err
		}
		previous := kept
		kept = s.filter(bank, proposals)
		if !anyPositive(proposals) {
			if kept, err = s.withPreviousHeat(ctx, encoded, bank, p, stage, previous, kept); err != nil {
				return err
			}
		}
		out.record(p, stage, proposals, kept)
		encoded.retain(append(out.kept, kept)...)
		if len(kept) == 0 || len(kept) == len(set) && stage > 1 {
			out.kept = append(out.kept, kept)
			return nil
		}
		// From the second stage on, names are put into the CAM template.
		set, texts = members(kept), bank.cam
	}
}

// withPreviousHeat returns the kept proposals of a stage in which no query has any
// heat, with the heat of the stage before: so does the reference (docs/algorithm.md section 2).
// In the first stage they are returned as they are.
func (s *Segmenter) withPreviousHeat(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, stage int, previous, kept []Proposal) ([]Proposal, error) {
	if previous == nil && stage > 1 { // stage 1 was skipped, and its heat is needed now
		var err error
		if previous, err = s.propose(ctx, encoded, bank, p, members(kept), bank.raw, nil); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(kept)
	for i := range out {
		for _, b := range previous {
			if b.Query == out[i].Query {
				judgement := out[i].Judgement
				out[i] = b
				out[i].Judgement = judgement
			}
		}
	}
	return out, nil
}

// stage proposes and judges. Judgements in known, by query, are taken over.
func (s *Segmenter) stage(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, stage int, set []int, texts [][]float32, known map[int]Judgement) ([]Proposal, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var t *Trace
	if s.Trace != nil {
		t = newTrace(p, stage, set)
	}
	proposals, err := s.propose(ctx, encoded, bank, p, set, texts, t)
	if err != nil {
		return nil, err
	}
	reuse(proposals, known)
	if err := s.score(ctx, encoded, bank, p, proposals, t); err != nil {
		return nil, err
	}
	s.trace(t, proposals)
	return proposals, nil
}

// trace completes a trace, if there is one, and hands it over.
func (s *Segmenter) trace(t *Trace, proposals []Proposal) {
	if t != nil {
		t.Proposals = proposals
		s.Trace(t)
	}
}

// filter returns the proposals that pass the judge: more similar to their own text
// than to the other queries, and more than to the contrast and background words.
func (s *Segmenter) filter(bank *Bank, proposals []Proposal) []Proposal {
	var kept []Proposal
	best := 0
	for i, p := range proposals {
		if s.Passes(bank, p.Query, p.Judgement) {
			kept = append(kept, p)
		}
		if p.Score > proposals[best].Score {
			best = i
		}
	}
	if len(kept) == 0 && s.preset.Quirks.KeepBest {
		kept = append(kept, proposals[best])
	}
	return kept
}

// Passes reports whether a query with this judgement stays.
func (s *Segmenter) Passes(bank *Bank, query int, j Judgement) bool {
	theta, presence := s.thresholds(bank, query)
	// Strictly above, as in the released code; the paper writes >=.
	aboveTheta := j.Score > theta
	present := bank.contrast == nil || j.Presence > presence
	return aboveTheta && present || s.neverDropped(bank, query)
}

// thresholds returns the thresholds of a query: its own or the preset's.
func (s *Segmenter) thresholds(bank *Bank, query int) (theta, presence float32) {
	theta, presence = s.preset.Theta, s.preset.Presence
	q := &bank.queries[query]
	setIfGiven(&theta, q.Theta)
	setIfGiven(&presence, q.Presence)
	return theta, presence
}

// neverDropped reports whether a query stays whatever the judge says.
func (s *Segmenter) neverDropped(bank *Bank, query int) bool {
	own := bank.queries[query].Theta
	return own != nil && *own == 0
}

func anyPositive(proposals []Proposal) bool {
	for _, p := range proposals {
		if p.peak > 0 {
			return true
		}
	}
	return false
}

func members(proposals []Proposal) []int {
	set := make([]int, len(proposals))
	for i, p := range proposals {
		set[i] = p.Query
	}
	return set
}

// intersect returns the common elements of two ascending lists.
func intersect(a, b []int) []int {
	var out []int
	for _, x := range a {
		for len(b) > 0 && b[0] < x {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == x {
			out = append(out, x)
		}
	}
	return out
}
