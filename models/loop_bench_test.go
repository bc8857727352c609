package models

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
)

// The size of the picture in the reference's timing (goldens/README.md): 24×32
// patches of the proposer.
const loopW, loopH = 500, 375

// BenchmarkRateLoop is the whole loop on a picture, from pixels to label map,
// against its matrix products done bare: models of the published sizes with
// random weights, texts known, all queries judged in the first stage and one
// left by it. "compat" works as the published code, "carve" as carve does by
// itself, where a single query is judged as well.
func BenchmarkRateLoop(b *testing.B) {
	f, g := realModel(b, "B16"), realModel(b, "L14")
	for _, n := range []int{1, 5, 20} {
		b.Run(fmt.Sprintf("compat/%d", n), func(b *testing.B) {
			l := newLoop(b, f, g, loopPreset(b).Compat(), n)
			products := append(trunkProducts(f.config, 32*24+1), camProducts(f.config, 1, 32*24+1)...)
			if n > 1 {
				products = append(products, camProducts(f.config, n, 32*24+1)...)
			}
			// Two proposals without a mask are one picture.
			for left := l.judged; left > 0; left -= 8 { // as car batches them
				products = append(products, classifierProducts(g.config, min(left, 8), 257)...)
			}
			l.reset()
			ofBare(b, products, l.run)
			l.report(b)
		})
		b.Run(fmt.Sprintf("carve/%d", n), func(b *testing.B) {
			l := newLoop(b, f, g, loopPreset(b), n)
			l.reset()
			for b.Loop() {
				if err := l.run(); err != nil {
					b.Fatal(err)
				}
			}
			l.report(b)
		})
	}
}

func loopPreset(b *testing.B) car.Preset {
	b.Helper()
	p, err := car.PresetNamed("voc")
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// A loopRun is a segmenter over a picture, and what of its time the models take.
type loopRun struct {
	segmenter *car.Segmenter
	bank      *car.Bank
	img       *car.Image
	result    car.Result

	whole, spent time.Duration // of all runs, and within the models
	runs, judged int
}

func newLoop(b *testing.B, f, g *Model, preset car.Preset, n int) *loopRun {
	b.Helper()
	l := &loopRun{img: &car.Image{Pix: golden.Photo(b, loopW, loopH), W: loopW, H: loopH}}
	p, err := f.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	j, err := g.Judge()
	if err != nil {
		b.Fatal(err)
	}
	if l.segmenter, err = car.New(timedProposer{p, l}, timedJudge{j, l}, preset); err != nil {
		b.Fatal(err)
	}
	// The first query is never dropped, the others always are: what random
	// weights say does not matter.
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
	if l.bank, err = l.segmenter.Encode(b.Context(), queries); err != nil {
		b.Fatal(err)
	}
	if err := l.run(); err != nil { // what is done once
		b.Fatal(err)
	}
	return l
}

func (l *loopRun) reset() { l.spent, l.whole, l.runs, l.judged = 0, 0, 0, 0 }

func (l *loopRun) run() error {
	from := time.Now()
	defer func() { l.whole += time.Since(from); l.runs++ }()
	ctx := context.Background()
	scene, err := l.segmenter.Look(ctx, l.img)
	if err != nil {
		return err
	}
	defer scene.Close()
	out, err := l.segmenter.Loop(ctx, scene, l.bank)
	if err != nil {
		return err
	}
	if len(out.Kept()) > 1 {
		return fmt.Errorf("%d queries are left", len(out.Kept()))
	}
	return l.segmenter.RefineInto(ctx, scene, out, &l.result)
}

func (l *loopRun) report(b *testing.B) {
	b.ReportMetric(100*(l.whole-l.spent).Seconds()/l.whole.Seconds(), "%-outside")
	b.ReportMetric(float64(l.judged)/float64(l.runs), "judged")
}

type timedProposer struct {
	car.Proposer
	l *loopRun
}

func (p timedProposer) Look(ctx context.Context, img *car.Image) (car.View, error) {
	defer p.l.add(time.Now())
	v, err := p.Proposer.Look(ctx, img)
	return timedView{v, p.l}, err
}

type timedView struct {
	car.View
	l *loopRun
}

func (v timedView) CAM(ctx context.Context, directions [][]float32) ([][]float32, error) {
	defer v.l.add(time.Now())
	return v.View.CAM(ctx, directions)
}

type timedJudge struct {
	car.Judge
	l *loopRun
}

func (j timedJudge) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	defer j.l.add(time.Now())
	j.l.judged += len(images)
	return j.Judge.EncodeImages(ctx, images)
}

func (l *loopRun) add(from time.Time) { l.spent += time.Since(from) }
