package matte

import (
	"bytes"
	"image"
	"math"
	"slices"
	"testing"
)

// scene is a bright disc on a dark ground at full size, and its soft, blocky mask as a
// model gives it at an eighth of that.
func scene(w, h, scale int) (luma []byte, inside []bool, mask []float32) {
	luma, inside = make([]byte, w*h), make([]bool, w*h)
	cx, cy, r := float64(w)/2, float64(h)/2, float64(h)/3
	for y := range h {
		for x := range w {
			in := math.Hypot(float64(x)-cx, float64(y)-cy) < r
			inside[y*w+x] = in
			luma[y*w+x] = byte(40 + (x*7+y*3)%9)
			if in {
				luma[y*w+x] = byte(190 + (x*5+y*11)%9)
			}
		}
	}
	lw, lh := w/scale, h/scale
	mask = make([]float32, lw*lh)
	for y := range lh {
		for x := range lw {
			if inside[(y*scale+scale/2)*w+x*scale+scale/2] {
				mask[y*lw+x] = 1
			}
		}
	}
	return luma, inside, mask
}

// TestFollowsEdges: the enlarged mask is much nearer to the truth than one with
// repeated pixels.
func TestFollowsEdges(t *testing.T) {
	const w, h, scale = 960, 544, 8
	luma, inside, mask := scene(w, h, scale)
	e := New(w, h, w/scale, h/scale)
	e.Guide(luma, w)
	dst := make([]uint8, w*h)
	e.Enlarge(mask, dst)
	wrong, stairs := 0, 0
	for i, in := range inside {
		x, y := i%w, i/w
		if (dst[i] >= 128) != in {
			wrong++
		}
		if (mask[y/scale*(w/scale)+x/scale] >= 0.5) != in {
			stairs++
		}
	}
	if wrong*8 > stairs {
		t.Errorf("%d pixels on the wrong side, %d when pixels are repeated", wrong, stairs)
	}
	for i, in := range inside {
		d := math.Hypot(float64(i%w)-w/2, float64(i/w)-h/2) - h/3.0
		if math.Abs(d) < 60 {
			continue
		}
		want := uint8(0)
		if in {
			want = 255
		}
		if dst[i] != want {
			t.Fatalf("%g pixels from the edge the mask is %d, want exactly %d", d, dst[i], want)
		}
	}
}

// TestFlat: empty and full masks give exact values on any image.
func TestFlat(t *testing.T) {
	luma, _, _ := scene(123, 77, 7)
	for _, v := range []float32{0, 1} {
		e := New(123, 77, 17, 11)
		e.Guide(luma, 123)
		mask := make([]float32, 17*11)
		for i := range mask {
			mask[i] = v
		}
		dst := make([]uint8, 123*77)
		e.Enlarge(mask, dst)
		for i, got := range dst {
			if got != uint8(255*v) {
				t.Fatalf("a mask of %g came out %d at %d", v, got, i)
			}
		}
	}
}

// TestSizes covers masks of the image's size, larger ones and single pixels.
func TestSizes(t *testing.T) {
	for _, s := range [][4]int{{20, 10, 20, 10}, {20, 10, 40, 20}, {5, 5, 1, 1}, {1, 1, 1, 1}, {9, 1, 3, 1}, {1, 9, 1, 3}} {
		e := New(s[0], s[1], s[2], s[3])
		luma := make([]byte, s[0]*s[1])
		e.Guide(luma, s[0])
		mask := make([]float32, s[2]*s[3])
		for i := range mask {
			mask[i] = 1
		}
		dst := make([]uint8, s[0]*s[1])
		e.Enlarge(mask, dst)
		for i, v := range dst {
			if v != 255 {
				t.Errorf("%v: value %d is %d, want 255", s, i, v)
			}
		}
	}
}

