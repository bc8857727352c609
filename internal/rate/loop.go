package rate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/models"
)

// A Loop runs the whole method on an image, from pixels to label map, and measures the
// share of the models. Texts are already encoded. Every query is judged in the first
// stage, which drops all but the first, whatever the models' outputs. So models with
// random weights can be used.
type Loop struct {
	segmenter *car.Segmenter
	bank      *car.Bank
	img       *car.Image
	result    car.Result
	f, g      *models.Model

	whole, spent time.Duration // of all runs, and within the models
	runs, judged int
	w, h         int // of the proposer's image
	products     []models.Product
}

// NewLoop prepares the loop for n queries, and runs it once.
func NewLoop(ctx context.Context, f, g *models.Model, preset car.Preset, img *car.Image, n, threads int) (*Loop, error) {
	l := &Loop{f: f, g: g, img: img}
	p, err := f.Proposer()
	if err != nil {
		return nil, err
	}
	j, err := g.Judge()
	if err != nil {
		return nil, err
	}
	if l.segmenter, err = car.New(meteredProposer{p, l}, meteredJudge{j, l}, preset); err != nil {
		return nil, err
	}
	l.segmenter.Threads = threads
	// The first query is never dropped, the others always are.
	queries := make([]car.Query, n)
	for i := range queries {
		var theta float32 = 1
		if i == 0 && n > 1 {
			theta = 0
		}
		queries[i] = car.Query{Label: fmt.Sprint("thing ", i), Phrases: []string{fmt.Sprint("thing ", i)}, Theta: &theta}
	}
	if n == 1 {
		queries[0].Theta = nil
	}
	if l.bank, err = l.segmenter.EmbedQueries(ctx, queries); err != nil {
		return nil, err
	}
	if err := l.Run(ctx); err != nil { // does the one-time work
		return nil, err
	}
	l.Reset()
	return l, nil
}

// Reset clears the times of the runs so far.
func (l *Loop) Reset() { l.spent, l.whole, l.runs, l.judged = 0, 0, 0, 0 }

// Run runs the loop once.
func (l *Loop) Run(ctx context.Context) error {
	from := time.Now()
	defer func() { l.whole += time.Since(from); l.runs++ }()
	l.products = l.products[:0]
	encoded, err := l.segmenter.EncodeImage(ctx, l.img)
	if err != nil {
		return err
	}
	defer encoded.Close()
	out, err := l.segmenter.Loop(ctx, encoded, l.bank)
	if err != nil {
		return err
	}
	if len(out.Kept()) > 1 {
		return fmt.Errorf("%d queries are left of the loop, want 1 at most", len(out.Kept()))
	}
	return l.segmenter.RefineInto(ctx, encoded, out, &l.result)
}

// Products returns the matrix products of the models in the last run.
func (l *Loop) Products() []models.Product { return slices.Clone(l.products) }

// Outside returns the share of the time of all runs that was not spent in the models.
func (l *Loop) Outside() float64 { return (l.whole - l.spent).Seconds() / l.whole.Seconds() }

// Judged returns the number of images judged in a run.
func (l *Loop) Judged() float64 { return float64(l.judged) / float64(l.runs) }

func (l *Loop) addModelTime(from time.Time) { l.spent += time.Since(from) }

type meteredProposer struct {
	car.Proposer
	l *Loop
}

func (p meteredProposer) Encode(ctx context.Context, img *car.Image) (car.Features, error) {
	p.l.w, p.l.h = img.W, img.H
	p.l.products = append(p.l.products, p.l.f.TrunkProducts(img.W, img.H)...)
	defer p.l.addModelTime(time.Now())
	v, err := p.Proposer.Encode(ctx, img)
	return meteredView{v, p.l}, err
}

type meteredView struct {
	car.Features
	l *Loop
}

func (v meteredView) CAM(ctx context.Context, directions [][]float32) ([][]float32, error) {
	v.l.products = append(v.l.products, v.l.f.CAMProducts(v.l.w, v.l.h, len(directions))...)
	defer v.l.addModelTime(time.Now())
	return v.Features.CAM(ctx, directions)
}

type meteredJudge struct {
	car.Judge
	l *Loop
}

func (j meteredJudge) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	j.l.judged += len(images)
	j.l.products = append(j.l.products, j.l.g.JudgeProducts(images[0].W, images[0].H, len(images))...)
	defer j.l.addModelTime(time.Now())
	return j.Judge.EncodeImages(ctx, images)
}
