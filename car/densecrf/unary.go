package densecrf

import "math"

// Unary converts probabilities to energies: -log(clip(p, 1e-5, 1)), with an error of
// 1e-6. NaN counts as the smallest probability. The slices have the same length and may
// be the same.
func Unary(prob, dst []float32) {
	inner.unary(prob, dst[:len(prob)])
}

func unary(prob, dst []float32) {
	dst = dst[:len(prob)]
	for i, p := range prob {
		dst[i] = energy(p)
	}
}

// energy splits p into 2^k·(1+t) with 1+t from sqrt(1/2) to sqrt(2), where
// log(1+t) is t - t²/2 + t³·P(t) with the polynomial P of Cephes' logf.
func energy(p float32) float32 {
	p = larger(p, 1e-5)
	if !(p < 1) {
		p = 1
	}
	const half = 0x3f3504f3 // the bits of sqrt(1/2)
	k := int32(math.Float32bits(p)-half) >> 23
	t := math.Float32frombits(math.Float32bits(p)-uint32(k)<<23) - 1
	e := float32(7.0376836292e-2)
	e = float32(e*t) - 1.1514610310e-1
	e = float32(e*t) + 1.1676998740e-1
	e = float32(e*t) - 1.2420140846e-1
	e = float32(e*t) + 1.4249322787e-1
	e = float32(e*t) - 1.6668057665e-1
	e = float32(e*t) + 2.0000714765e-1
	e = float32(e*t) - 2.4999993993e-1
	e = float32(e*t) + 3.3333331174e-1
	square := float32(t * t)
	e = float32(float32(e*t) * square)
	e += float32(float32(k) * ln2Lo)
	e -= float32(0.5 * square)
	e += t
	return 0 - (e + float32(float32(k)*ln2Hi)) // not -0 for 1
}
