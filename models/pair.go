package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/carve-video/carve/car"
)

// pairs are the names that mean two CLIPs, one that proposes masks and one that
// judges them. Each half is itself the name of a model.
//
// "clip" is the pair that the paper's figures on semantic sets were made with
// (docs/algorithm.md 8): B/16 has the finer grid, L/14 the better judgement; a
// B/16 judge costs 13.5 mIoU on Pascal VOC.
var pairs = map[string][2]string{
	"clip": {"clip-vit-base-patch16", "clip-vit-large-patch14"},
}

// PairNames says which models a name stands for: the one that proposes and the one
// that judges. A name that is no pair stands for itself in both roles.
func PairNames(name string) (proposer, judge string) {
	if p, ok := pairs[name]; ok {
		return p[0], p[1]
	}
	return name, name
}

// A Pair is the two models that CaR takes. They may be one.
type Pair struct {
	Proposer, Judge *Model
}

// OpenPair opens what a name stands for, as [PairNames] says; judge, where it is not
// empty, is the name or path of another model that judges.
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

// Segmenter loads both models for their roles. The models stay the pair's: what is
// returned is of use until Close.
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
