package densecrf

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// The size and the label counts are those of the reference's timing in
// goldens/README.md. Its figures include lattices and inference: 0.43, 0.46 and 1.43 s
// for 2, 4 and 21 labels on one thread.
const benchW, benchH = 500, 375

func BenchmarkReset(b *testing.B) {
	rgb := golden.Photo(b, benchW, benchH)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			p := Reference()
			p.Threads = threads
			c := field(benchW, benchH, rgb, p)
			c.Reset(background, rgb)
			b.ReportAllocs()
			for b.Loop() {
				c.Reset(background, rgb)
			}
			b.ReportMetric(float64(c.bilateral.vertices), "vertices")
		})
	}
}

// energies returns unary energies of random probabilities, plane by plane.
func energies(planes int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	unary := make([]float32, planes*benchW*benchH)
	for i := range unary {
		unary[i] = r.Float32()
	}
	Unary(unary, unary)
	return unary
}

func BenchmarkInfer(b *testing.B) {
	rgb := golden.Photo(b, benchW, benchH)
	for _, labels := range []int{2, 4, 21} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("labels=%d/threads=%d", labels, threads), func(b *testing.B) {
				unary := energies(labels)
				q := make([]float32, len(unary))
				p := Reference()
				p.Threads = threads
				c := field(benchW, benchH, rgb, p)
				c.Infer(background, unary, labels, q)
				b.ReportAllocs()
				for b.Loop() {
					c.Infer(background, unary, labels, q)
				}
			})
		}
	}
}

// BenchmarkSettled compares all iterations with those until labels stand still, for energies
// that are not noise alone.
func BenchmarkSettled(b *testing.B) {
	for _, labels := range []int{2, 4, 21} {
		rgb, unary := soft(1, benchW, benchH, labels)
		q := make([]float32, len(unary))
		for _, share := range []float32{0, 0.003} {
			b.Run(fmt.Sprintf("labels=%d/settled=%g", labels, share), func(b *testing.B) {
				p := Reference()
				p.Threads, p.Settled = 1, share
				c := field(benchW, benchH, rgb, p)
				c.Infer(background, unary, labels, q)
				b.ReportAllocs()
				for b.Loop() {
					c.Infer(background, unary, labels, q)
				}
			})
		}
	}
}

func BenchmarkInferEach(b *testing.B) {
	rgb := golden.Photo(b, benchW, benchH)
	for _, fields := range []int{4, 20} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("fields=%d/threads=%d", fields, threads), func(b *testing.B) {
				unary := energies(2 * fields)
				q := make([]float32, len(unary))
				p := Reference()
				p.Threads = threads
				c := field(benchW, benchH, rgb, p)
				c.InferEach(background, unary, fields, q)
				b.ReportAllocs()
				for b.Loop() {
					c.InferEach(background, unary, fields, q)
				}
			})
		}
	}
}

// BenchmarkWhole measures everything for one image: lattices, energies and inference.
func BenchmarkWhole(b *testing.B) {
	rgb := golden.Photo(b, benchW, benchH)
	for _, labels := range []int{2, 4, 21} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("labels=%d/threads=%d", labels, threads), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				prob := make([]float32, labels*benchW*benchH)
				for i := range prob {
					prob[i] = r.Float32()
				}
				unary, q := make([]float32, len(prob)), make([]float32, len(prob))
				p := Reference()
				p.Threads = threads
				c := field(benchW, benchH, rgb, p)
				c.Infer(background, unary, labels, q)
				b.ReportAllocs()
				for b.Loop() {
					c.Reset(background, rgb)
					Unary(prob, unary)
					c.Infer(background, unary, labels, q)
				}
				b.ReportMetric(float64(c.bilateral.vertices), "vertices")
			})
		}
	}
}

func BenchmarkUnary(b *testing.B) {
	prob := make([]float32, 21*benchW*benchH)
	for i := range prob {
		prob[i] = float32(i%1000) / 1000
	}
	dst := make([]float32, len(prob))
	b.SetBytes(int64(4 * len(prob)))
	for b.Loop() {
		Unary(prob, dst)
	}
}
