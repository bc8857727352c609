package car

import "context"

// A Refiner fits the masks that the loop kept to the edges of their picture. The
// dense CRF is one ([DenseCRF]); [Segmenter].Refiner takes another.
//
// One goroutine at a time calls it: the one that calls [Segmenter.Refine].
type Refiner interface {
	// Look takes in a picture, which stays the caller's and does not change until
	// the next Look. It is called once for each picture in which something was kept.
	SetImage(ctx context.Context, img *Image) error

	// Refine sets the marginals of every field in the picture that Look was given
	// last. It is called once for each of the picture's passes: things, then stuff.
	// What it sets is valid until the next call.
	Refine(ctx context.Context, fields []Field) error
}

// A Field is proposals that share the picture out among themselves: each pixel
// belongs to one of them or to the background.
type Field struct {
	// Proposals are what the loop kept, at least one. Heat is what a mask is made of.
	Proposals []Proposal

	// Marginals are w×h planes, one after the other: the probability of the
	// background, then that of each proposal. At each pixel they sum to one.
	Marginals []float32
}
