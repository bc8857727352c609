package models

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/tensor"
)

// A product is a matrix product that a graph cannot do without: batch times
// m×k by k×n, done often.
type product struct {
	batch, m, k, n int
	weight         bool // k×n is constant: packed once, while the session loads
	often          int
}

func (p product) flops() float64 {
	return 2 * float64(p.batch) * float64(p.m) * float64(p.k) * float64(p.n) * float64(p.often)
}

// blockProducts are those of a number of blocks on B images of L tokens.
func blockProducts(t tower, B, L, blocks int) []product {
	d := t.headDim()
	return []product{
		{1, B * L, t.Width, t.Width, true, 4 * blocks},
		{B * t.Heads, L, d, L, false, blocks},
		{B * t.Heads, L, L, d, false, blocks},
		{1, B * L, t.Width, t.MLP, true, blocks},
		{1, B * L, t.MLP, t.Width, true, blocks},
	}
}

// trunkProducts adds the patches and the two products of the caches (car.md
// 11.4, once per image).
func trunkProducts(c config, L int) []product {
	t, N := c.Vision, L-1
	return append(blockProducts(t, 1, L, t.Layers),
		product{1, N, 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		product{1, N, t.Width, t.MLP, true, 1},
		product{1, N, t.MLP, t.Width, true, 1})
}

// classifierProducts: all blocks but the last (car.Quirks), of the last of which
// only keys and values are needed for all tokens.
func classifierProducts(c config, B, L int) []product {
	t := c.Vision
	return append(blockProducts(t, B, L, t.Layers-2),
		product{1, B * (L - 1), 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		product{1, B * L, t.Width, t.Width, true, 2})
}

// camProducts are the operations that car.md 11.4 counts, for K directions:
// 10 N D^2 + 2 N L D each, of which 8 N D^2 are the MLP and 2 N D^2 out_proj;
// and, once, the attention probabilities, which are not kept.
func camProducts(c config, K, L int) []product {
	t, N := c.Vision, L-1
	d := t.headDim()
	return []product{
		{1, K * N, t.MLP, t.Width, true, 1},
		{1, K * N, t.Width, t.Width, true, 1},
		{t.Heads, K * d, N, L, false, 1},
		{t.Heads, N, d, L, false, 1},
	}
}

// A bare is one MatMul in a session of its own.
type bare struct {
	product
	session *ort.Session
	in, out []ort.Tensor
}

func newBare(b *testing.B, p product) *bare {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = rng.Float32() - 0.5
		}
		return v
	}
	g := onnx.NewGraph("product")
	x := g.Input("x", onnx.Float32, onnx.Fixed(p.batch), onnx.Fixed(p.m), onnx.Fixed(p.k))
	var t tensors
	r := &bare{product: p}
	r.in = []ort.Tensor{add(&t, random(p.batch*p.m*p.k), p.batch, p.m, p.k)}
	var w onnx.Value
	if p.weight {
		w = g.Floats(random(p.k*p.n), p.k, p.n)
	} else {
		w = g.Input("w", onnx.Float32, onnx.Fixed(p.batch), onnx.Fixed(p.k), onnx.Fixed(p.n))
		r.in = append(r.in, add(&t, random(p.batch*p.k*p.n), p.batch, p.k, p.n))
	}
	g.Output("y", g.MatMul(x, w), onnx.Float32)
	r.out = []ort.Tensor{add(&t, make([]float32, p.batch*p.m*p.n), p.batch, p.m, p.n)}
	if t.err != nil {
		b.Fatal(t.err)
	}
	s, err := ort.NewSession("product", g.Marshal(), g.Inputs(), g.Outputs(), ort.Options{Device: "cpu", Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	r.session = s
	b.Cleanup(func() {
		t.destroy()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

// ofBare times f against its products, each done bare in the same runtime, a
// round of all after the other so that both see the same machine, and reports
// the share of the bare rate that f reaches.
func ofBare(b *testing.B, products []product, f func() error) {
	b.Helper()
	var bares []*bare
	for _, p := range products {
		bares = append(bares, newBare(b, p))
	}
	timed := func(f func() error) time.Duration {
		from := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(from)
	}
	whole, parts := []time.Duration{}, make([][]time.Duration, len(bares))
	first := true
	for b.Loop() {
		for range 5 {
			w := timed(f)
			if !first {
				whole = append(whole, w)
			}
			for i, p := range bares {
				// The fastest of three in a row: as good as it gets, caches warm.
				t := time.Hour
				for range 3 {
					t = min(t, timed(func() error { return p.session.Run(b.Context(), p.in, p.out) }))
				}
				if !first {
					parts[i] = append(parts[i], t)
				}
			}
			first = false
		}
	}
	middle := func(d []time.Duration) float64 {
		slices.SortFunc(d, cmp.Compare)
		return d[len(d)/2].Seconds()
	}
	seconds, flops := 0.0, 0.0
	for i, p := range bares {
		m := middle(parts[i])
		if os.Getenv("CARVE_BENCH_PARTS") != "" {
			b.Logf("%+v: %.2f ms, %.0f GFLOP/s, in all %.1f ms", p.product, m*1e3, p.flops()/float64(p.often)/m/1e9, m*1e3*float64(p.often))
		}
		seconds += m * float64(p.often)
		flops += p.flops()
	}
	b.ReportMetric(100*seconds/middle(whole), "%-of-bare")
	b.ReportMetric(flops/seconds/1e9, "bare-GFLOP/s")
	b.ReportMetric(flops/1e9, "GFLOP")
	b.ReportMetric(middle(whole)*1e3, "ms")
}

// realModel opens a model of a published size with random weights, whose speed
// does not depend on what they know. CARVE_BENCH names a folder for them and
// for what is built from them: 5 GB, written once.
func realModel(b *testing.B, name string) *Model {
	b.Helper()
	root := os.Getenv("CARVE_BENCH")
	if root == "" {
		b.Skip("set CARVE_BENCH to a folder for models of real size")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		made := map[string]shape{"B16": vitBase16, "L14": vitLarge14}[name].write(b, tensor.F16, 1)
		if err := os.CopyFS(dir, os.DirFS(made)); err != nil {
			b.Fatal(err)
		}
	}
	b.Setenv("CARVE_CACHE", filepath.Join(root, "cache"))
	return openTest(b, dir, Options{Precision: os.Getenv("CARVE_BENCH_PRECISION"), SkipLastBlock: true})
}

func BenchmarkRateTrunk(b *testing.B) {
	m := realModel(b, "B16")
	p, err := m.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	img := noise(512, 384, 1)
	ofBare(b, trunkProducts(m.config, 32*24+1), func() error {
		v, err := p.Look(b.Context(), img)
		if err == nil {
			v.Close()
		}
		return err
	})
}

func BenchmarkRateJudge(b *testing.B) {
	m := realModel(b, "L14")
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
			ofBare(b, classifierProducts(m.config, n, 257), func() error {
				_, err := j.EncodeImages(b.Context(), images)
				return err
			})
		})
	}
}

func BenchmarkRateCAM(b *testing.B) {
	m := realModel(b, "B16")
	p, err := m.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	v, err := p.Look(b.Context(), noise(512, 384, 1))
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	for _, k := range []int{1, 20} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			u := directions(m, k)
			ofBare(b, camProducts(m.config, k, 32*24+1), func() error {
				_, err := v.CAM(b.Context(), u)
				return err
			})
		})
	}
}

