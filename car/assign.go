package car

import (
	"cmp"
	"slices"
)

// AssignPixels computes the masks, stats and label map of a result from the
// probabilities in it, and the verdicts if there are none. It is for probabilities
// that were propagated from another frame or fused with propagated ones, not taken
// from Refine as they are. It reads W, H and the Query, Label, Judgement and
// Probability of every element of Found. Memory is reused.
//
// A pixel belongs to the query with the highest probability there, or to the
// background if 1 minus the sum of the probabilities is higher. Where masks may
// overlap, it belongs to every query with a probability above one half.
func (s *Segmenter) AssignPixels(bank *Bank, res *Result) {
	n := res.W * res.H
	slices.SortStableFunc(res.Found, func(a, b Found) int { return cmp.Compare(a.Query, b.Query) })
	res.Labels = resized(res.Labels, n)
	clear(res.Labels)
	for i := len(bank.passes) - 1; i >= 0; i-- { // stuff first, then things over it
		var field []*Found
		for k := range res.Found {
			if f := &res.Found[k]; slices.Contains(bank.passes[i].members, f.Query) {
				field = append(field, f)
			}
		}
		if len(field) > 0 {
			s.assignField(field, n)
			for _, f := range field {
				f.measure(res.W)
			}
			paintMasks(res.Labels, field)
		}
	}
	if len(res.Verdicts) == len(bank.queries) {
		return
	}
	res.Verdicts = resized(res.Verdicts, len(bank.queries))
	for q := range res.Verdicts {
		v := Verdict{Query: q, Label: bank.queries[q].Label, Reason: NotEvaluated}
		// A duplicate shares the result of the first query with the same phrases.
		if f := res.Lookup(bank.canonical[q]); f != nil {
			v.Judgement, v.Reason = f.Judgement, ""
			if f.Area == 0 {
				v.Reason = NoPixels
			}
		}
		res.Verdicts[q] = v
	}
}

// assignField sets the masks of a field, n pixels each, from its probabilities.
func (s *Segmenter) assignField(field []*Found, n int) {
	for _, f := range field {
		f.Mask = resized(f.Mask, n)
		clear(f.Mask)
	}
	if s.preset.Mode == Refer || s.preset.Overlap {
		for _, f := range field {
			for i, p := range f.Probability[:n] {
				if p > 0.5 {
					f.Mask[i] = 1
				}
			}
		}
		return
	}
	for i := range n {
		var best *Found
		high, rest := float32(0), float32(1)
		for _, f := range field {
			p := f.Probability[i]
			rest -= p
			if p > high {
				best, high = f, p
			}
		}
		if best != nil && high > rest {
			best.Mask[i] = 1
		}
	}
}
