package car

import "context"

// An Ask says what a recurrent step asks for, and what is known already.
type Ask struct {
	// Queries are indices into the bank, in ascending order.
	Queries []int

	// Known, if not nil, may spare a proposal the judge: it returns the judgement
	// that stands. It is called once for every proposal, and the proposal is valid
	// until it returns.
	Known func(p *Proposal) (j Judgement, known bool)

	// Keep, if not nil, has the last word on what stays; fits is what the
	// thresholds say.
	Keep func(query int, j Judgement, fits bool) bool
}

// Step is one round over some of the queries: the recurrent step of a video, where
// the next frame takes the place of the next round. Names stand in the CAM
// template, as in every stage of the loop but the first.
//
// Where a query is dropped, the others are proposed once more without it, and not
// judged again: what was asked for and is not there would leave its mark in the
// masks of what is. Their maps follow from those at hand.
func (s *Segmenter) Step(ctx context.Context, encoded *EncodedImage, bank *Bank, ask Ask) (*Outcome, error) {
	out := &Outcome{bank: bank}
	for i := range bank.passes {
		p := &bank.passes[i]
		kept, err := s.step(ctx, encoded, bank, p, intersect(p.members, ask.Queries), &ask, out)
		if err != nil {
			return nil, err
		}
		out.kept = append(out.kept, kept)
		encoded.retain(out.kept...)
	}
	encoded.release()
	return out, nil
}

// step is the step of one pass.
func (s *Segmenter) step(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, set []int, ask *Ask, out *Outcome) ([]Proposal, error) {
	if len(set) == 0 {
		return nil, nil
	}
	proposals, err := s.stage(ctx, encoded, bank, p, 1, set, bank.cam, ask.spare)
	if err != nil {
		return nil, err
	}
	kept := s.filterBy(bank, proposals, ask)
	out.record(p, 1, proposals, kept)
	if len(kept) == 0 || len(kept) == len(set) {
		return kept, nil
	}
	encoded.retain(append(out.kept, kept)...)
	judged := func(proposal *Proposal) bool {
		for i := range kept {
			if kept[i].Query == proposal.Query {
				proposal.Judgement = kept[i].Judgement
			}
		}
		return true
	}
	again, err := s.stage(ctx, encoded, bank, p, 2, members(kept), bank.cam, judged)
	if err != nil {
		return nil, err
	}
	if !anyPositive(again) { // as in the loop, the masks of the stage before stand
		return kept, nil
	}
	out.record(p, 2, again, again)
	return again, nil
}

// spare asks whether the judgement of a proposal is known.
func (a *Ask) spare(p *Proposal) bool {
	if a.Known == nil {
		return false
	}
	j, known := a.Known(p)
	if known {
		p.Judgement = j
	}
	return known
}

// filterBy is filter with the caller's word on it.
func (s *Segmenter) filterBy(bank *Bank, proposals []Proposal, ask *Ask) []Proposal {
	if ask.Keep == nil {
		return s.filter(bank, proposals)
	}
	var kept []Proposal
	for _, p := range proposals {
		if ask.Keep(p.Query, p.Judgement, s.Passes(bank, p.Query, p.Judgement)) {
			kept = append(kept, p)
		}
	}
	return kept
}

// Likeness is how well the whole picture fits each query of the bank, in the
// proposer's own measure: its scale times the cosine between the picture's vector
// and the text's. It costs nothing that Look has not done. The values mean
// something only beside each other: a text that was at -1 and is at 2 has become
// seven times as likely.
func (s *Segmenter) Similarity(encoded *EncodedImage, bank *Bank) []float32 {
	feature, tau := encoded.features.Feature(), s.proposer.LogitScale()
	out := make([]float32, len(bank.raw))
	for q, text := range bank.raw {
		out[q] = tau * dot(feature, text)
	}
	return out
}
