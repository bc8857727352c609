package car

import (
	"context"

	"github.com/carve-video/carve/internal/parallel"
)

// affinity spreads heat between patches that attend to each other (class-aware
// attention affinity, docs/algorithm.md 3.6). It depends on the image alone.
type affinity struct {
	n int
	// s is S = (D + Dᵀ)/2, n×n, with D the mean attention after three rounds
	// of Sinkhorn normalisation. The paper's A is S·S; it is never formed: A·x
	// is S·(S·x).
	s       []float32
	threads int

	row, col     []float64
	partial      [][]float64
	intermediate []float32
}

// sinkhornRounds is the number of rounds in which columns and then rows are
// normalised.
const sinkhornRounds = 3

// build computes S from the mean attention, n×n.
//
// Normalising rows and columns multiplies D by one factor per row and one per
// column. Only the factors are iterated, in float64; the matrix is written once, at
// the end. The error is the context's.
func (a *affinity) build(ctx context.Context, attention []float32, n, threads int) error {
	a.n, a.threads = n, max(threads, 1)
	if cap(a.s) < n*n {
		a.s = make([]float32, n*n)
	}
	a.s = a.s[:n*n]
	if cap(a.row) < n {
		a.row, a.col = make([]float64, n), make([]float64, n)
	}
	a.row, a.col = a.row[:n], a.col[:n]
	for len(a.partial) < a.threads {
		a.partial = append(a.partial, nil)
	}
	for i := range n {
		a.row[i], a.col[i] = 1, 1
	}
	for range sinkhornRounds {
		a.normaliseColumns(ctx, attention)
		parallel.Do(a.threads, n, func(_, from, to int) {
			for i := from; i < to && ctx.Err() == nil; i++ {
				sum := 0.0
				for j, v := range attention[i*n : (i+1)*n] {
					sum += float64(v) * a.col[j]
				}
				a.row[i] = 1 / sum
			}
		})
	}
	// Tiles keep the transposed reads in the cache.
	const tile = 64
	parallel.Do(a.threads, (n+tile-1)/tile, func(_, from, to int) {
		for ti := from * tile; ti < min(to*tile, n) && ctx.Err() == nil; ti += tile {
			for tj := 0; tj < n; tj += tile {
				for i := ti; i < min(ti+tile, n); i++ {
					for j := tj; j < min(tj+tile, n); j++ {
						a.s[i*n+j] = float32((float64(attention[i*n+j])*a.row[i]*a.col[j] + float64(attention[j*n+i])*a.row[j]*a.col[i]) / 2)
					}
				}
			}
		}
	})
	return ctx.Err()
}

func (a *affinity) normaliseColumns(ctx context.Context, attention []float32) {
	n := a.n
	parallel.Do(a.threads, n, func(worker, from, to int) {
		if cap(a.partial[worker]) < n {
			a.partial[worker] = make([]float64, n)
		}
		sum := a.partial[worker][:n]
		clear(sum)
		for i := from; i < to && ctx.Err() == nil; i++ {
			r := a.row[i]
			for j, v := range attention[i*n : (i+1)*n] {
				sum[j] += float64(v) * r
			}
		}
	})
	for j := range a.col {
		sum := 0.0
		for _, p := range a.partial[:min(a.threads, n)] {
			sum += p[j]
		}
		a.col[j] = 1 / sum
	}
}

// apply replaces each of k heat maps x of n patches by A·x. The error is the
// context's.
func (a *affinity) apply(ctx context.Context, x []float32, k int) error {
	if cap(a.intermediate) < len(x) {
		a.intermediate = make([]float32, len(x))
	}
	a.multiply(ctx, x, a.intermediate[:len(x)], k)
	a.multiply(ctx, a.intermediate[:len(x)], x, k)
	return ctx.Err()
}

// multiply sets y = S·x for k vectors, one after the other. A row of S is read
// once for all of them.
func (a *affinity) multiply(ctx context.Context, x, y []float32, k int) {
	n := a.n
	parallel.Do(a.threads, n, func(_, from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			row := a.s[i*n : (i+1)*n]
			for v := range k {
				y[v*n+i] = dot(row, x[v*n:(v+1)*n])
			}
		}
	})
}

// dot is the inner product, in eight partial sums that do not depend on each other,
// so that the processor can compute them in parallel.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		s4 += x[4] * y[4]
		s5 += x[5] * y[5]
		s6 += x[6] * y[6]
		s7 += x[7] * y[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3) + ((s4 + s5) + (s6 + s7))
}
