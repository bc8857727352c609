package car

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Refine fits the kept masks to the edges of the image (docs/algorithm.md 6.1). The result has
// its own memory.
func (s *Segmenter) Refine(ctx context.Context, encoded *EncodedImage, out *Outcome) (*Result, error) {
	res := &Result{}
	return res, s.RefineInto(ctx, encoded, out, res)
}

// RefineInto is Refine with the memory of an earlier result, whose content is lost.
func (s *Segmenter) RefineInto(ctx context.Context, encoded *EncodedImage, out *Outcome, res *Result) error {
	res.W, res.H = encoded.Size()
	res.Stages, res.Found = out.Stages, res.Found[:0]
	res.Labels = resized(res.Labels, res.W*res.H)
	clear(res.Labels)
	refiner := s.refiner()
	imageSet := false
	for _, kept := range out.kept {
		if len(kept) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !imageSet {
			if err := refiner.SetImage(ctx, encoded.img); err != nil {
				return err
			}
			imageSet = true
		}
		fields := s.fields(kept)
		if err := refiner.Refine(ctx, fields); err != nil {
			return err
		}
		for _, f := range fields {
			if err := ctx.Err(); err != nil {
				return err
			}
			if want := (len(f.Proposals) + 1) * res.W * res.H; len(f.Marginals) != want {
				return fmt.Errorf("refining: the refiner set %d marginals, want %d", len(f.Marginals), want)
			}
			res.add(out.bank, f.Proposals, f.Marginals)
		}
	}
	slices.SortStableFunc(res.Found, func(a, b Found) int { return a.Query - b.Query })
	res.copyDuplicates(out.bank)
	for i := range res.Found {
		if err := ctx.Err(); err != nil {
			return err
		}
		res.Found[i].measure(res.W)
	}
	res.paintLabels(out)
	s.fillVerdicts(out, res)
	return nil
}

// refiner returns the Refiner that was set, or the dense CRF of the preset.
func (s *Segmenter) refiner() Refiner {
	if s.Refiner != nil {
		return s.Refiner
	}
	if s.crf == nil {
		s.crf = &DenseCRF{Params: s.preset.CRF, WrapColours: s.preset.Quirks.WrapColours}
		s.crf.Params.Threads = s.threads()
	}
	return s.crf
}

// fields divides the proposals that a pass kept into fields: one for each proposal
// where masks may overlap, because they may mean the same thing or one may be a part
// of another, else one for all.
func (s *Segmenter) fields(kept []Proposal) []Field {
	if s.preset.Mode != Refer && !s.preset.Overlap {
		return []Field{{Proposals: kept}}
	}
	fields := make([]Field, len(kept))
	for i := range kept {
		fields[i].Proposals = kept[i : i+1]
	}
	return fields
}

// fillVerdicts sets the verdicts of a result.
func (s *Segmenter) fillVerdicts(out *Outcome, res *Result) {
	res.Verdicts = resized(res.Verdicts, len(out.bank.queries))
	for q := range res.Verdicts {
		v := Verdict{Query: q, Label: out.bank.queries[q].Label}
		judged, evaluated := out.Judged(q)
		v.Judgement = judged
		// A duplicate shares the result of the first query with the same phrases.
		f := res.Lookup(out.bank.canonical[q])
		_, presence := s.thresholds(out.bank, q)
		switch {
		case f != nil && f.Area == 0:
			v.Reason = NoPixels
		case f != nil:
		case !evaluated:
			v.Reason = NotEvaluated
		case out.bank.contrast != nil && judged.Presence <= presence:
			v.Reason = LowPresence
		default:
			v.Reason = LowScore
		}
		res.Verdicts[q] = v
	}
}

// resized returns a slice of n elements, in the memory of v if that is large enough.
// It is not cleared.
func resized[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// add adds the proposals of one field and their marginals to the result.
func (res *Result) add(bank *Bank, kept []Proposal, q []float32) {
	n := res.W * res.H
	first := len(res.Found)
	for k, p := range kept {
		if len(res.Found) < cap(res.Found) {
			res.Found = res.Found[:len(res.Found)+1]
		} else {
			res.Found = append(res.Found, Found{})
		}
		f := &res.Found[len(res.Found)-1]
		f.Query, f.Label, f.Judgement = p.Query, bank.queries[p.Query].Label, p.Judgement
		f.Mask, f.Probability = resized(f.Mask, n), resized(f.Probability, n)
		clear(f.Mask)
		copy(f.Probability, q[(k+1)*n:])
	}
	for i := range n {
		best, high := -1, q[i]
		for k := range kept {
			if v := q[(k+1)*n+i]; v > high {
				best, high = k, v
			}
		}
		if best >= 0 {
			res.Found[first+best].Mask[i] = 1
		}
	}
}

// copyDuplicates merges the masks of duplicate queries into the first of them, as the
// reference does (docs/algorithm.md section 2).
func (res *Result) copyDuplicates(bank *Bank) {
	n := 0
	for i := range res.Found {
		f := &res.Found[i]
		first := res.Found[:n]
		at := slices.IndexFunc(first, func(g Found) bool { return bank.canonical[g.Query] == bank.canonical[f.Query] })
		if at < 0 {
			// Swapped, not copied, so that the memory of both is reused.
			res.Found[n], res.Found[i] = res.Found[i], res.Found[n]
			n++
			continue
		}
		g := &first[at]
		for j, m := range f.Mask {
			g.Mask[j] |= m
			g.Probability[j] = min(g.Probability[j]+f.Probability[j], 1)
		}
	}
	res.Found = res.Found[:n]
}

// paintLabels writes the label map: stuff first, then things (docs/algorithm.md 6.2).
func (res *Result) paintLabels(out *Outcome) {
	for i := len(out.kept) - 1; i >= 0; i-- {
		var field []*Found
		for _, p := range out.kept[i] {
			if f := res.Lookup(p.Query); f != nil { // not a duplicate
				field = append(field, f)
			}
		}
		paintMasks(res.Labels, field)
	}
}

// paintMasks writes masks by ascending score, so that the higher score overwrites.
func paintMasks(labels []uint16, field []*Found) {
	slices.SortStableFunc(field, func(a, b *Found) int { return cmp.Compare(a.Score, b.Score) })
	for _, f := range field {
		for j, m := range f.Mask {
			if m != 0 {
				labels[j] = uint16(f.Query + 1)
			}
		}
	}
}
