package car

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/carve-video/carve/internal/parallel"
)

func noiseImage(w, h int) *Image {
	d := rand.New(rand.NewPCG(9, 9))
	img := NewImage(w, h)
	for i := range img.Pix {
		img.Pix[i] = uint8(d.IntN(256))
	}
	return img
}

// BenchmarkAffinity measures what is computed once for an image (build) and for a
// stage of 10 texts (apply10), and what forming the matrix would take (square). N is
// the number of patches.
func BenchmarkAffinity(b *testing.B) {
	for _, n := range []int{768, 1200, 3600} { // 500x375, 640x480 and 1280x720 at B/16
		attention := make([]float32, n*n)
		for i := range attention {
			attention[i] = float32(1+i%7) / float32(n)
		}
		var a affinity
		b.Run(fmt.Sprintf("build/%d", n), func(b *testing.B) {
			for b.Loop() {
				a.build(b.Context(), attention, n, 2)
			}
		})
		// Like the reference: S·S is formed and then applied.
		b.Run(fmt.Sprintf("square/%d", n), func(b *testing.B) {
			if n > 1000 {
				b.Skip("takes long")
			}
			squared := make([]float32, n*n)
			for b.Loop() {
				// S is symmetric: its rows equal its columns.
				parallel.Do(2, n, func(_, from, to int) {
					for i := from; i < to; i++ {
						for j := range n {
							squared[i*n+j] = dot(a.s[i*n:(i+1)*n], a.s[j*n:(j+1)*n])
						}
					}
				})
			}
		})
		x := make([]float32, 10*n)
		b.Run(fmt.Sprintf("apply10/%d", n), func(b *testing.B) {
			for b.Loop() {
				for i := range x {
					x[i] = 1
				}
				a.apply(b.Context(), x, 10)
			}
		})
	}
}

// BenchmarkJudgeInput measures the steps that make one input of the judge.
func BenchmarkJudgeInput(b *testing.B) {
	img := noiseImage(640, 480)
	mask := make([]uint8, 640*480)
	for i := range mask {
		if x, y := i%640, i/640; x > 100 && x < 300 && y > 50 && y < 400 {
			mask[i] = 1
		}
	}
	var around, prompted, dst Image
	var tmp []uint16
	var w workerScratch
	set := promptSet([]Prompt{Blur, Gray, Circle})
	b.Run("backdrop", func(b *testing.B) {
		for b.Loop() {
			renderBackdrop(img, set, grayWeights, &around, &tmp, 2)
		}
	})
	b.Run("prompt", func(b *testing.B) {
		for b.Loop() {
			renderPrompt(img, &around, mask, set, &prompted, &w.outliner)
		}
	})
	b.Run("crop224", func(b *testing.B) {
		for b.Loop() {
			centreCrop(img, 224, &dst, &w)
		}
	})
	b.Run("bicubic", func(b *testing.B) {
		for b.Loop() {
			w.resizer.resize(img, 656, 496, &dst, 2)
		}
	})
	heat, small := make([]float32, 640*480), make([]float32, 40*30)
	var s bilinearScratch
	b.Run("heat", func(b *testing.B) {
		for b.Loop() {
			resizeBilinear(small, 40, 30, heat, 640, 480, &s)
		}
	})
}

// BenchmarkLoop measures a stage and the refinement without the models, at 640x480
// with 4 texts.
func BenchmarkLoop(b *testing.B) {
	wd := newWorld()
	wd.w, wd.h = 640, 480
	preset := worldPreset()
	preset.Prompts = [][]Prompt{{Blur, Gray}}
	s := wd.segmenter(b, preset)
	ctx := context.Background()
	bank, err := s.EmbedQueries(ctx, named("dog", "cat", "cow", "pig"))
	if err != nil {
		b.Fatal(err)
	}
	img := wd.image()
	encoded, err := s.EncodeImage(ctx, img)
	if err != nil {
		b.Fatal(err)
	}
	var res Result
	b.Run("stage", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(encoded.vectors)
			out := &Outcome{bank: bank}
			p := &bank.passes[0]
			proposals, err := s.stage(ctx, encoded, bank, p, 1, p.members, bank.cam, nil)
			if err != nil {
				b.Fatal(err)
			}
			out.kept = append(out.kept, s.filter(bank, proposals))
			encoded.retain(out.kept...)
			encoded.retain()
		}
	})
	b.Run("refine", func(b *testing.B) {
		out, err := s.Step(ctx, encoded, bank, []int{0, 1})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := s.RefineInto(ctx, encoded, out, &res); err != nil {
				b.Fatal(err)
			}
		}
	})
}
