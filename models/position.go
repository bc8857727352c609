package models

import "github.com/carve-video/carve/internal/tensor"

// positions interpolates a trained table of position embeddings to a grid of rows×cols
// patches. table is (1+side²)×width: the row of CLS, which is copied, and then a square of
// patches, row by row. The result is (1+rows*cols)×width.
//
// As in the reference (docs/algorithm.md 3.2), the square is interpolated bilinearly with half-pixel
// centres and clamped neighbours, and the whole table is rounded to half precision, even if
// the grid is the trained one.
func positions(table []float32, width, rows, cols int) []float32 {
	side := 0
	for (side+1)*(side+1) <= len(table)/width-1 {
		side++
	}
	out := make([]float32, (1+rows*cols)*width)
	copy(out, table[:width])
	square := table[width:]
	ys, xs := taps(side, rows), taps(side, cols)
	for i, y := range ys {
		for j, x := range xs {
			to := out[(1+i*cols+j)*width:][:width]
			a := square[(y.low*side+x.low)*width:][:width]
			b := square[(y.low*side+x.high)*width:][:width]
			c := square[(y.high*side+x.low)*width:][:width]
			d := square[(y.high*side+x.high)*width:][:width]
			for k := range to {
				top := lerp(x.part, a[k], b[k])
				bottom := lerp(x.part, c[k], d[k])
				to[k] = lerp(y.part, top, bottom)
			}
		}
	}
	for i, v := range out {
		out[i] = tensor.FromFloat16(tensor.ToFloat16(v))
	}
	return out
}

// A tap is the position of an output: the two samples around it, and its distance from the
// lower one.
type tap struct {
	low, high int
	part      float32 // in [0, 1)
}

// taps computes the scale in single precision and everything from it in double, like
// PyTorch. The difference matters, because the rounding to half precision can amplify the
// last bits of a weight.
func taps(in, out int) []tap {
	scale := float64(float32(in) / float32(out))
	t := make([]tap, out)
	for i := range t {
		at := max(0, (float64(i)+0.5)*scale-0.5)
		low := min(int(at), in-1)
		t[i] = tap{low: low, high: min(low+1, in-1), part: float32(at - float64(low))}
	}
	return t
}

// lerp is (1-part) a + part b. The second product is rounded to float32 and the first one
// is not, as with a fused multiply-add. A product of two float32 is exact in float64.
func lerp(part, a, b float32) float32 {
	second := float32(part * b)
	return float32(float64(1-part)*float64(a) + float64(second))
}
