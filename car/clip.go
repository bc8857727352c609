package car

import (
	"context"
	"image"
	"image/draw"
)

// An Image is an upright RGB picture, 8 bits a sample, row by row without
// padding: pixel (x, y) starts at Pix[3*(y*W+x)].
type Image struct {
	Pix  []uint8
	W, H int
}

// NewImage returns a black image of the given size.
func NewImage(w, h int) *Image {
	return &Image{Pix: make([]uint8, 3*w*h), W: w, H: h}
}

// FromImage returns a picture of Go's as an Image. What is transparent stands on
// black; more than 8 bits a sample are cut to 8.
func FromImage(src image.Image) *Image {
	b := src.Bounds()
	rgba, ok := src.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(b)
		draw.Draw(rgba, b, src, b.Min, draw.Src)
	}
	img := NewImage(b.Dx(), b.Dy())
	for y := range img.H {
		from := rgba.Pix[rgba.PixOffset(b.Min.X, b.Min.Y+y):]
		to := img.Pix[3*y*img.W:][:3*img.W]
		for x := range img.W {
			copy(to[3*x:3*x+3], from[4*x:4*x+3])
		}
	}
	return img
}

// A TextEncoder is the language half of a CLIP. Its vectors live in the same
// space as the image vectors of the model it belongs to, and in no other.
type TextEncoder interface {
	// EncodeTexts returns one unit vector per text, as long as the model's
	// projection is wide. Implementations cache by string and may return the
	// same slice again: callers must not write to it.
	//
	// A text longer than the model's context is an error that names the text.
	EncodeTexts(ctx context.Context, texts []string) ([][]float32, error)

	// LogitScale is exp(logit_scale): the factor between a cosine and a logit,
	// about 100 for OpenAI's models (docs/algorithm.md 1, tau).
	LogitScale() float32
}

// A Proposer is f, the mask proposal generator of the paper: the CLIP whose
// GradCAM turns a text into a heat map. Its calls are not safe for concurrent
// use unless the implementation says so.
type Proposer interface {
	TextEncoder

	// PatchSize is the side of a patch in pixels. Images given to Look have
	// sides that are multiples of it.
	PatchSize() int

	// Look runs the trunk once over the image; everything that depends on the
	// image alone is then known to the View.
	Encode(ctx context.Context, img *Image) (Features, error)
}

// A BatchProposer looks at several images at once, which is faster on devices
// that a single image does not fill.
type BatchProposer interface {
	Proposer

	// LookAll is Look for images of one size. Each View is closed by itself.
	EncodeBatch(ctx context.Context, images []*Image) ([]Features, error)
}

// A View is what f knows of one image: the activations before the last block
// and what can be had from them. It is valid until Close.
type Features interface {
	// Grid is the number of rows and columns of patches. Row-major patch
	// vectors below have N = rows*cols entries.
	Grid() (rows, cols int)

	// Feature is the pooled image vector f̂: unit length, mean over the patch
	// tokens after the last block (algorithm.md 3.4).
	Feature() []float32

	// Attention is the mean over heads and over the last two thirds of the
	// blocks of the attention probabilities, without the row and the column of
	// CLS, not normalised again: N×N, row-major (algorithm.md 3.6, D0).
	Attention() []float32

	// CAM returns, for each direction u given in the space of Feature, the raw
	// GradCAM map of the scalar u·f̂: w = mean over patches of d(u·f̂)/dY and
	// then Y·w, N values, before ReLU (algorithm.md 3.5 and 11.4). It is linear in
	// u: directions that belong to logits or probabilities of any text set are
	// sums of text vectors that the caller makes.
	//
	// The slices returned are the caller's.
	CAM(ctx context.Context, directions [][]float32) ([][]float32, error)

	// Close gives the View's memory back to its Proposer.
	Close()
}

// A Judge is g, the mask classifier of the paper: the CLIP that says which
// text a prompted image fits (algorithm.md 4.3).
type Judge interface {
	TextEncoder

	// InputSize is the side of the square the model was trained on, in pixels,
	// and PatchSize the side of a patch.
	InputSize() int
	PatchSize() int

	// EncodeImages returns one unit vector per image. The images are already
	// brought to their size (sides multiples of PatchSize; other grids than
	// the trained one have their positions interpolated); all of one call have
	// the same size. The slices returned are the caller's.
	EncodeImages(ctx context.Context, images []*Image) ([][]float32, error)
}
