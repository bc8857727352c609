package matte

import (
	"bytes"
	"math"
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
	e.Guide(luma)
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
		e.Guide(luma)
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
		e.Guide(luma)
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
	a, b := []uint8{255, 100, 200, 0}, []uint8{255, 100, 100, 7}
	Share([][]uint8{a, b}, 2)
	for i, want := range [][2]uint8{{127, 127}, {100, 100}, {170, 85}, {0, 7}} {
		if a[i] != want[0] || b[i] != want[1] {
			t.Errorf("pixel %d is shared %d:%d, want %d:%d", i, a[i], b[i], want[0], want[1])
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
		e.Guide(luma)
		dst := make([]uint8, w*h)
		e.Enlarge(mask, dst)
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

func BenchmarkEnlarge4K(b *testing.B) {
	const w, h, scale = 3840, 2160, 6
	luma, _, mask := scene(w, h, scale)
	e := New(w, h, w/scale, h/scale)
	dst := make([]uint8, w*h)
	b.ReportAllocs()
	for b.Loop() {
		e.Guide(luma)
		e.Enlarge(mask, dst)
	}
}
