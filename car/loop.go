package car

import (
	"context"
	"slices"
)

// Loop runs the recurrence until the set of queries is stable
// (docs/algorithm.md 2):
//
//	repeat
//	   Y = f(image, texts)             propose a mask for every text
//	   s = g(prompt(image, Y), texts)  judge every mask
//	   texts = those with s > theta    filter
//	until none was dropped
//
// There are at most one more stages than queries: a stage drops something or
// is the last.
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

// recur is the loop over the queries of one pass.
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
		before := kept
		kept = s.filter(bank, proposals)
		if !anyPositive(proposals) {
			if kept, err = s.withPreviousHeat(ctx, encoded, bank, p, stage, before, kept); err != nil {
				return err
			}
		}
		out.record(p, stage, proposals, kept)
		encoded.retain(append(out.kept, kept)...)
		if len(kept) == 0 || len(kept) == len(set) && stage > 1 {
			out.kept = append(out.kept, kept)
			return nil
		}
		// From the second stage on names stand in the CAM template.
		set, texts = members(kept), bank.cam
	}
}

// stand returns the kept queries of a stage without any heat with the heat of
// the stage before: the reference lets those masks stand (algorithm.md 2). In
// the first stage there are none.
func (s *Segmenter) withPreviousHeat(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, stage int, before, kept []Proposal) ([]Proposal, error) {
	if before == nil && stage > 1 { // stage 1 was passed over; now it counts
		var err error
		if before, err = s.propose(ctx, encoded, bank, p, members(kept), bank.raw, nil); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(kept)
	for i := range out {
		for _, b := range before {
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
	s.tell(t, proposals)
	return proposals, nil
}

// tell gives a trace, if there is one, to whoever wants it.
func (s *Segmenter) tell(t *Trace, proposals []Proposal) {
	if t != nil {
		t.Proposals = proposals
		s.Trace(t)
	}
}

// filter keeps the proposals that look like their text: more than like the other
// texts, and more than like anything that was not asked for.
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

// Fits tells whether a query passes the judge.
func (s *Segmenter) Passes(bank *Bank, query int, j Judgement) bool {
	theta, presence := s.thresholds(bank, query)
	// Strictly, as in the code; the paper writes >=.
	fits := j.Score > theta
	there := bank.contrast == nil || j.Presence > presence
	return fits && there || s.neverDropped(bank, query)
}

// thresholds returns those of a query: its own or the preset's.
func (s *Segmenter) thresholds(bank *Bank, query int) (theta, presence float32) {
	theta, presence = s.preset.Theta, s.preset.Presence
	q := &bank.queries[query]
	set(&theta, q.Theta)
	set(&presence, q.Presence)
	return theta, presence
}

// pinned tells whether a query is never dropped.
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
