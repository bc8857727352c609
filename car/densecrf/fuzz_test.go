package densecrf

import (
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzInfer checks that no input panics, and that marginals are probabilities if all
// energies are finite.
func FuzzInfer(f *testing.F) {
	const (
		masks    = iota // probabilities 0 and 1
		empty           // all 0
		full            // all 1
		soft            // anything from 0 to 1
		energies        // of either sign, some very large
		infinite        // some infinite
		nan             // some NaN
		kinds
	)
	for kind := range uint8(kinds) {
		f.Add(uint64(kind), uint16(37), uint16(21), uint8(kind*5), kind, uint8(2), false)
		f.Add(uint64(kind), uint16(9), uint16(14), uint8(kind*3), kind, uint8(1), true)
	}
	for _, size := range [][2]uint16{{1, 1}, {1, 50}, {50, 1}, {2, 2}, {3, 1}, {2000, 1}, {1, 2000}, {1999, 2}, {5, 700}} {
		for _, labels := range []uint8{2, 3, 5, 9, 21, 40} {
			f.Add(uint64(labels), size[0], size[1], labels, uint8(soft), uint8(3), false)
		}
		f.Add(uint64(7), size[0], size[1], uint8(6), uint8(masks), uint8(2), true)
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height uint16, many, kind, threads uint8, each bool) {
		w, h := max(1, int(width)), max(1, int(height))
		if w > 4000 || h > 4000 || w*h > 20000 {
			t.Skip()
		}
		labels := 2 + int(many)%39
		n := w * h
		planes := labels
		if each {
			planes = 2 * labels
		}
		r := rand.New(rand.NewPCG(seed, 2))
		rgb := make([]uint8, 3*n)
		level := 1 + r.IntN(256) // from flat to noise
		for i := range rgb {
			rgb[i] = uint8(r.IntN(level))
		}
		unary := make([]float32, planes*n)
		finite := true
		for i := range unary {
			switch kind % kinds {
			case masks:
				unary[i] = float32(r.IntN(2))
			case empty:
			case full:
				unary[i] = 1
			case soft:
				unary[i] = r.Float32()
			default:
				unary[i] = (r.Float32() - 0.5) * float32(math.Pow(10, float64(r.IntN(38))))
			}
			if r.IntN(50) == 0 {
				switch kind % kinds {
				case infinite:
					unary[i] = float32(math.Inf(r.IntN(2)*2 - 1))
					finite = false
				case nan:
					unary[i] = float32(math.NaN())
					finite = false
				}
			}
		}
		if kind%kinds <= soft {
			Unary(unary, unary)
		}
		p := params(1 + int(threads)%4)
		p.Iterations = 1 + int(seed%3)
		c := field(w, h, rgb, p)
		step := planes
		if each {
			c.InferEach(background, unary, labels, unary)
			step = 2
		} else {
			c.Infer(background, unary, labels, unary)
		}
		if !finite {
			return
		}
		for first := 0; first < planes; first += step {
			for p := range n {
				var sum float64
				for l := first; l < first+step; l++ {
					q := unary[l*n+p]
					if !(q >= 0 && q <= 1) {
						t.Fatalf("%d×%d, %d labels: marginal %v", w, h, labels, q)
					}
					sum += float64(q)
				}
				if math.Abs(sum-1) > 1e-4 {
					t.Fatalf("%d×%d, %d labels: marginals sum to %v", w, h, labels, sum)
				}
			}
		}
	})
}
