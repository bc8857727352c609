package shape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFeatherIsGaussian compares the ramp at a straight edge with the integral of the
// Gaussian, in both directions.
func TestFeatherIsGaussian(t *testing.T) {
	const n = 400
	for _, feather := range []float64{0.5, 1, 2, 3, 5, 8, 13.7, 40, 101.3, 150} {
		across, down := make([]uint8, n*3), make([]uint8, n*3)
		for i := n / 2; i < n; i++ {
			for k := range 3 {
				across[k*n+i], down[i*3+k] = 255, 255
			}
		}
		across = apply(t, Options{Feather: feather}, across, n, 3)
		down = apply(t, Options{Feather: feather}, down, 3, n)
		sigma, worst := feather/6, 0.0
		for i := range n {
			if across[n+i] != down[i*3+1] {
				t.Fatalf("feather %g: %d across and %d down", feather, across[n+i], down[i*3+1])
			}
			// The edge is between two pixels. The variance of the filter is a sum over
			// pixels, and so has no share for their width.
			d := float64(i-n/2) + 0.5
			want := 255 * (1 + math.Erf(d/sigma/math.Sqrt2)) / 2
			if got := float64(across[n+i]); sigma >= 1 {
				worst = max(worst, math.Abs(got-want))
			}
			if math.Abs(d) > feather/2+2 && across[n+i] != uint8(255*(1+math.Copysign(1, d))/2) {
				t.Errorf("feather %g: %d at %g pixels from the edge", feather, across[n+i], d)
			}
		}
		if worst > 5 {
			t.Errorf("feather %g: up to %.1f from the Gaussian", feather, worst)
		}
	}
}

// TestFeatherWidth: a larger feather makes a softer edge, from the smallest on, and the
// variance of the kernel is what it should be.
func TestFeatherWidth(t *testing.T) {
	const n = 301
	edge := make([]uint8, n)
	copy(edge[n/2:], slices.Repeat([]uint8{255}, n))
	last := 256
	for feather := 1.0; feather < 200; feather *= 1.3 {
		got := int(apply(t, Options{Feather: feather}, edge, n, 1)[n/2])
		if got > last || got < 127 {
			t.Errorf("feather %g: %d at the edge, %d with a smaller one", feather, got, last)
		}
		last = got
		k := newKernel(feather)
		variance := 2 * float64(k.outer) * float64(k.half+1) * float64(k.half+1)
		for i := range k.half + 1 {
			variance += 2 * float64(k.inner) * float64(i*i)
		}
		if got, want := boxes*variance/(1<<32), feather*feather/36; math.Abs(got/want-1) > 1e-4 {
			t.Errorf("feather %g: variance %g, want %g", feather, got, want)
		}
		if sum := uint64(2*k.half+1)*k.inner + 2*k.outer; sum != 1<<32 && sum != 1<<32-1 {
			t.Errorf("feather %g: weights of %d", feather, sum)
		}
	}
}

// TestFeatherAtBorder: a mask that touches the border keeps its value there, and the
// blur changes the area of a mask inside by little.
func TestFeatherAtBorder(t *testing.T) {
	const w, h = 90, 50
	mask := make([]uint8, w*h)
	for y := range h {
		for x := range w / 2 {
			mask[y*w+x] = 255
		}
	}
	got := apply(t, Options{Feather: 20}, mask, w, h)
	for y := range h {
		if !slices.Equal(got[y*w:(y+1)*w], got[:w]) || got[y*w] != 255 {
			t.Fatalf("row %d differs from the first, or fades: %d", y, got[y*w:(y+1)*w])
		}
	}

	random := rand.New(rand.NewPCG(17, 18))
	mask = make([]uint8, w*h)
	before, after := 0, 0
	for y := 15; y < h-15; y++ {
		for x := 15; x < w-15; x++ {
			mask[y*w+x] = uint8(random.IntN(256))
			before += int(mask[y*w+x])
		}
	}
	for _, p := range apply(t, Options{Feather: 20, Soft: true}, mask, w, h) {
		after += int(p)
	}
	if d := before - after; max(d, -d) > w*h/20 {
		t.Errorf("the mask adds up to %d, and %d before", after, before)
	}
}
