package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carve-video/carve/internal/clips"
)

// textured is a frame that repeats nowhere, moved by dx, dy, which may be fractions of a
// pixel, in light of a gain and an offset.
func textured(w, h int, dx, dy, gain, offset float64) []uint8 {
	pix := make([]uint8, 3*w*h)
	for y := range h {
		for x := range w {
			fx, fy := float64(x)+dx, float64(y)+dy
			v := 110 + 30*math.Sin(fx*.31+fy*.17) + 25*math.Sin(fy*.43-fx*.11) + 20*math.Sin(fx*.067+1)*math.Cos(fy*.091) + 15*math.Sin(fx*.9+fy*.7)
			v = gain*v + offset
			for c := range 3 {
				pix[3*(y*w+x)+c] = uint8(min(max(v+.5, 0), 255))
			}
		}
	}
	return pix
}

func between(newer, older []uint8, w, h, threads int) *Field {
	var a, b Pyramid
	a.Build(newer, w, h, threads)
	b.Build(older, w, h, threads)
	_, _, factor := Size(w, h)
	e := Estimator{Threads: threads}
	f := new(Field)
	e.Between(&a, &b, factor, f)
	return f
}

// meanError is the mean distance between a field and the true motion, away from the edges.
func meanError(f *Field, u, v float64) float64 {
	sum, n := 0., 0
	const edge = 10
	for y := edge; y < f.H-edge; y++ {
		for x := edge; x < f.W-edge; x++ {
			sum += math.Hypot(float64(f.U[y*f.W+x])-u, float64(f.V[y*f.W+x])-v)
			n++
		}
	}
	return sum / float64(n)
}

// TestShift: the whole frame moves, by whole pixels and by fractions, in other light.
func TestShift(t *testing.T) {
	const w, h = 150, 90
	older := textured(w, h, 0, 0, 1, 0)
	for _, c := range []struct {
		dx, dy, gain, offset, within float64
	}{
		{0, 0, 1, 0, 1e-6}, {1, 0, 1, 0, .05}, {-3, 2, 1, 0, .05}, {.5, -.25, 1, 0, .05}, {5, -4, 1, 0, .1},
		{2, 1, .8, 10, .1}, {-2, 0, 1.2, -20, .25},
	} {
		// The newer frame shows at x what the older one had at x+dx.
		f := between(textured(w, h, c.dx, c.dy, c.gain, c.offset), older, w, h, 1)
		if d := meanError(f, c.dx, c.dy); d > c.within {
			t.Errorf("%+v: the flow is wrong by %.3f pixels", c, d)
		}
		if f.OccludedShare > .05 { // what came in at the edges
			t.Errorf("%+v: %.3f of the frame is occluded", c, f.OccludedShare)
		}
	}
}

// TestOcclusion: the pixels of an object that appears are occluded, and no others.
func TestOcclusion(t *testing.T) {
	const w, h = 160, 90
	before := textured(w, h, 0, 0, 1, 0)
	after := textured(w, h, 1, 0, 1, 0)
	in := func(x, y int) bool { return x >= 60 && x < 90 && y >= 30 && y < 60 }
	for y := range h {
		for x := range w {
			if in(x, y) {
				copy(after[3*(y*w+x):], []uint8{255, 250, 240})
			}
		}
	}
	f := between(after, before, w, h, 1)
	inside, outside := float32(0), float32(0)
	for y := 10; y < h-10; y++ {
		for x := 10; x < w-10; x++ {
			u := f.Occlusion[y*w+x]
			switch nearby := x >= 52 && x < 98 && y >= 22 && y < 68; {
			case in(x, y):
				inside += u / 900
			case !nearby:
				outside = max(outside, u)
			}
		}
	}
	if inside < .9 || outside > .5 {
		t.Errorf("%.2f of the new object is occluded, and up to %.2f of the rest", inside, outside)
	}
	if f.OccludedShare < .05 || f.OccludedShare > .12 {
		t.Errorf("the occluded share is %.3f", f.OccludedShare)
	}
}

