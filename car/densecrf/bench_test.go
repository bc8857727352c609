package densecrf

import (
	"fmt"
	"image"
	_ "image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// photo cuts w×h pixels out of a frame of real footage.
func photo(b *testing.B, w, h int) []uint8 {
	b.Helper()
	frames, _ := filepath.Glob(filepath.Join(golden.Shared(b, "clips"), "*", "frames", "*.jpg"))
	if len(frames) == 0 {
		b.Skip("no clip with frames in the shared data")
	}
	f, err := os.Open(frames[0])
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		b.Fatal(err)
	}
	r := m.Bounds()
	if r.Dx() < w || r.Dy() < h {
		b.Skipf("%s is smaller than %d×%d", frames[0], w, h)
	}
	var pix []uint8
	for y := range h {
		for x := range w {
			r, g, b, _ := m.At(r.Min.X+x, r.Min.Y+y).RGBA()
			pix = append(pix, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	return pix
}

// The size and the label counts of the reference's timing in
// goldens/README.md, whose figures hold lattices and inference together: 0.43,
// 0.46 and 1.43 s for 2, 4 and 21 labels on one thread.
const benchW, benchH = 500, 375

func BenchmarkReset(b *testing.B) {
	rgb := photo(b, benchW, benchH)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			p := Reference()
			p.Threads = threads
			c := New(benchW, benchH, rgb, p)
			c.Reset(rgb)
			b.ReportAllocs()
			for b.Loop() {
				c.Reset(rgb)
			}
			b.ReportMetric(float64(c.bilateral.vertices), "vertices")
		})
	}
}

// energies are unary energies of random probabilities, plane by plane.
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
	rgb := photo(b, benchW, benchH)
	for _, labels := range []int{2, 4, 21} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("labels=%d/threads=%d", labels, threads), func(b *testing.B) {
				unary := energies(labels)
				q := make([]float32, len(unary))
				p := Reference()
				p.Threads = threads
				c := New(benchW, benchH, rgb, p)
				c.Infer(unary, labels, q)
				b.ReportAllocs()
				for b.Loop() {
					c.Infer(unary, labels, q)
				}
			})
		}
	}
}

func BenchmarkInferEach(b *testing.B) {
	rgb := photo(b, benchW, benchH)
	for _, fields := range []int{4, 20} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("fields=%d/threads=%d", fields, threads), func(b *testing.B) {
				unary := energies(2 * fields)
				q := make([]float32, len(unary))
				p := Reference()
				p.Threads = threads
				c := New(benchW, benchH, rgb, p)
				c.InferEach(unary, fields, q)
				b.ReportAllocs()
				for b.Loop() {
					c.InferEach(unary, fields, q)
				}
			})
		}
	}
}

// All that is done for one picture: lattices, energies and inference.
func BenchmarkWhole(b *testing.B) {
	rgb := photo(b, benchW, benchH)
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
				c := New(benchW, benchH, rgb, p)
				c.Infer(unary, labels, q)
				b.ReportAllocs()
				for b.Loop() {
					c.Reset(rgb)
					Unary(prob, unary)
					c.Infer(unary, labels, q)
				}
				b.ReportMetric(float64(c.bilateral.vertices), "vertices")
			})
		}
	}
}