// BenchmarkOpenPair is what a start costs: both models opened, their sessions
// made. The first round builds the graphs if the cache lacks them.
func BenchmarkOpenPair(b *testing.B) {
	realModel(b, "B16").Close()
	for b.Loop() {
		from := rss(b)
		f, g := realModel(b, "B16"), realModel(b, "L14")
		_, err := f.Proposer()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.Judge(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(rss(b)-from)/(1<<20), "MB-more")
		if err := errors.Join(f.Close(), g.Close()); err != nil {
			b.Fatal(err)
		}
	}
	reportRSS(b)
}

// BenchmarkTexts: 20 queries in 15 templates, from nothing and from the cache.
func BenchmarkTexts(b *testing.B) {
	var texts []string
	for i := range 20 {
		for j := range 15 {
			texts = append(texts, fmt.Sprintf("a %d photo of a %d red frisbee.", j, i))
		}
	}
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("known=%v", known), func(b *testing.B) {
			m := realModel(b, "L14")
			b.Setenv("CARVE_CACHE", b.TempDir())
			if known {
				if _, err := m.text.EncodeTexts(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				b.StopTimer()
				m := openTest(b, m.dir, Options{})
				if _, err := m.fingerprint(); err != nil {
					b.Fatal(err)
				}
				m.text.opened = !known // reads nothing, and remembers nothing
				b.StartTimer()
				if _, err := m.text.EncodeTexts(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