// TestSizes: at small sizes there are few patches, or less than one.
func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 7}, {8, 8}, {9, 3}, {17, 40}, {161, 5}, {320, 180}, {641, 361}} {
		w, h := size[0], size[1]
		f := between(textured(w, h, 1, 0, 1, 0), textured(w, h, 0, 0, 1, 0), w, h, 2)
		fw, fh, factor := Size(w, h)
		if f.W != fw || f.H != fh || f.Factor != factor || len(f.U) != fw*fh || len(f.Occlusion) != fw*fh {
			t.Errorf("%dx%d: a field of %dx%d", w, h, f.W, f.H)
		}
		if max(fw, fh) > LongSide {
			t.Errorf("%dx%d: the flow is of %dx%d", w, h, fw, fh)
		}
		for i, u := range f.U {
			if u != u || f.V[i] != f.V[i] || f.Occlusion[i] != f.Occlusion[i] {
				t.Fatalf("%dx%d: pixel %d is not a number", w, h, i)
			}
		}
	}
}

// TestThreads: the number of threads does not change the flow.
func TestThreads(t *testing.T) {
	const w, h = 300, 200
	a, b := textured(w, h, 2, 1, 1, 0), textured(w, h, 0, 0, 1, 0)
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range a {
		a[i] += uint8(noise.IntN(8))
	}
	one := between(a, b, w, h, 1)
	for _, threads := range []int{2, 3, 8} {
		if many := between(a, b, w, h, threads); !slices.Equal(one.U, many.U) || !slices.Equal(one.V, many.V) || !slices.Equal(one.Occlusion, many.Occlusion) {
			t.Errorf("%d threads compute a different flow", threads)
		}
	}
}

// TestAllocations: memory is reused.
func TestAllocations(t *testing.T) {
	const w, h = 160, 90
	a, b := textured(w, h, 2, 1, 1, 0), textured(w, h, 0, 0, 1, 0)
	var p [2]Pyramid
	var e Estimator
	var f Field
	once := func() {
		p[0].Build(a, w, h, 1)
		p[1].Build(b, w, h, 1)
		e.Between(&p[0], &p[1], 1, &f)
	}
	once()
	if n := testing.AllocsPerRun(10, once); n > 12 { // closures of the loops over rows
		t.Errorf("%.0f allocations", n)
	}
}

// TestPropagatesTruth propagates the true masks of the standing clips along the flow. In
// clips in which only motion happens they still fit after four frames.
func TestPropagatesTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, least := range map[string]float64{"absent": .93, "lookalikes": .9, "tiny": .86, "ten": .89, "light": .89, "camera": .83} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := clips.Standing(name)
			if err != nil {
				t.Fatal(err)
			}
			var p [2]Pyramid
			var e Estimator
			var f Field
			var propagated [][]bool
			sum, n := 0., 0
			for k := range 60 {
				img, truth := c.Frame(k)
				pix := make([]uint8, 0, len(img.Pix)/4*3)
				for i := 0; i < len(img.Pix); i += 4 {
					pix = append(pix, img.Pix[i:i+3]...)
				}
				p[k%2].Build(pix, c.Width, c.Height, 1)
				if k%5 == 0 {
					propagated = propagated[:0]
					for _, name := range truth.Names {
						propagated = append(propagated, truth.Mask(name))
					}
					continue
				}
				_, _, factor := Size(c.Width, c.Height)
				e.Between(&p[k%2], &p[(k+1)%2], factor, &f)
				for q, name := range truth.Names {
					next := make([]bool, len(propagated[q]))
					for y := range c.Height {
						for x := range c.Width {
							i := min(y/factor, f.H-1)*f.W + min(x/factor, f.W-1)
							fx := min(max(int(float32(x)+f.U[i]*float32(factor)+.5), 0), c.Width-1)
							fy := min(max(int(float32(y)+f.V[i]*float32(factor)+.5), 0), c.Height-1)
							next[y*c.Width+x] = propagated[q][fy*c.Width+fx]
						}
					}
					propagated[q] = next
					if k%5 != 4 {
						continue
					}
					both, either := 0, 0
					for i, present := range truth.Mask(name) {
						if present && next[i] {
							both++
						}
						if present || next[i] {
							either++
						}
					}
					if either > 0 {
						sum += float64(both) / float64(either)
						n++
					}
				}
			}
			if j := sum / float64(n); j < least {
				t.Errorf("the masks agree to %.3f after four frames, want %.2f", j, least)
			}
		})
	}
}

func BenchmarkBetween(b *testing.B) {
	const w, h = 320, 180
	x, y := textured(w, h, 2, 1, 1, 0), textured(w, h, 0, 0, 1, 0)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			var p [2]Pyramid
			e := Estimator{Threads: threads}
			var f Field
			p[1].Build(y, w, h, threads)
			for b.Loop() {
				p[0].Build(x, w, h, threads)
				e.Between(&p[0], &p[1], 2, &f)
			}
		})
	}
}
