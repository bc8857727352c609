package car

import "math"

// resizeBilinear resizes a map of sw×sh values to dw×dh like OpenCV: half-pixel
// centres, the border replicated, float32 (docs/algorithm.md 3.6).
func resizeBilinear(src []float32, sw, sh int, dst []float32, dw, dh int, s *bilinearScratch) {
	s.prepare(sw, dw)
	if cap(s.rows) < 2*dw {
		s.rows = make([]float32, 2*dw)
	}
	row := [2][]float32{s.rows[:dw], s.rows[dw : 2*dw]}
	have := [2]int{-1, -1}
	scale := float64(sh) / float64(dh)
	for y := range dh {
		y0, f := bilinearPosition(y, scale, sh)
		y1 := min(y0+1, sh-1)
		for i, want := range [2]int{y0, y1} {
			if have[i] == want {
				continue
			}
			if i == 0 && have[1] == want { // the previous lower row is now the upper one
				row[0], row[1] = row[1], row[0]
				have[0], have[1] = have[1], have[0]
				continue
			}
			line := src[want*sw : (want+1)*sw]
			out := row[i]
			for x := range out {
				a := s.from[x]
				b := min(a+1, sw-1)
				g := s.frac[x]
				out[x] = line[a]*(1-g) + line[b]*g
			}
			have[i] = want
		}
		out, top, bottom := dst[y*dw:(y+1)*dw], row[0], row[1]
		for x := range out {
			out[x] = top[x]*(1-f) + bottom[x]*f
		}
	}
}

// bilinearScratch is memory that resizeBilinear reuses.
type bilinearScratch struct {
	sw, dw int
	from   []int
	frac   []float32
	rows   []float32
}

func (s *bilinearScratch) prepare(sw, dw int) {
	if s.sw == sw && s.dw == dw {
		return
	}
	s.sw, s.dw = sw, dw
	s.from, s.frac = make([]int, dw), make([]float32, dw)
	scale := float64(sw) / float64(dw)
	for x := range dw {
		s.from[x], s.frac[x] = bilinearPosition(x, scale, sw)
	}
}

func bilinearPosition(i int, scale float64, n int) (from int, frac float32) {
	f := float32((float64(i)+0.5)*scale - 0.5)
	from = int(f)
	if f < 0 {
		return 0, 0
	}
	if from >= n-1 {
		return n - 1, 0
	}
	return from, f - float32(from)
}

// orResized sets the pixels of dst that a mask of zeros and ones covers after
// OpenCV's 8-bit bilinear resize to dw×dh. Its arithmetic is coarser than float32:
// weights have 11 fraction bits, and the last bits of each row's share are dropped
// before the two are added.
func orResized(dst []uint8, dw, dh int, mask []uint8, sw, sh int) {
	const one = 1 << 11
	position := func(i int, scale float64) (from int, a, b int32) {
		f := float32((float64(i)+0.5)*scale - 0.5)
		whole := float32(math.Floor(float64(f)))
		f -= whole
		return int(whole), int32(math.RoundToEven(float64((1 - f) * one))), int32(math.RoundToEven(float64(f * one)))
	}
	line := func(y, x0 int, a, b int32) int32 {
		row := mask[min(max(y, 0), sh-1)*sw:]
		if x0 < 0 {
			x0, a, b = 0, one, 0
		}
		if x0 >= sw-1 {
			return one * int32(row[sw-1])
		}
		return a*int32(row[x0]) + b*int32(row[x0+1])
	}
	for y := range dh {
		y0, top, bottom := position(y, float64(sh)/float64(dh))
		for x := range dw {
			x0, a, b := position(x, float64(sw)/float64(dw))
			if v := top*(line(y0, x0, a, b)>>4)>>16 + bottom*(line(y0+1, x0, a, b)>>4)>>16; (v+2)>>2 > 0 {
				dst[y*dw+x] = 1
			}
		}
	}
}

// stretch is min-max normalisation: (v - min) / (1e-15 + max(v - min)), in
// place (docs/algorithm.md 3.5; the epsilon is the reference's).
func stretch(v []float32) {
	if len(v) == 0 {
		return
	}
	low, high := v[0], v[0]
	for _, x := range v {
		low, high = min(low, x), max(high, x)
	}
	one := 1e-15 + (high - low)
	for i := range v {
		v[i] = (v[i] - low) / one
	}
}
