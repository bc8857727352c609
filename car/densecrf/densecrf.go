// Package densecrf fits soft label maps to the edges of an image, with a fully
// connected conditional random field with Gaussian edge potentials and mean-field
// inference (Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with
// Gaussian Edge Potentials", 2011).
//
// # Algorithm
//
// Every pixel is connected to every other by two kernels: one of distance alone,
// which removes specks, and a bilateral one of distance and colour, which moves
// outlines to the edges of the image. With U the unary energies, Q the marginals and
// Potts compatibilities, the iteration is that of docs/algorithm.md 6.1:
//
//	Q = softmax(-U)
//	repeat: E = -U + Σ_k compat_k · n_k · K_k(n_k · Q);  Q = softmax(E)
//
// After four to six iterations few labels change any more, see [Params.Settled].
//
// K_k is the permutohedral lattice filter of kernel k (Adams, Baek and Davis,
// "Fast High-Dimensional Filtering Using the Permutohedral Lattice", 2010) and
// n_k = 1/sqrt(K_k(1) + 1e-20) normalises it symmetrically.
//
// # Performance
//
// The lattice depends on the image only. It is built once, together with the
// neighbours of every vertex and the list of pixels that contribute to it. Splatting
// is then a gather, and splat, blur and slice run in parallel over vertices or pixels
// without locks. The order of every sum is fixed, so the result does not depend on the
// number of threads. Labels are interleaved in blocks of 1, 4, 8 or 16. Since the
// marginals of a pixel sum to one, the first label is never filtered: two labels need
// one channel, and independent fields of two labels share blocks like labels.
//
// The inner loops exist twice: in Go, and in assembly for processors with AVX2, where
// a row of a block is one or two registers. Both do the same operations in the same
// order, so the result does not depend on which of them runs. The lattice of distance
// alone has its vertices in the order of the pixels, so that its blurs can follow each
// other closely and find their values in the cache.
package densecrf

import "fmt"

// Params are the constants of the two kernels and the number of iterations.
type Params struct {
	// Iterations of mean field, at least 0.
	Iterations int

	// Settled ends the iteration of a field early: the next iteration is the last one if in
	// this one the label of so few pixels changed, as a share of the pixels that have another
	// label than the first. 0 never ends it early; then the result is that of the paper.
	Settled float32

	// GaussianSXY is the standard deviation, in pixels, of the kernel of
	// distance alone, GaussianCompat its Potts weight.
	GaussianSXY, GaussianCompat float32

	// BilateralSXY (pixels) and BilateralSRGB (8-bit sample values) are the
	// standard deviations of the kernel of distance and colour,
	// BilateralCompat its Potts weight.
	BilateralSXY, BilateralSRGB, BilateralCompat float32

	// Threads is how many goroutines an inference may use, itself included;
	// 0 stands for runtime.GOMAXPROCS. The result does not depend on it.
	Threads int
}

// minDeviation is the smallest standard deviation. Below half a pixel, or half a level,
// no point has a neighbour, and the coordinates of the lattice overflow 16 bits.
const minDeviation = 0.5

// The largest values of parameters. Marginals converge long before so many iterations,
// no image is as wide as so large a deviation, and with a larger weight the unary
// energies would be lost to the rounding of float32.
const (
	maxIterations = 1000
	maxThreads    = 1024
	maxDeviation  = 1 << 20
	maxCompat     = 1 << 20
)

// Check returns an error if a parameter is out of range.
func (p Params) Check() error {
	if p.Iterations < 0 || p.Iterations > maxIterations {
		return fmt.Errorf("crf: iterations is %d, which is not between 0 and %d", p.Iterations, maxIterations)
	}
	if p.Threads < 0 || p.Threads > maxThreads {
		return fmt.Errorf("crf: threads is %d, which is not between 0 and %d", p.Threads, maxThreads)
	}
	if !(p.Settled >= 0 && p.Settled <= 1) {
		return fmt.Errorf("crf: settled is %g, which is not between 0 and 1", p.Settled)
	}
	for _, v := range []struct {
		name  string
		value float32
	}{{"gaussian_sxy", p.GaussianSXY}, {"bilateral_sxy", p.BilateralSXY}, {"bilateral_srgb", p.BilateralSRGB}} {
		if !(v.value >= minDeviation && v.value <= maxDeviation) {
			return fmt.Errorf("crf: %s is %g, which is not between %g and %d", v.name, v.value, float64(minDeviation), maxDeviation)
		}
	}
	for _, v := range []struct {
		name  string
		value float32
	}{{"gaussian_compat", p.GaussianCompat}, {"bilateral_compat", p.BilateralCompat}} {
		if !(v.value >= 0 && v.value <= maxCompat) {
			return fmt.Errorf("crf: %s is %g, which is not between 0 and %d", v.name, v.value, maxCompat)
		}
	}
	return nil
}

// Reference returns the constants of the published CaR (docs/algorithm.md 6.1).
func Reference() Params {
	return Params{
		Iterations:  10,
		GaussianSXY: 1, GaussianCompat: 3,
		BilateralSXY: 67, BilateralSRGB: 3, BilateralCompat: 4,
	}
}
