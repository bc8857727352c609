package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/carve-video/carve/car"
)

// pairs are the names of two models, one that proposes masks and one that judges them.
//
// "clip" is the pair of the paper's figures on semantic sets (docs/algorithm.md section 8): B/16 has
// the finer grid, L/14 judges better; with B/16 as judge the mIoU on Pascal VOC is 13.5
// lower.
var pairs = map[string][2]string{
	"clip": {"clip-vit-base-patch16", "clip-vit-large-patch14"},
}

// PairNames returns the names of the models of a pair, the proposer and the judge. Any
// other name is returned for both roles.
func PairNames(name string) (proposer, judge string) {
	if p, ok := pairs[name]; ok {
		return p[0], p[1]
	}
	return name, name
}

// A Pair is the two models of CaR. They may be the same.
type Pair struct {
	Proposer, Judge *Model
}

// OpenPair opens the models of a name, see [PairNames]. judge, if not empty, is the name or
// path of another judge.
func OpenPair(ctx context.Context, name, judge string, o Options) (*Pair, error) {
	proposes, judges := PairNames(name)
	if judge != "" {
		judges = judge
	}
	m, err := Open(ctx, proposes, o)
	if err != nil {
		return nil, err
	}
	p := &Pair{m, m}
	if judges != proposes {
		if p.Judge, err = Open(ctx, judges, o); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	return p, nil
}

// Segmenter loads both models in their roles. The pair remains their owner: the segmenter
// is valid until Close.
func (p *Pair) Segmenter(preset car.Preset) (*car.Segmenter, error) {
	if skips := preset.Quirks.SkipLastBlock; skips != p.Judge.options.SkipLastBlock {
		return nil, fmt.Errorf("preset %s and the options of model %s differ in whether the judge's last block is left out", preset.Name, p.Judge.name)
	}
	f, err := p.Proposer.Proposer()
	if err != nil {
		return nil, err
	}
	g, err := p.Judge.Judge()
	if err != nil {
		return nil, err
	}
	s, err := car.New(f, g, preset)
	if err != nil {
		return nil, err
	}
	s.Threads = p.Proposer.options.Threads
	return s, nil
}

// Close closes both models.
func (p *Pair) Close() error {
	err := p.Proposer.Close()
	if p.Judge != p.Proposer {
		err = errors.Join(err, p.Judge.Close())
	}
	return err
}