func TestShare(t *testing.T) {
	a, b, c := []uint8{255, 100, 200, 0}, []uint8{255, 100, 100, 7}, []uint8{0, 0, 0, 9}
	pixel := func(x int) image.Rectangle { return image.Rect(x, 0, x+1, 1) }
	Share([]Mask{{a, image.Rect(0, 0, 3, 1)}, {b, image.Rect(0, 0, 4, 1)}, {c, pixel(3)}}, 4, 2)
	for i, want := range [][3]uint8{{127, 127}, {100, 100}, {170, 85}, {0, 7, 9}} {
		if a[i] != want[0] || b[i] != want[1] || c[i] != want[2] {
			t.Errorf("pixel %d is shared %d:%d:%d, want %d", i, a[i], b[i], c[i], want)
		}
	}
}

// The result is the same for any number of threads.
func TestThreads(t *testing.T) {
	const w, h, scale = 323, 181, 5
	luma, _, mask := scene(w, h, scale)
	enlarge := func(threads int) []byte {
		e := New(w, h, w/scale, h/scale)
		e.Threads = threads
		e.Guide(luma, w)
		dst := make([]uint8, w*h)
		e.Enlarge(mask, dst)
		clear(dst)
		e.Enlarge(mask, dst) // with memory that has been used
		return dst
	}
	want := enlarge(0)
	for _, threads := range []int{2, 3, 7, 500} {
		if !bytes.Equal(enlarge(threads), want) {
			t.Errorf("on %d threads the mask is another", threads)
		}
	}
}

// TestRows: pixels that are decided at once by the columns of the mask beside them have the
// values that they have one by one.
func TestRows(t *testing.T) {
	for _, s := range [][4]int{{640, 360, 80, 45}, {333, 101, 50, 17}, {64, 48, 90, 70}, {31, 9, 1, 1}} {
		w, h, lw, lh := s[0], s[1], s[2], s[3]
		luma, _, _ := scene(w, h, 3)
		const gap = 5 // between rows
		var apart []byte
		for y := range h {
			apart = append(append(apart, luma[y*w:(y+1)*w]...), make([]byte, gap)...)
		}
		mask := make([]float32, lw*lh)
		for i := range mask {
			d := math.Hypot(float64(i%lw)-float64(lw)/2, float64(i/lw)-float64(lh)/3) - float64(lh)/4
			mask[i] = float32(1 / (1 + math.Exp(d)))
		}
		e := New(w, h, lw, lh)
		e.Guide(apart, w+gap)
		dst := make([]uint8, w*h)
		e.Enlarge(mask, dst)
		kinds := make(map[uint8]int)
		for y := range h {
			j, f := position(y, h, lh)
			next := min(j+1, lh-1)
			for x := range w {
				i, g := position(x, w, lw)
				k := min(i+1, lw-1)
				at := func(c []float32, x int) float32 { return c[j*lw+x] + (c[next*lw+x]-c[j*lw+x])*f }
				a, b := at(e.a, i)+(at(e.a, k)-at(e.a, i))*g, at(e.b, i)+(at(e.b, k)-at(e.b, i))*g
				want := quantise(a*float32(luma[y*w+x])*(1.0/255) + b)
				set := func(b *bitmap) bool { return b.row(j)[i/64]>>(i%64)&1 != 0 }
				if !set(e.band.not0) {
					want = 0
				} else if !set(e.band.not1) {
					want = 255
				}
				if d := int(dst[y*w+x]) - int(want); d < -1 || d > 1 { // float32 may round otherwise
					t.Fatalf("%v: pixel %d,%d is %d, want %d", s, x, y, dst[y*w+x], want)
				}
				kinds[want]++
			}
		}
		if w > 100 && (kinds[0] == 0 || kinds[255] == 0 || len(kinds) < 10) {
			t.Errorf("%v: there are pixels of %d values", s, len(kinds))
		}
	}
}

