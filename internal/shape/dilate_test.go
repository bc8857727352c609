package shape

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

func TestGrowAndShrink(t *testing.T) {
	for _, c := range []struct {
		name     string
		o        Options
		in, want string
	}{
		{"1", Options{Grow: 1},
			`.....  .....  ..#..  .....  .....`,
			`.....  ..#..  .###.  ..#..  .....`},
		{"just below √2", Options{Grow: 1.414},
			`.....  .....  ..#..  .....  .....`,
			`.....  ..#..  .###.  ..#..  .....`},
		{"√2", Options{Grow: 1.4143},
			`.....  .....  ..#..  .....  .....`,
			`.....  .###.  .###.  .###.  .....`},
		{"2", Options{Grow: 2},
			`.......  .......  .......  ...#...  .......  .......  .......`,
			`.......  ...#...  ..###..  .#####.  ..###..  ...#...  .......`},
		{"below a pixel", Options{Grow: 0.9}, `...  .#.  ...`, `...  .#.  ...`},
		{"at a corner of the image", Options{Grow: 2}, `#...  ....  ....  ....`, `###.  ##..  #...  ....`},
		{"shrink", Options{Shrink: 1},
			`.......  .#####.  .#####.  .#####.  .......`,
			`.......  .......  ..###..  .......  .......`},
		{"not from the border", Options{Shrink: 1},
			`###..  ###..  ###..`,
			`##...  ##...  ##...`},
		{"closing", Options{Grow: 1.5, Shrink: 1.5},
			`.........  ..##.##..  ..##.##..  .........  .........`,
			`.........  ..#####..  ..#####..  .........  .........`},
		{"grown by more than it is shrunk", Options{Grow: 1, Shrink: 0.5},
			`.....  .....  ..#..  .....  .....`,
			`.....  ..#..  .###.  ..#..  .....`},
		{"closing near the border, and at it", Options{Grow: 2, Shrink: 2},
			`..#.###  ..#.###  ..#.###`,
			`..#####  ..#####  ..#####`},
		{"binarised first", Options{Grow: 1}, `.....  ..4..  ..7..  .....`, `.....  ..#..  .###.  ..#..`},

		{"soft, by half", Options{Grow: 0.5, Soft: true}, `..####  ..####`, `.5####  .5####`},
		{"soft, by 1.2", Options{Grow: 1.2, Soft: true}, `...###  ...###`, `.2####  .2####`},
		{"soft, an edge moves as it is", Options{Grow: 2, Soft: true}, `.....2479#`, `...2479###`},
		{"soft, a wide edge by half", Options{Grow: 0.5, Soft: true}, `...024688888`, `...135788888`},
		{"soft, shrink", Options{Shrink: 2, Soft: true}, `#97420....`, `7420......`},
		{"soft, less than full", Options{Grow: 0.5, Soft: true}, `...6...`, `..363..`},
	} {
		checkDrawn(t, c.name, c.o, c.in, c.want)
	}
}

// dilated computes what [Options] say of Grow, level by level and pixel by pixel.
func dilated(mask []uint8, w, h int, radius float64, soft bool) []uint8 {
	out := make([]uint8, len(mask))
	for i := range mask {
		nearest := [256]float64{} // to a pixel of each value or a higher one
		for v := range nearest {
			nearest[v] = math.Inf(1)
		}
		for j, p := range mask {
			d := math.Hypot(float64(i%w-j%w), float64(i/w-j/w))
			nearest[p] = min(nearest[p], d)
		}
		sum := 0.0
		for v := 255; v > 0; v-- {
			if v < 255 {
				nearest[v] = min(nearest[v], nearest[v+1])
			}
			switch {
			case soft:
				sum += min(max(1+radius-nearest[v], 0), 1)
			case nearest[v] <= radius:
				sum++
			}
		}
		out[i] = uint8(math.Round(sum))
	}
	return out
}

func inverted(mask []uint8) []uint8 {
	out := make([]uint8, len(mask))
	for i, p := range mask {
		out[i] = ^p
	}
	return out
}

// randomMask has some discs with soft edges, some noise, or both.
func randomMask(random *rand.Rand, w, h int) []uint8 {
	mask := make([]uint8, w*h)
	for range random.IntN(4) {
		cx, cy := random.Float64()*float64(w), random.Float64()*float64(h)
		r, edge := random.Float64()*float64(max(w, h))/2, 0.1+5*random.Float64()
		top := float64(155 + random.IntN(101))
		for i := range mask {
			d := math.Hypot(float64(i%w)-cx, float64(i/w)-cy)
			mask[i] = max(mask[i], uint8(top*min(max((r-d)/edge, 0), 1)))
		}
	}
	for range random.IntN(1 + w*h/8) {
		mask[random.IntN(w*h)] = uint8(random.IntN(256))
	}
	return mask
}

// within reports whether no pixel differs by more than tolerance.
func within(a, b []uint8, tolerance int) bool {
	for i := range a {
		if d := int(a[i]) - int(b[i]); max(d, -d) > tolerance {
			return false
		}
	}
	return true
}

