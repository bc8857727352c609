package densecrf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/cpu"
)

// sameBits compares two slices; any NaN equals any other.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
			t.Fatalf("%s: value %d is %v, in plain Go %v", what, i, got[i], want[i])
		}
	}
}

// with calls f with other inner loops.
func with(l loops, f func()) {
	defer func(old loops) { inner = old }(inner)
	inner = l
	f()
}

// TestVector: vector instructions must not change a single bit of the result.
func TestVector(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("this processor has no AVX2")
	}
	for _, size := range [][2]int{{1, 1}, {1, 9}, {13, 1}, {2, 2}, {19, 15}, {61, 53}, {700, 2}} {
		w, h := size[0], size[1]
		for lanes := 1; lanes <= 37; lanes++ {
			if w*h > 1000 && lanes%8 > 1 && lanes != 20 {
				continue
			}
			for _, pairs := range []bool{false, true} {
				labels := lanes + 1
				if pairs {
					labels = 2 * lanes
				}
				rgb, unary := noise(uint64(lanes), w, h, labels)
				p := params(2)
				p.Iterations = 2
				var out [2][]float32
				for i, l := range []loops{plain, avx2} {
					with(l, func() {
						out[i] = make([]float32, len(unary))
						c := field(w, h, rgb, p)
						if pairs {
							c.InferEach(background, unary, lanes, out[i])
						} else {
							c.Infer(background, unary, labels, out[i])
						}
					})
				}
				sameBits(t, fmt.Sprintf("%d×%d, %d lanes, pairs %v", w, h, lanes, pairs), out[1], out[0])
			}
		}
	}
}

// TestVectorExtremes checks the loops over energies at values that are rare in images.
func TestVectorExtremes(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("this processor has no AVX2")
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, -86.99, -87, -87.01, -1e30, 1e30, inf, -inf, nan,
		math.MaxFloat32, math.SmallestNonzeroFloat32, 0.70710677, 0.7071068, 1e-5}
	r := rand.New(rand.NewPCG(6, 7))
	value := func() float32 {
		if r.IntN(4) == 0 {
			return special[r.IntN(len(special))]
		}
		return (r.Float32() - 0.7) * 100
	}
	fill := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = value()
		}
		return s
	}
	clone := func(s []float32) []float32 { return append([]float32(nil), s...) }
	for n := 1; n < 70; n++ {
		type state struct{ q, rest, top, sum []float32 }
		var got [2]state
		from := state{fill(16 * n), fill(n), fill(n), fill(n)}
		for i, l := range []loops{plain, avx2} {
			s := state{clone(from.q), clone(from.rest), clone(from.top), clone(from.sum)}
			l.expRest(s.rest, s.top, s.sum)
			for _, width := range []int{1, 4, 8, 16} {
				l.expLanes(width, s.q, s.top, s.sum, n/3, n)
			}
			l.invertSums(s.rest, s.sum)
			for _, width := range []int{1, 4, 8, 16} {
				l.scaleLanes(width, s.q, s.sum, n/3, n)
			}
			got[i] = s
		}
		sameBits(t, "softmax", got[1].q, got[0].q)
		sameBits(t, "softmax, first label", got[1].rest, got[0].rest)
		sameBits(t, "softmax, sum", got[1].sum, got[0].sum)
		for i, l := range []loops{plain, avx2} {
			got[i].q, got[i].rest = clone(from.q), clone(from.rest)
			l.logistic(got[i].q)
			l.unary(got[i].rest, got[i].rest)
		}
		sameBits(t, "logistic", got[1].q, got[0].q)
		sameBits(t, "unary", got[1].rest, got[0].rest)
	}
}
