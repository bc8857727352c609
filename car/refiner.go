package car

import "context"

// A Refiner fits the masks that the loop kept to the edges of the image. [DenseCRF]
// is the default; [Segmenter].Refiner replaces it.
//
// It is called by one goroutine at a time, the one that calls [Segmenter.Refine].
type Refiner interface {
	// SetImage sets the image of the following calls of Refine. The image remains
	// the caller's and does not change until the next SetImage. It is called once
	// for each image in which a query was kept.
	SetImage(ctx context.Context, img *Image) error

	// Refine sets the Marginals of every field, for the image of the last SetImage.
	// It is called once for each pass: things, then stuff. Marginals are valid until
	// the next call.
	Refine(ctx context.Context, fields []Field) error
}

// A Field is a set of proposals that compete for pixels: each pixel belongs to one of
// them or to the background.
type Field struct {
	// Proposals are those that the loop kept, at least one. Their Heat is the input.
	Proposals []Proposal

	// Marginals are w×h planes, one after the other: the probability of the
	// background, then that of each proposal. At each pixel they sum to one.
	Marginals []float32
}
