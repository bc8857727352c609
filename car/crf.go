package car

import (
	"context"

	"github.com/carve-video/carve/car/densecrf"
)

// DenseCRF is the [Refiner] of the paper (docs/algorithm.md 6.1): a fully connected CRF over the
// heat of the proposals. Its memory is reused from image to image.
type DenseCRF struct {
	Params densecrf.Params

	// WrapColours gives the CRF the image with wrapped colours, as the released code
	// does, see [Quirks].
	WrapColours bool

	crf      *densecrf.CRF
	w, h     int
	colours  []uint8
	unary, q []float32
}

// SetImage implements [Refiner]. The error is the context's.
func (r *DenseCRF) SetImage(ctx context.Context, img *Image) (err error) {
	colours := img.Pix[:3*img.W*img.H]
	if r.WrapColours {
		r.colours = resized(r.colours, len(colours))
		densecrf.WrapImage(colours, r.colours)
		colours = r.colours
	}
	if r.crf == nil || r.w != img.W || r.h != img.H {
		r.w, r.h = img.W, img.H
		r.crf, err = densecrf.New(ctx, img.W, img.H, colours, r.Params)
		return err
	}
	return r.crf.Reset(ctx, colours)
}

// Refine implements [Refiner]. The error is the context's.
func (r *DenseCRF) Refine(ctx context.Context, fields []Field) error {
	n, planes, alone := r.w*r.h, 0, true
	for _, f := range fields {
		planes += len(f.Proposals) + 1
		alone = alone && len(f.Proposals) == 1
	}
	r.unary, r.q = resized(r.unary, planes*n), resized(r.q, planes*n)
	at := 0
	for i := range fields {
		to := at + (len(fields[i].Proposals)+1)*n
		if err := r.energies(ctx, fields[i].Proposals, r.unary[at:to]); err != nil {
			return err
		}
		fields[i].Marginals = r.q[at:to]
		at = to
	}
	if alone {
		// Fields of two labels are solved together, which is faster.
		return r.crf.InferEach(ctx, r.unary, len(fields), r.q)
	}
	at = 0
	for _, f := range fields {
		to := at + len(f.Marginals)
		if err := r.crf.Infer(ctx, r.unary[at:to], len(f.Proposals)+1, f.Marginals); err != nil {
			return err
		}
		at = to
	}
	return nil
}

// energies computes the unary energies of a field. The probability of the background
// is 1 - max Y (bg_factor 1).
func (r *DenseCRF) energies(ctx context.Context, proposals []Proposal, unary []float32) error {
	n := r.w * r.h
	background := unary[:n]
	for i := range background {
		background[i] = 1
	}
	for k, p := range proposals {
		if err := ctx.Err(); err != nil {
			return err
		}
		copy(unary[(k+1)*n:], p.Heat)
		for i, v := range p.Heat {
			background[i] = min(background[i], 1-v)
		}
	}
	for plane := unary; len(plane) > 0; plane = plane[n:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		densecrf.Unary(plane[:n], plane[:n])
	}
	return nil
}
