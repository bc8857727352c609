// Package car segments an image by free-text queries, with pretrained CLIP models
// and no training. It implements CaR, "CLIP as RNN" (Sun et al., CVPR 2024, arXiv
// 2312.07661).
//
// # The loop
//
// One CLIP proposes: the gradient of a text's probability gives a heat map of the
// regions that support the text. Another CLIP judges: it is given the image with
// everything outside the heat blurred or greyed, and scores it against all texts.
// Texts whose own proposal scores low are dropped. The others are proposed again,
// now without the dropped texts competing. When a round drops nothing, a dense CRF
// fits the masks to the edges of the image. [Segmenter.Segment] runs all of this;
// [Segmenter.Loop] is the loop alone and follows the paper's pseudo-code.
//
// # What is needed
//
// The two CLIPs are behind small interfaces, [Proposer] and [Judge]; package
// models implements them. Everything here is pure Go.
//
// # One frame at a time
//
// On a video, the loop runs with a new frame in each round. [Segmenter.Step] is
// one round over a subset of the queries; package tracking calls it frame by frame
// with the queries that were kept. [Segmenter.Refine] is separate from the loop
// because no later round depends on it: it may run on one frame while the loop runs
// on the next.
//
// # Exactness
//
// With the reference's presets every step gives the reference's numbers, including
// its quirks where published figures depend on them. Comments name the section of
// the specification (docs/algorithm.md) or of the paper.
package car

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// A Segmenter runs the loop with one pair of models and one preset. Loop and Step
// are for one goroutine. Refine may run on another at the same time. EncodeImage and
// EncodeImages may run on any number of goroutines if the proposer is safe for
// concurrent use.
type Segmenter struct {
	proposer Proposer
	judge    Judge
	preset   Preset

	// Threads is the largest number of goroutines that this package uses at a time;
	// 0 stands for runtime.GOMAXPROCS. Set it before the first call.
	Threads int

	// Refiner fits masks to the edges of the image; nil stands for the dense CRF
	// with the preset's parameters. Set it before the first call.
	Refiner Refiner

	// Trace, if not nil, is called after every stage with its intermediate values.
	// The argument is valid until Trace returns.
	Trace func(*Trace)

	scratch       scratch
	encodeScratch []*encodeScratch // of calls of EncodeImages that have ended
	crf           *DenseCRF

	mu          sync.Mutex
	spareImages []*EncodedImage
}

// New returns a Segmenter. The caller remains the owner of the models.
func New(proposer Proposer, judge Judge, preset Preset) (*Segmenter, error) {
	if err := preset.Check(); err != nil {
		return nil, err
	}
	if proposer == nil || judge == nil {
		return nil, fmt.Errorf("a segmenter needs a model that proposes and one that judges")
	}
	return &Segmenter{proposer: proposer, judge: judge, preset: preset}, nil
}

// Preset returns the preset in use.
func (s *Segmenter) Preset() Preset { return s.preset }

func (s *Segmenter) threads() int {
	if s.Threads > 0 {
		return s.Threads
	}
	return runtime.GOMAXPROCS(0)
}

// Segment runs the whole method on one image.
func (s *Segmenter) Segment(ctx context.Context, img *Image, queries []Query) (*Result, error) {
	bank, err := s.EmbedQueries(ctx, queries)
	if err != nil {
		return nil, err
	}
	encoded, err := s.EncodeImage(ctx, img)
	if err != nil {
		return nil, err
	}
	defer encoded.Close()
	outcome, err := s.Loop(ctx, encoded, bank)
	if err != nil {
		return nil, err
	}
	return s.Refine(ctx, encoded, outcome)
}
