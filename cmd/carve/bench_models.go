package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/rate"
	"github.com/carve-video/carve/models"
)

// benchMatMul is the product by which machines are compared, independent of the model:
// an MLP layer of ViT-L on 1024 tokens, 8.6 GFLOP.
var benchMatMul = models.Product{Batch: 1, M: 1024, K: 1024, N: 4096, Weight: true, Count: 1}

// hasBareRate reports whether the models compute the same products as a bare MatMul.
func (b *bench) hasBareRate() bool {
	return b.o.precision == models.Float32 && b.models.device == "cpu"
}

// compare times f against its bare products.
func (b *bench) compare(ctx context.Context, products []models.Product, least int, f func(context.Context) error) (r rate.Result, err error) {
	operations := 0.0
	for _, p := range products {
		operations += p.Operations()
	}
	if !b.hasBareRate() {
		products = nil
	}
	c, err := rate.New(products, b.o.threads)
	if err != nil {
		return r, err
	}
	defer c.Close()
	if err := b.repeat(ctx, least, func() error { return c.Round(ctx, f) }); err != nil {
		return r, err
	}
	r = c.Result()
	r.Operations = operations
	return r, nil
}

// measureModels times benchMatMul, and each model against its bare products.
func (b *bench) measureModels(ctx context.Context) error {
	if b.hasBareRate() {
		r, err := b.compare(ctx, []models.Product{benchMatMul}, 5, func(context.Context) error { return nil })
		if err != nil {
			return err
		}
		b.report.MatMul = &benchMatMulReport{GFLOPS: r.Rate() / 1e9}
	}
	if err := b.measureProposer(ctx); err != nil {
		return err
	}
	return b.measureJudge(ctx)
}

