package car

import (
	"context"
	"iter"
	"slices"
)

// A Round is one recurrent step over some of the queries of a bank: the next frame of a
// video takes the place of the next stage of the loop. Names stand in the CAM template,
// as in every stage of the loop but the first.
//
// [Segmenter.Propose] makes it, [Segmenter.Judge] adds the judgements, and
// [Segmenter.Conclude] ends it. What happens in between is the caller's: which
// judgements are known already, and which queries stay.
type Round struct {
	encoded *EncodedImage
	bank    *Bank
	passes  []roundPass // of the bank, in order
}

type roundPass struct {
	*pass
	proposals []Proposal
	trace     *Trace
}

// Proposals iterates over the proposals, pass by pass, within each in the order of the
// bank. They are valid until Conclude.
func (r *Round) Proposals() iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, p := range r.passes {
			for i := range p.proposals {
				if !yield(&p.proposals[i]) {
					return
				}
			}
		}
	}
}

// Propose proposes a mask for each of the queries, which are indices into the bank in
// ascending order.
func (s *Segmenter) Propose(ctx context.Context, encoded *EncodedImage, bank *Bank, queries []int) (*Round, error) {
	r := &Round{encoded: encoded, bank: bank}
	for i := range bank.passes {
		p := roundPass{pass: &bank.passes[i]}
		if set := intersect(p.members, queries); len(set) > 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if s.Trace != nil {
				p.trace = newTrace(p.pass, 1, set)
			}
			var err error
			if p.proposals, err = s.propose(ctx, encoded, bank, p.pass, set, bank.cam, p.trace); err != nil {
				return nil, err
			}
		}
		r.passes = append(r.passes, p)
	}
	return r, nil
}

// Judge fills in the judgements of the proposals. Those in known, by query, are taken
// over: their proposals are not shown to the judge.
func (s *Segmenter) Judge(ctx context.Context, r *Round, known map[int]Judgement) error {
	for _, p := range r.passes {
		if len(p.proposals) == 0 {
			continue
		}
		reuse(p.proposals, known)
		if err := s.score(ctx, r.encoded, r.bank, p.pass, p.proposals, p.trace); err != nil {
			return err
		}
		s.trace(p.trace, p.proposals)
	}
	return nil
}

// Conclude ends a round, with the queries that stay. Where a query is dropped, the others
// are proposed once more without it and not judged again: a query that was evaluated and
// is not there would otherwise leave its mark in the masks of what is there. Their maps
// follow from those of the round.
func (s *Segmenter) Conclude(ctx context.Context, r *Round, stay []int) (*Outcome, error) {
	out := &Outcome{bank: r.bank, kept: make([][]Proposal, len(r.passes))}
	for i, p := range r.passes {
		for _, q := range p.proposals {
			if slices.Contains(stay, q.Query) {
				out.kept[i] = append(out.kept[i], q)
			}
		}
	}
	r.encoded.retain(out.kept...)
	for i, p := range r.passes {
		kept := out.kept[i]
		if len(p.proposals) == 0 {
			continue
		}
		out.record(p.pass, 1, p.proposals, kept)
		if len(kept) == 0 || len(kept) == len(p.proposals) {
			continue
		}
		judged := make(map[int]Judgement, len(kept))
		for _, q := range kept {
			judged[q.Query] = q.Judgement
		}
		again, err := s.stage(ctx, r.encoded, r.bank, p.pass, 2, members(kept), r.bank.cam, judged)
		if err != nil {
			return nil, err
		}
		if anyPositive(again) { // otherwise, as in the loop, the masks of the first stage stay
			out.kept[i] = again
			out.record(p.pass, 2, again, again)
		}
	}
	r.encoded.retain(out.kept...)
	r.encoded.release()
	return out, nil
}

// Step is a whole round, with a judgement of every proposal. The queries that pass the
// thresholds stay.
func (s *Segmenter) Step(ctx context.Context, encoded *EncodedImage, bank *Bank, queries []int) (*Outcome, error) {
	r, err := s.Propose(ctx, encoded, bank, queries)
	if err != nil {
		return nil, err
	}
	if err := s.Judge(ctx, r, nil); err != nil {
		return nil, err
	}
	var stay []int
	for _, p := range r.passes {
		if len(p.proposals) > 0 {
			stay = append(stay, members(s.filter(bank, p.proposals))...)
		}
	}
	return s.Conclude(ctx, r, stay)
}

// reuse gives proposals the judgements that are known, by query.
func reuse(proposals []Proposal, known map[int]Judgement) {
	for i := range proposals {
		p := &proposals[i]
		if j, ok := known[p.Query]; ok {
			p.Judgement, p.reused = j, true
		}
	}
}

// Similarity returns the proposer's logit of the whole image for each query of the
// bank: the logit scale times the cosine of the image's and the text's vector. It
// needs no pass through the model. Only differences of values have a meaning: a text
// whose logit rises from -1 to 2 becomes e³, twenty times, as likely.
func (s *Segmenter) Similarity(encoded *EncodedImage, bank *Bank) []float32 {
	feature, tau := encoded.features.Feature(), s.proposer.LogitScale()
	out := make([]float32, len(bank.raw))
	for q, text := range bank.raw {
		out[q] = tau * dot(feature, text)
	}
	return out
}
