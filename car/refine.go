package car

import (
	"cmp"
	"context"
	"slices"

	"github.com/carve-video/carve/car/densecrf"
)

// refiner is the memory of Refine, apart from the loop's.
type refiner struct {
	crf      *densecrf.CRF
	w, h     int
	colours  []uint8
	unary, q []float32
}

// Refine fits the kept masks to the picture's edges (car.md 6.1). The result
// holds memory of its own.
func (s *Segmenter) Refine(ctx context.Context, scene *Scene, out *Outcome) (*Result, error) {
	res := &Result{}
	return res, s.RefineInto(ctx, scene, out, res)
}

// RefineInto is Refine into the memory of an earlier result, whose content is
// lost.
func (s *Segmenter) RefineInto(ctx context.Context, scene *Scene, out *Outcome, res *Result) error {
	res.W, res.H = scene.Size()
	res.Stages, res.Found = out.Stages, res.Found[:0]
	res.Labels = grow(res.Labels, res.W*res.H)
	clear(res.Labels)
	built := false
	for _, kept := range out.kept {
		if len(kept) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !built {
			if err := s.refiner.look(ctx, scene.img, &s.preset, s.threads()); err != nil {
				return err
			}
			built = true
		}
		if s.preset.Mode == Refer || s.preset.Overlap {
			// They may mean the same thing, or one may be a part of another: each
			// has a field of its own.
			fields, err := s.refiner.refineEach(ctx, kept)
			if err != nil {
				return err
			}
			for i, q := range fields {
				if err := ctx.Err(); err != nil {
					return err
				}
				res.add(out.bank, kept[i:i+1], q)
			}
			continue
		}
		q, err := s.refiner.refine(ctx, kept)
		if err != nil {
			return err
		}
		res.add(out.bank, kept, q)
	}
	slices.SortStableFunc(res.Found, func(a, b Found) int { return a.Query - b.Query })
	res.fold(out.bank)
	for i := range res.Found {
		if err := ctx.Err(); err != nil {
			return err
		}
		res.Found[i].measure(res.W)
	}
	res.paint(out)
	s.pronounce(out, res)
	return nil
}

// pronounce fills in the verdicts.
func (s *Segmenter) pronounce(out *Outcome, res *Result) {
	res.Verdicts = grow(res.Verdicts, len(out.bank.queries))
	for q := range res.Verdicts {
		v := Verdict{Query: q, Label: out.bank.queries[q].Label}
		judged, asked := out.Judged(q)
		v.Judgement = judged
		// A duplicate is found with the first of its kind.
		f := res.Lookup(out.bank.first[q])
		_, presence := s.thresholds(out.bank, q)
		switch {
		case f != nil && f.Area == 0:
			v.Reason = NoPixel
		case f != nil:
		case !asked:
			v.Reason = NotAsked
		case out.bank.contrast != nil && judged.Presence <= presence:
			v.Reason = NotPresent
		default:
			v.Reason = OtherText
		}
		res.Verdicts[q] = v
	}
}

// grow returns a slice of n elements, v itself if it has room; what it holds is
// not cleared.
func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// look prepares the fields for a picture; lattices of the size are kept.
func (r *refiner) look(ctx context.Context, img *Image, p *Preset, threads int) (err error) {
	colours := img.Pix[:3*img.W*img.H]
	if p.Quirks.WrapColours {
		if cap(r.colours) < len(colours) {
			r.colours = make([]uint8, len(colours))
		}
		r.colours = r.colours[:len(colours)]
		densecrf.WrapImage(colours, r.colours)
		colours = r.colours
	}
	if r.crf == nil || r.w != img.W || r.h != img.H {
		params := p.CRF
		params.Threads = threads
		r.w, r.h = img.W, img.H
		r.crf, err = densecrf.New(ctx, img.W, img.H, colours, params)
		return err
	}
	return r.crf.Reset(ctx, colours)
}

// energies turns the planes of probabilities into energies.
func (r *refiner) energies(ctx context.Context, planes []float32) error {
	for n := r.w * r.h; len(planes) > 0; planes = planes[n:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		densecrf.Unary(planes[:n], planes[:n])
	}
	return nil
}

// refine returns the marginals of background and proposals, one plane after
// the other; they are valid until the next call.
func (r *refiner) refine(ctx context.Context, kept []Proposal) ([]float32, error) {
	n := r.w * r.h
	labels := len(kept) + 1
	if cap(r.unary) < labels*n {
		r.unary, r.q = make([]float32, labels*n), make([]float32, labels*n)
	}
	unary, q := r.unary[:labels*n], r.q[:labels*n]
	// Background is what no proposal claims: 1 - max Y (bg_factor 1).
	background := unary[:n]
	for i := range background {
		background[i] = 1
	}
	for k, p := range kept {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		copy(unary[(k+1)*n:], p.Heat)
		for i, v := range p.Heat {
			background[i] = min(background[i], 1-v)
		}
	}
	if err := r.energies(ctx, unary); err != nil {
		return nil, err
	}
	return q, r.crf.Infer(ctx, unary, labels, q)
}

// refineEach returns the marginals of background and proposal for every
// proposal by itself; they are valid until the next call.
func (r *refiner) refineEach(ctx context.Context, kept []Proposal) ([][]float32, error) {
	n := r.w * r.h
	if cap(r.unary) < 2*len(kept)*n {
		r.unary, r.q = make([]float32, 2*len(kept)*n), make([]float32, 2*len(kept)*n)
	}
	unary, q := r.unary[:2*len(kept)*n], r.q[:2*len(kept)*n]
	for k, p := range kept {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		background, own := unary[2*k*n:(2*k+1)*n], unary[(2*k+1)*n:(2*k+2)*n]
		for i, v := range p.Heat {
			background[i], own[i] = 1-v, v
		}
	}
	if err := r.energies(ctx, unary); err != nil {
		return nil, err
	}
	if err := r.crf.InferEach(ctx, unary, len(kept), q); err != nil {
		return nil, err
	}
	fields := make([][]float32, len(kept))
	for k := range fields {
		fields[k] = q[2*k*n : (2*k+2)*n]
	}
	return fields, nil
}

// add takes the marginals of one field into the result.
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
		f.Mask, f.Probability = grow(f.Mask, n), grow(f.Probability, n)
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

// fold joins duplicate queries to the first of them, where the reference maps
// them too (car.md section 2).
func (res *Result) fold(bank *Bank) {
	n := 0
	for i := range res.Found {
		f := &res.Found[i]
		first := res.Found[:n]
		at := slices.IndexFunc(first, func(g Found) bool { return bank.first[g.Query] == bank.first[f.Query] })
		if at < 0 {
			// Swapped, not copied: the memory of each is used again.
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

// paint writes the label map: stuff first, then things (car.md 6.2).
func (res *Result) paint(out *Outcome) {
	for i := len(out.kept) - 1; i >= 0; i-- {
		var field []*Found
		for _, p := range out.kept[i] {
			if f := res.Lookup(p.Query); f != nil { // not a duplicate
				field = append(field, f)
			}
		}
		paint(res.Labels, field)
	}
}

// paint writes masks by ascending score, so that what is surer overwrites.
func paint(labels []uint16, field []*Found) {
	slices.SortStableFunc(field, func(a, b *Found) int { return cmp.Compare(a.Score, b.Score) })
	for _, f := range field {
		for j, m := range f.Mask {
			if m != 0 {
				labels[j] = uint16(f.Query + 1)
			}
		}
	}
}