// measureModel measures f and adds a row to the table of models.
func (b *bench) measureModel(ctx context.Context, name string, products []models.Product, f func(context.Context) error) error {
	r, err := b.compare(ctx, products, 5, f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	row := benchModel{Name: name, GFLOP: r.Operations / 1e9, Time: r.Seconds}
	if b.hasBareRate() {
		row.BareGFLOPS, row.Share = r.Rate()/1e9, r.Share()
	}
	b.report.Models = append(b.report.Models, row)
	return nil
}

// measureProposer times the trunk on an image, and the CAM head on its features.
func (b *bench) measureProposer(ctx context.Context) error {
	f, err := b.models.Proposer.Proposer()
	if err != nil {
		return err
	}
	// Rounded up to whole patches, as in the loop.
	whole := func(n int) int { return (n + f.PatchSize() - 1) / f.PatchSize() * f.PatchSize() }
	img := benchNoise(whole(b.img.W), whole(b.img.H))
	err = b.measureModel(ctx, "trunk", b.models.Proposer.TrunkProducts(img.W, img.H), func(ctx context.Context) error {
		v, err := f.Encode(ctx, img)
		if err == nil {
			v.Close()
		}
		return err
	})
	if err != nil {
		return err
	}
	view, err := f.Encode(ctx, img)
	if err != nil {
		return err
	}
	defer view.Close()
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprint("thing ", i))
	}
	directions, err := f.EncodeTexts(ctx, names)
	if err != nil {
		return err
	}
	for _, k := range []int{1, 20} {
		err := b.measureModel(ctx, fmt.Sprintf("CAM head, %s", plural(k, "query", "queries")), b.models.Proposer.CAMProducts(img.W, img.H, k), func(ctx context.Context) error {
			_, err := view.CAM(ctx, directions[:k])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measureJudge times the judge on one image and on batches.
func (b *bench) measureJudge(ctx context.Context) error {
	g, err := b.models.Judge.Judge()
	if err != nil {
		return err
	}
	side := g.InputSize()
	noise := benchNoise(side, side)
	for _, n := range []int{1, 4, 16} {
		images := make([]*car.Image, n)
		for i := range images {
			images[i] = noise
		}
		err := b.measureModel(ctx, fmt.Sprintf("judge, %s", plural(n, "image", "images")), b.models.Judge.JudgeProducts(side, side, n), func(ctx context.Context) error {
			_, err := g.EncodeImages(ctx, images)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// benchNoise returns an image of noise.
func benchNoise(w, h int) *car.Image {
	rng := rand.New(rand.NewPCG(1, 2))
	img := car.NewImage(w, h)
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.IntN(256))
	}
	return img
}

func (b *bench) measureLoop(ctx context.Context) error {
	for _, n := range []int{1, 5, 20} {
		l, err := rate.NewLoop(ctx, b.models.Proposer, b.models.Judge, b.preset, b.img, n, b.o.threads)
		if err != nil {
			return err
		}
		r, err := b.compare(ctx, l.Products(), 3, l.Run)
		if err != nil {
			return err
		}
		row := benchLoop{Queries: n, GFLOP: r.Operations / 1e9, Time: r.Seconds, Outside: l.Outside(), Judged: l.Judged()}
		if b.hasBareRate() {
			row.Share = r.Share()
		}
		b.report.Loop = append(b.report.Loop, row)
	}
	return nil
}

// benchMask returns an ellipse, the i-th of n side by side, with 1 inside.
func benchMask(w, h, i, n int) []uint8 {
	mask := make([]uint8, w*h)
	cx, cy := (float64(i)+0.5)*float64(w)/float64(n), float64(h)/2
	rx, ry := max(float64(w)/float64(2*n+2), 1), float64(h)/4
	for k := range mask {
		x, y := (float64(k%w)-cx)/rx, (float64(k/w)-cy)/ry
		if x*x+y*y < 1 {
			mask[k] = 1
		}
	}
	return mask
}

func (b *bench) measurePrompts(ctx context.Context) error {
	for _, n := range []int{1, 5, 20} {
		masks := make([][]uint8, n)
		for i := range masks {
			masks[i] = benchMask(b.img.W, b.img.H, i, n)
		}
		times, err := b.times(ctx, func() { b.models.segmenter.JudgeInputs(b.img, masks) })
		if err != nil {
			return err
		}
		b.report.Prompts = append(b.report.Prompts, benchPrompts{Masks: n, Time: times[0]})
	}
	return nil
}

func (b *bench) measureCRF(ctx context.Context) error {
	threads := b.o.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	n := b.img.W * b.img.H
	for _, labels := range []int{2, 4, 21} {
		rng := rand.New(rand.NewPCG(1, 2))
		prob := make([]float32, labels*n)
		for i := range prob {
			prob[i] = rng.Float32()
		}
		unary, q := make([]float32, len(prob)), make([]float32, len(prob))
		// The whole work on one image: lattices, energies and inference.
		whole := func(threads int) func() {
			params := b.preset.CRF
			params.Threads = threads
			var crf *densecrf.CRF
			return func() {
				var err error
				if crf == nil {
					crf, err = densecrf.New(ctx, b.img.W, b.img.H, b.img.Pix, params)
				} else {
					err = crf.Reset(ctx, b.img.Pix)
				}
				if err == nil {
					densecrf.Unary(prob, unary)
					crf.Infer(ctx, unary, labels, q)
				}
			}
		}
		times, err := b.times(ctx, whole(threads), whole(1))
		if err == nil {
			err = ctx.Err() // the steps were cancelled, and their errors dropped
		}
		if err != nil {
			return err
		}
		b.report.CRF = append(b.report.CRF, benchCRF{Labels: labels, Threads: threads, Time: times[0], TimeOne: times[1], Speedup: times[1] / times[0]})
	}
	return nil
}

// times calls the functions alternately and returns the median times of each, in
// seconds, without the first round.
func (b *bench) times(ctx context.Context, work ...func()) ([]float64, error) {
	all := make([][]time.Duration, len(work))
	err := b.repeat(ctx, 5, func() error {
		for i, f := range work {
			from := time.Now()
			f()
			all[i] = append(all[i], time.Since(from))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	medians := make([]float64, len(work))
	for i, d := range all {
		medians[i] = rate.Median(d[1:]).Seconds()
	}
	return medians, nil
}