// TestFormula: masks are those of the guided filter, computed one window at a time all over
// the image, for masks in the middle, at the border and everywhere, soft and nearly hard.
func TestFormula(t *testing.T) {
	const w, h, lw, lh = 120, 90, 40, 30
	luma, _, _ := scene(w, h, 3)
	e := New(w, h, lw, lh)
	e.Guide(luma, w)
	mean := func(at func(i int) float64) []float64 {
		out := make([]float64, lw*lh)
		for y := range lh {
			for x := range lw {
				sum, n := 0., 0.
				for v := max(y-radius, 0); v <= min(y+radius, lh-1); v++ {
					for u := max(x-radius, 0); u <= min(x+radius, lw-1); u++ {
						sum, n = sum+at(v*lw+u), n+1
					}
				}
				out[y*lw+x] = sum / n
			}
		}
		return out
	}
	guide := func(i int) float64 {
		sum := 0.
		for v := range 3 {
			for u := range 3 {
				sum += float64(luma[(i/lw*3+v)*w+i%lw*3+u])
			}
		}
		return sum / 9 / 255
	}
	for _, r := range []image.Rectangle{image.Rect(15, 10, 25, 20), image.Rect(0, 0, 5, 4), image.Rect(33, 20, 40, 30), image.Rect(0, 0, lw, lh), image.Rect(20, 14, 21, 15), image.Rect(4, 3, 36, 27)} {
		for _, hard := range []bool{false, true} {
			mask := make([]float32, lw*lh)
			for i := range mask {
				in := image.Pt(i%lw, i/lw).In(r)
				switch n := float32((i%lw*7 + i/lw*5) % 9); {
				case hard && in:
					mask[i] = 1 - n*nearly/8
				case hard:
					mask[i] = n * nearly / 8
				case in:
					mask[i] = (1 + n) / 9
				}
			}
			dst := make([]uint8, w*h)
			extent := e.Enlarge(mask, dst)
			p := func(i int) float64 { return float64(mask[i]) }
			ip, i1, i2, p1 := mean(func(i int) float64 { return guide(i) * p(i) }), mean(guide), mean(func(i int) float64 { return guide(i) * guide(i) }), mean(p)
			slope := func(i int) float64 { return (ip[i] - i1[i]*p1[i]) / (i2[i] - i1[i]*i1[i] + epsilon) }
			a, b := mean(slope), mean(func(i int) float64 { return p1[i] - slope(i)*i1[i] })
			for i, got := range dst {
				x, y := i%w, i/w
				col, fx := position(x, w, lw)
				row, fy := position(y, h, lh)
				at := func(c []float64) float64 {
					k := row*lw + col
					return (c[k]*(1-float64(fx))+c[k+1]*float64(fx))*(1-float64(fy)) + (c[k+lw]*(1-float64(fx))+c[k+lw+1]*float64(fx))*float64(fy)
				}
				want := quantise(float32(at(a)*float64(luma[i])/255 + at(b)))
				if d := int(got) - int(want); d < -1 || d > 1 {
					t.Fatalf("%v: pixel %d,%d is %d, want %d", r, x, y, got, want)
				}
				if got != 0 && !image.Pt(x, y).In(extent) {
					t.Fatalf("%v: pixel %d,%d lies outside of %v", r, x, y, extent)
				}
			}
		}
	}
	if extent := e.Enlarge(make([]float32, lw*lh), make([]uint8, w*h)); !extent.Empty() {
		t.Errorf("an empty mask has the extent %v when it is enlarged", extent)
	}
}

// TestSumColumns: sums are exact for few and for many rows, of any length.
func TestSumColumns(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {7, 3}, {8, 256}, {8, 257}, {27, 5}, {64, 300}} {
		w, n := s[0], s[1]
		rows, want, sums := make([]byte, w*n), make([]uint32, w), make([]uint32, w)
		for i := range rows {
			rows[i] = byte(255 - i%5*i%3)
			want[i%w] += uint32(rows[i])
		}
		sumColumns(sums, rows, w)
		if !slices.Equal(sums, want) {
			t.Errorf("%d rows of %d: %v, want %v", n, w, sums, want)
		}
	}
}

func BenchmarkEnlarge4K(b *testing.B) {
	const w, h, scale = 3840, 2160, 6
	luma, _, mask := scene(w, h, scale)
	e := New(w, h, w/scale, h/scale)
	dst := make([]uint8, w*h)
	b.ReportAllocs()
	for b.Loop() {
		e.Guide(luma, w)
		e.Enlarge(mask, dst)
		clear(dst)
	}
}