// TestAgainstDefinition compares growing and shrinking with their definition.
func TestAgainstDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 150 {
		w, h := 1+random.IntN(28), 1+random.IntN(28)
		mask := randomMask(random, w, h)
		radius := random.Float64() * 8
		if n%3 == 0 {
			radius = float64(1 + random.IntN(8))
		}
		got := apply(t, Options{Grow: radius, Soft: true}, mask, w, h)
		// A sum of halves may be rounded either way.
		if want := dilated(mask, w, h, radius, true); !within(got, want, 1) {
			t.Fatalf("%d×%d grown by %g: %d\nwant %d\nfrom %d", w, h, radius, got, want, mask)
		}
		got = apply(t, Options{Shrink: radius, Soft: true}, mask, w, h)
		if want := inverted(dilated(inverted(mask), w, h, radius, true)); !within(got, want, 1) {
			t.Fatalf("%d×%d shrunk by %g: %d\nwant %d\nfrom %d", w, h, radius, got, want, mask)
		}
		hard := apply(t, Options{}, mask, w, h)
		got = apply(t, Options{Grow: radius}, mask, w, h)
		if want := dilated(hard, w, h, radius, false); !bytes.Equal(got, want) {
			t.Fatalf("%d×%d, hard, grown by %g: %d\nwant %d\nfrom %d", w, h, radius, got, want, mask)
		}
		got = apply(t, Options{Shrink: radius}, mask, w, h)
		if want := inverted(dilated(inverted(hard), w, h, radius, false)); !bytes.Equal(got, want) {
			t.Fatalf("%d×%d, hard, shrunk by %g: %d\nwant %d\nfrom %d", w, h, radius, got, want, mask)
		}
	}
}

// contains reports whether no pixel of a is below that of b.
func contains(a, b []uint8) bool {
	for i := range a {
		if a[i] < b[i] {
			return false
		}
	}
	return true
}

// TestOrder: what is grown contains what was not, a larger radius grows and shrinks
// more, and a closing contains the mask.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		w, h := 1+random.IntN(40), 1+random.IntN(40)
		soft := random.IntN(2) == 0
		mask := apply(t, Options{Soft: soft}, randomMask(random, w, h), w, h)
		a, b := 6*random.Float64(), 6*random.Float64()
		a, b = min(a, b), max(a, b)
		grow := func(r float64) []uint8 { return apply(t, Options{Grow: r, Soft: soft}, mask, w, h) }
		shrink := func(r float64) []uint8 { return apply(t, Options{Shrink: r, Soft: soft}, mask, w, h) }
		if !contains(grow(a), mask) || !contains(grow(b), grow(a)) {
			t.Fatalf("%d×%d: grown by %g or %g it is smaller; soft: %v", w, h, a, b, soft)
		}
		if !contains(mask, shrink(a)) || !contains(shrink(a), shrink(b)) {
			t.Fatalf("%d×%d: shrunk by %g or %g it is larger; soft: %v", w, h, a, b, soft)
		}
		if soft {
			continue
		}
		if closed := apply(t, Options{Grow: b, Shrink: b}, mask, w, h); !contains(closed, mask) {
			t.Fatalf("%d×%d: the closing by %g lacks pixels of the mask", w, h, b)
		}
	}
}

// TestGrowIsRound: a grown pixel is a disc of the right area, with a smooth edge.
func TestGrowIsRound(t *testing.T) {
	const w, h = 121, 121
	mask := make([]uint8, w*h)
	mask[60*w+60] = 255
	for _, r := range []float64{3, 7.25, 20.5, 50} {
		got := apply(t, Options{Grow: r, Soft: true}, mask, w, h)
		area := 0.0
		for i, p := range got {
			area += float64(p) / 255
			d := math.Hypot(float64(i%w-60), float64(i/w-60))
			if want := 255 * min(max(1+r-d, 0), 1); math.Abs(float64(p)-want) > 0.51 {
				t.Fatalf("grown by %g, at distance %g: %d, want %g", r, d, p, want)
			}
		}
		// The edge is at half a pixel beyond the radius, like that of a single pixel.
		if want := math.Pi * (r + 0.5) * (r + 0.5); math.Abs(area/want-1) > 0.015 {
			t.Errorf("grown by %g: %g pixels, want %g", r, area, want)
		}
	}
}

// TestClosingAtBorder: a mask that ends just before the border is closed as one in the
// middle of a larger image.
func TestClosingAtBorder(t *testing.T) {
	const size, part, margin = 30, 18, 20 // of the image, the mask, and the space around
	const wide = size + 2*margin
	random := rand.New(rand.NewPCG(21, 22))
	for range 100 {
		o := Options{Grow: 6 * random.Float64(), Shrink: 6 * random.Float64() * random.Float64(), Soft: random.IntN(2) == 0}
		inner := randomMask(random, part, part)
		small, large := make([]uint8, size*size), make([]uint8, wide*wide)
		for y := range part {
			row := inner[y*part : (y+1)*part]
			copy(small[(y+1)*size+1:], row)
			copy(large[(y+1+margin)*wide+1+margin:], row)
		}
		small, large = apply(t, o, small, size, size), apply(t, o, large, wide, wide)
		for y := range size {
			if want := large[(y+margin)*wide+margin:][:size]; !bytes.Equal(small[y*size:(y+1)*size], want) {
				t.Fatalf("%+v, row %d: %d, want %d", o, y, small[y*size:(y+1)*size], want)
			}
		}
	}
}
