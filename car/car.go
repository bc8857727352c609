// Package car finds named things in a picture with nothing but a CLIP: it is
// CaR, "CLIP as RNN" (Sun et al., CVPR 2024, arXiv 2312.07661), without
// training.
//
// # The loop
//
// One CLIP proposes: the gradient of a text's probability makes a heat map of
// where the picture speaks for it. Another CLIP judges: it sees the picture
// with everything but the heat blurred or greyed, and says which of all texts
// that looks like. Texts whose proposal does not look like them are dropped,
// and the rest is proposed again, without the confusion that the dropped ones
// made. When a round drops nothing, a dense CRF fits the masks to the
// picture's edges. [Segmenter.Segment] is all of it; [Segmenter.Loop] is the
// loop, and reads like the paper's pseudo-code.
//
// # What is needed
//
// The two CLIPs are behind small interfaces, [Proposer] and [Judge]; package
// models implements them. Everything here is pure Go.
//
// # One frame at a time
//
// A video is the same loop with a new picture each round. [Segmenter.Step] is
// one round over a subset of the texts; package tracking carries the survivors
// from frame to frame with it. [Segmenter.Refine] is apart from the loop
// because no later round depends on it: it may run on one frame while the loop
// runs on the next.
//
// # Exactness
//
// With the reference's presets every step gives the reference's numbers, its
// quirks included where published figures depend on them; comments name the
// section of the specification (docs/algorithm.md) or of the paper.
package car

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// A Segmenter runs the loop with one pair of models and one preset. Loop and Step
// are for one goroutine; Refine may run on another at the same time, and so may Look
// and LookAll, on any number of them, if the proposer bears it.
type Segmenter struct {
	proposer Proposer
	judge    Judge
	preset   Preset

	// Threads bounds the goroutines of what is computed here; 0 stands for
	// runtime.GOMAXPROCS. Set it before the first call.
	Threads int

	// Refiner fits masks to the picture's edges; nil stands for the dense CRF with
	// the preset's parameters. Set it before the first call.
	Refiner Refiner

	// Trace, if not nil, is given the inside of every stage; what it is given
	// is valid until it returns.
	Trace func(*Trace)

	scratch       scratch
	encodeScratch []*encodeScratch // memory of calls of Look that have ended
	crf           *DenseCRF

	mu          sync.Mutex
	spareImages []*EncodedImage
}

// New returns a Segmenter. The models stay the caller's.
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

// Segment runs the whole method on one picture.
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
