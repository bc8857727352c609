package rate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/models"
)

// realModel opens one of [models.RandomPair]. See models.realModel.
func realModel(b *testing.B, name string) *models.Model {
	b.Helper()
	root := os.Getenv("CARVE_BENCH")
	if root == "" {
		b.Skip("set CARVE_BENCH to a folder for models of real size")
	}
	b.Setenv("CARVE_CACHE", filepath.Join(root, "cache"))
	if err := models.MakeRandom(b.Context(), name); err != nil {
		b.Fatal(err)
	}
	m, err := models.Open(b.Context(), name, models.Options{
		Device: "cpu", Threads: 2, Precision: os.Getenv("CARVE_BENCH_PRECISION"), SkipLastBlock: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	})
	return m
}

// reportShare reports the share of the bare rate that f reaches.
func reportShare(b *testing.B, products []models.Product, f func(context.Context) error) {
	b.Helper()
	c, err := New(products, 2)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		for range 5 {
			if err := c.Round(b.Context(), f); err != nil {
				b.Fatal(err)
			}
		}
	}
	r := c.Result()
	if os.Getenv("CARVE_BENCH_PARTS") != "" {
		for _, p := range r.Parts {
			b.Logf("%+v: %.2f ms, %.0f GFLOP/s, in all %.1f ms", p.Product, p.Seconds*1e3,
				p.Operations()/float64(p.Count)/p.Seconds/1e9, p.Seconds*1e3*float64(p.Count))
		}
	}
	b.ReportMetric(100*r.Share(), "%-of-bare")
	b.ReportMetric(r.Rate()/1e9, "bare-GFLOP/s")
	b.ReportMetric(r.Operations/1e9, "GFLOP")
	b.ReportMetric(r.Seconds*1e3, "ms")
}

func noise(w, h int, seed uint64) *car.Image {
	rng := rand.New(rand.NewPCG(seed, 2))
	img := car.NewImage(w, h)
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.IntN(256))
	}
	return img
}

func BenchmarkRateTrunk(b *testing.B) {
	m := realModel(b, models.RandomPair[0])
	p, err := m.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	img := noise(512, 384, 1)
	reportShare(b, m.TrunkProducts(img.W, img.H), func(ctx context.Context) error {
		v, err := p.Encode(ctx, img)
		if err == nil {
			v.Close()
		}
		return err
	})
}

func BenchmarkRateJudge(b *testing.B) {
	m := realModel(b, models.RandomPair[1])
	j, err := m.Judge()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			images := make([]*car.Image, n)
			for i := range images {
				images[i] = noise(224, 224, uint64(i))
			}
			reportShare(b, m.JudgeProducts(224, 224, n), func(ctx context.Context) error {
				_, err := j.EncodeImages(ctx, images)
				return err
			})
		})
	}
}

func BenchmarkRateCAM(b *testing.B) {
	m := realModel(b, models.RandomPair[0])
	p, err := m.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	img := noise(512, 384, 1)
	v, err := p.Encode(b.Context(), img)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprint("thing ", i))
	}
	directions, err := p.EncodeTexts(b.Context(), names)
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []int{1, 20} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			reportShare(b, m.CAMProducts(img.W, img.H, k), func(ctx context.Context) error {
				_, err := v.CAM(ctx, directions[:k])
				return err
			})
		})
	}
}

// loopW and loopH are the size of the image in the reference's timing
// (goldens/README.md): 24×32 patches of the proposer.
const loopW, loopH = 500, 375

// BenchmarkRateLoop compares the whole loop with its matrix products, with models of
// the published sizes and random weights. "compat" works like the published code,
// "carve" like carve by default, where a single query is judged as well.
func BenchmarkRateLoop(b *testing.B) {
	f, g := realModel(b, models.RandomPair[0]), realModel(b, models.RandomPair[1])
	preset, err := car.PresetNamed("voc")
	if err != nil {
		b.Fatal(err)
	}
	for _, mode := range []struct {
		name   string
		preset car.Preset
	}{{"compat", preset.Compat()}, {"carve", preset}} {
		for _, n := range []int{1, 5, 20} {
			b.Run(fmt.Sprintf("%s/%d", mode.name, n), func(b *testing.B) {
				img := &car.Image{Pix: golden.Photo(b, loopW, loopH), W: loopW, H: loopH}
				l, err := NewLoop(b.Context(), f, g, mode.preset, img, n, 2)
				if err != nil {
					b.Fatal(err)
				}
				reportShare(b, l.Products(), l.Run)
				b.ReportMetric(100*l.Outside(), "%-outside")
				b.ReportMetric(l.Judged(), "judged")
			})
		}
	}
}
