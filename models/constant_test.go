package models

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTranspose(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 7}, {33, 65}, {64, 31}} {
		v := make([]float32, s[0]*s[1])
		for i := range v {
			v[i] = float32(i)
		}
		got := transpose(v, s[0], s[1])
		for r := range s[0] {
			for c := range s[1] {
				if got[c*s[0]+r] != v[r*s[1]+c] {
					t.Fatalf("%dx%d: row %d, column %d", s[0], s[1], r, c)
				}
			}
		}
		if !slices.Equal(transpose(got, s[1], s[0]), v) {
			t.Errorf("%dx%d: transposed twice it is another matrix", s[0], s[1])
		}
	}
}

// TestQuantize: each column has its own scale, and the error is at most half a step.
func TestQuantize(t *testing.T) {
	const rows, cols = 50, 4
	rng := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = float32(rng.NormFloat64()) * []float32{1, 100, 1e-6, 0}[i%cols]
	}
	numbers, scales := quantize(v, cols)
	if len(numbers) != len(v) || len(scales) != 4*cols {
		t.Fatalf("%d numbers, %d bytes of scales", len(numbers), len(scales))
	}
	largest := make([]int, cols)
	for i, x := range v {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[4*(i%cols):]))
		q := int(int8(numbers[i]))
		largest[i%cols] = max(largest[i%cols], max(q, -q))
		if d := math.Abs(float64(x) - float64(scale)*float64(q)); d > float64(scale)*0.501 {
			t.Fatalf("%v becomes %d steps of %v", x, q, scale)
		}
	}
	r := int(weightRange())
	if !slices.Equal(largest, []int{r, r, r, 0}) {
		t.Errorf("the largest of each column are %v, want %d", largest, r)
	}
}
