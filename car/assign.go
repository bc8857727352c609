package car

import (
	"cmp"
	"slices"
)

// Settle decides every pixel of a result anew, from the probabilities of what was
// found. It is for probabilities that Refine has not made, or not alone: those that
// were carried from another frame, or fused with those of one. Query, Label,
// Judgement and Probability of every part of Found, W and H are taken as they
// are; masks, figures and labels follow, and verdicts if there are none. Memory is
// used again.
//
// A pixel belongs to what is likeliest there, nothing being as likely as all that
// was found leaves over; where masks may overlap, to all that are likelier than
// not.
func (s *Segmenter) AssignPixels(bank *Bank, res *Result) {
	n := res.W * res.H
	slices.SortStableFunc(res.Found, func(a, b Found) int { return cmp.Compare(a.Query, b.Query) })
	res.Labels = resized(res.Labels, n)
	clear(res.Labels)
	for i := len(bank.passes) - 1; i >= 0; i-- { // stuff first, things over it
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
			paint(res.Labels, field)
		}
	}
	if len(res.Verdicts) == len(bank.queries) {
		return
	}
	res.Verdicts = resized(res.Verdicts, len(bank.queries))
	for q := range res.Verdicts {
		v := Verdict{Query: q, Label: bank.queries[q].Label, Reason: NotEvaluated}
		// A duplicate is found with the first of its kind.
		if f := res.Lookup(bank.canonical[q]); f != nil {
			v.Judgement, v.Reason = f.Judgement, ""
			if f.Area == 0 {
				v.Reason = NoPixels
			}
		}
		res.Verdicts[q] = v
	}
}

// share gives every pixel of a field to one of its parts, or to none.
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
