package car

import (
	"context"
	"image"
	"image/draw"
)

// An Image is an upright RGB image, 8 bits a sample, row by row without padding:
// pixel (x, y) starts at Pix[3*(y*W+x)].
type Image struct {
	Pix  []uint8
	W, H int
}

// NewImage returns a black image of the given size.
func NewImage(w, h int) *Image {
	return &Image{Pix: make([]uint8, 3*w*h), W: w, H: h}
}

// FromImage converts an [image.Image] to an Image. Transparent pixels are blended
// with black; samples of more than 8 bits are truncated to 8.
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

// A TextEncoder is the text encoder of a CLIP. Its vectors are comparable with the
// image vectors of the same model only.
type TextEncoder interface {
	// EncodeTexts returns one unit vector per text, of the model's projection
	// dimension. Implementations cache by string and may return the same slice
	// again: callers must not write to it.
	//
	// A text longer than the model's context is an error that names the text.
	EncodeTexts(ctx context.Context, texts []string) ([][]float32, error)

	// LogitScale is exp(logit_scale), the factor from a cosine to a logit: about
	// 100 for OpenAI's models (docs/algorithm.md section 1, tau).
	LogitScale() float32
}

// A Proposer is f, the mask proposal generator of the paper: the CLIP whose
// GradCAM turns a text into a heat map. Its calls are not safe for concurrent
// use unless the implementation says so.
type Proposer interface {
	TextEncoder

	// PatchSize is the side of a patch in pixels. The sides of images given to
	// Encode are multiples of it.
	PatchSize() int

	// Encode runs the trunk once over the image. The Features hold everything that
	// does not depend on a text. The image is valid until Encode returns: its memory
	// is then used for the next one.
	Encode(ctx context.Context, img *Image) (Features, error)
}

// A BatchProposer encodes several images in one batch, which is faster on devices
// that a single image does not use fully.
type BatchProposer interface {
	Proposer

	// EncodeBatch is Encode for images of one size. Each Features is closed by
	// itself.
	EncodeBatch(ctx context.Context, images []*Image) ([]Features, error)
}

// Features are what f computed for one image: the activations before the last block
// and values derived from them. They are valid until Close.
type Features interface {
	// Grid is the number of rows and columns of patches. Row-major patch
	// vectors below have N = rows*cols entries.
	Grid() (rows, cols int)

	// Feature is the pooled image vector f̂: unit length, mean over the patch
	// tokens after the last block (docs/algorithm.md 3.4).
	Feature() []float32

	// Attention is the mean of the attention probabilities over heads and over the
	// last two thirds of the blocks, without the row and the column of CLS and not
	// normalised again: N×N, row-major (docs/algorithm.md 3.6, D0).
	Attention() []float32

	// CAM returns, for each direction u in the space of Feature, the raw GradCAM
	// map of the scalar u·f̂: w = mean over patches of d(u·f̂)/dY and then Y·w, N
	// values, before ReLU (docs/algorithm.md 3.5 and 11.4). It is linear in u. The direction
	// of a logit or a probability is a sum of text vectors, which the caller
	// computes.
	//
	// The slices returned are the caller's.
	CAM(ctx context.Context, directions [][]float32) ([][]float32, error)

	// Close gives the memory back to the Proposer.
	Close()
}

// A Judge is g, the mask classifier of the paper: the CLIP that scores a prompted
// image against the texts (docs/algorithm.md section 4.3).
type Judge interface {
	TextEncoder

	// InputSize is the side, in pixels, of the square that the model was trained
	// on, and PatchSize the side of a patch.
	InputSize() int
	PatchSize() int

	// EncodeImages returns one unit vector per image. The images of one call have
	// the same size, and their sides are multiples of PatchSize; for other grids
	// than the trained one the model interpolates its position embeddings. The
	// slices returned are the caller's.
	EncodeImages(ctx context.Context, images []*Image) ([][]float32, error)
}
