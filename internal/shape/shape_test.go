package shape

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		o    Options
		want string // in the error; none if empty
	}{
		{Options{}, ""},
		{Options{Grow: 256, Shrink: 0.5, Feather: 1000, MinArea: 1e9, FillHoles: math.Inf(1), Soft: true, Invert: true}, ""},
		{Options{Grow: -1}, "grow is -1"},
		{Options{Grow: nan}, "grow is NaN"},
		{Options{Shrink: 257}, "shrink is 257"},
		{Options{Feather: math.Inf(1)}, "feather is +Inf"},
		{Options{MinArea: -1}, "min-area is -1"},
		{Options{MinArea: nan}, "min-area is NaN"},
		{Options{FillHoles: -2}, "fill-holes is -2"},
	} {
		_, err := New(c.o)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.o, err, c.want)
		}
	}
}

// variants are options that use every step.
var variants = []Options{
	{},
	{Soft: true},
	{Invert: true},
	{Grow: 3}, {Grow: 3.3, Soft: true},
	{Shrink: 2}, {Shrink: 2.7, Soft: true},
	{Grow: 4, Shrink: 4}, {Grow: 2, Shrink: 5.5, Soft: true},
	{Feather: 1}, {Feather: 9.5, Soft: true}, {Feather: 60},
	{MinArea: 12}, {MinArea: 12, Soft: true},
	{FillHoles: 9}, {FillHoles: math.Inf(1), Soft: true},
	{Grow: 3, Shrink: 1.5, Feather: 7, MinArea: 10, FillHoles: 20, Soft: true, Invert: true},
	{Grow: 1, Feather: 3, MinArea: 10, FillHoles: 20, Invert: true},
}

// TestEmptyAndFull: a mask without edges has none after any step.
func TestEmptyAndFull(t *testing.T) {
	for _, o := range variants {
		for _, size := range [][2]int{{0, 0}, {1, 1}, {1, 9}, {9, 1}, {2, 2}, {17, 13}, {64, 40}} {
			w, h := size[0], size[1]
			for _, value := range []uint8{0, 255} {
				mask := bytes.Repeat([]byte{value}, w*h)
				want := value
				if float64(w*h) < o.MinArea {
					want = 0
				}
				if o.Invert {
					want = ^want
				}
				if got := apply(t, o, mask, w, h); !bytes.Equal(got, bytes.Repeat([]byte{want}, w*h)) {
					t.Errorf("%+v, %d×%d of %d: %d", o, w, h, value, got)
				}
			}
		}
	}
}

// TestReuse: a Shaper's result depends neither on its threads nor on the masks before.
func TestReuse(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for _, o := range variants {
		used, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			w, h := 1+random.IntN(90), 1+random.IntN(90)
			mask := randomMask(random, w, h)
			want := apply(t, o, mask, w, h)
			used.Threads = random.IntN(9)
			used.Apply(mask, w, h)
			if !bytes.Equal(mask, want) {
				t.Fatalf("%+v, %d×%d, %d threads: another result", o, w, h, used.Threads)
			}
		}
	}
}

// TestSurroundings: the position of a mask in its image does not matter, as long as
// nothing reaches the border.
func TestSurroundings(t *testing.T) {
	const n, wide, high = 24, 150, 140
	random := rand.New(rand.NewPCG(9, 10))
	for _, o := range variants {
		if o.Feather > 20 {
			continue // it reaches the border
		}
		mask := randomMask(random, n, n)
		place := func(x, y int, mask []uint8, size int) []uint8 {
			out := make([]uint8, wide*high)
			for v := range size {
				copy(out[(y+v)*wide+x:], mask[v*size:(v+1)*size])
			}
			return out
		}
		crop := func(x, y int, mask []uint8) []uint8 {
			var out []uint8
			for v := range n + 40 {
				out = append(out, mask[(y-20+v)*wide+x-20:][:n+40]...)
			}
			return out
		}
		var first []uint8
		for _, at := range [][2]int{{20, 20}, {47, 33}, {wide - n - 20, high - n - 20}} {
			got := crop(at[0], at[1], apply(t, o, place(at[0], at[1], mask, n), wide, high))
			if first == nil {
				first = got
			} else if !bytes.Equal(got, first) {
				t.Errorf("%+v: at %v the result is another one", o, at)
			}
		}
	}
}

// TestIdempotence: cleaning what is clean changes nothing.
func TestIdempotence(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		w, h := 1+random.IntN(40), 1+random.IntN(40)
		mask := randomMask(random, w, h)
		for _, o := range []Options{
			{}, {Soft: true},
			{FillHoles: 5}, {FillHoles: math.Inf(1)}, {FillHoles: 5, Soft: true}, {FillHoles: math.Inf(1), Soft: true},
			{MinArea: 6}, {MinArea: 6, Soft: true},
		} {
			once := apply(t, o, mask, w, h)
			if twice := apply(t, o, once, w, h); !bytes.Equal(once, twice) {
				t.Fatalf("%+v, %d×%d: a second time changes the mask", o, w, h)
			}
			if o.Soft && o.FillHoles > 0 && !contains(once, mask) || o.Soft && o.MinArea > 0 && !contains(mask, once) {
				t.Fatalf("%+v, %d×%d: filling removes, or dropping adds", o, w, h)
			}
		}
	}
}

func TestSoftAloneChangesNothing(t *testing.T) {
	mask := randomMask(rand.New(rand.NewPCG(13, 14)), 50, 40)
	if got := apply(t, Options{Soft: true}, mask, 50, 40); !bytes.Equal(got, mask) {
		t.Error("a soft mask has changed")
	}
	for i, p := range apply(t, Options{}, mask, 50, 40) {
		if want := uint8(255 * (int(mask[i]) / 128)); p != want {
			t.Fatalf("%d is binarised to %d, want %d", mask[i], p, want)
		}
	}
}

// TestAllocations: after the first mask of a size none allocates.
func TestAllocations(t *testing.T) {
	const w, h = 160, 120
	mask := randomMask(rand.New(rand.NewPCG(15, 16)), w, h)
	scratch := slices.Clone(mask)
	for _, o := range variants {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(5, func() {
			copy(scratch, mask)
			s.Apply(scratch, w, h)
		}); n != 0 {
			t.Errorf("%+v: %g allocations", o, n)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{0, 255, 7}, uint8(3), 1.0, 0.5, 3.0, 2.0, 1.0, true, false)
	f.Fuzz(func(t *testing.T, data []byte, width uint8, grow, shrink, feather, area, holes float64, soft, invert bool) {
		o := Options{Grow: grow, Shrink: shrink, Feather: feather, MinArea: area, FillHoles: holes, Soft: soft, Invert: invert}
		s, err := New(o)
		if err != nil || grow > 40 || shrink > 40 || len(data) > 4096 {
			return
		}
		w := max(int(width), 1)
		mask := slices.Clone(data[:len(data)/w*w])
		s.Apply(mask, w, len(mask)/w)
		again := slices.Clone(data[:len(mask)])
		s.Threads = 3
		s.Apply(again, w, len(mask)/w)
		if !bytes.Equal(mask, again) {
			t.Errorf("%+v: a second result differs", o)
		}
		for i := range mask {
			if !soft && feather == 0 && mask[i] != 0 && mask[i] != 255 {
				t.Fatalf("%+v: a hard mask has %d", o, mask[i])
			}
		}
	})
}

// person is a mask as of a person who fills a third of the image, with a soft edge of
// some pixels, a hole and some specks.
func person(w, h int) []uint8 {
	mask := make([]uint8, w*h)
	unit := float64(h)
	part := func(cx, cy, rx, ry, top float64) {
		for i := range mask {
			dx, dy := (float64(i%w)-cx*unit)/(rx*unit), (float64(i/w)-cy*unit)/(ry*unit)
			d := (1 - math.Hypot(dx, dy)) * min(rx, ry) * unit / 4 // an edge of 4 pixels
			if p := min(max(d, 0), 1) * top; top > 0 {
				mask[i] = max(mask[i], uint8(p))
			} else {
				mask[i] = min(mask[i], uint8(255*(1-min(max(d, 0), 1))))
			}
		}
	}
	part(0.9, 0.25, 0.14, 0.18, 255)
	part(0.9, 0.75, 0.32, 0.4, 255)
	part(0.9, 0.7, 0.03, 0.03, 0)
	for k := range 20 {
		part(0.2+0.07*float64(k), 0.1+0.04*float64(k*7%20), 0.004, 0.004, 255)
	}
	return mask
}

func BenchmarkApply(b *testing.B) {
	const w, h = 1920, 1080
	mask := person(w, h)
	scratch := slices.Clone(mask)
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"binarise", Options{}},
		{"grow 2", Options{Grow: 2}},
		{"grow 10", Options{Grow: 10}},
		{"grow 10 soft", Options{Grow: 10, Soft: true}},
		{"grow 100 soft", Options{Grow: 100, Soft: true}},
		{"shrink 2.5 soft", Options{Shrink: 2.5, Soft: true}},
		{"closing 5", Options{Grow: 5, Shrink: 5}},
		{"feather 3", Options{Feather: 3}},
		{"feather 40", Options{Feather: 40, Soft: true}},
		{"min-area", Options{MinArea: 200, Soft: true}},
		{"fill-holes", Options{FillHoles: 5000, Soft: true}},
		{"all", Options{Grow: 3, Shrink: 1.5, Feather: 7, MinArea: 200, FillHoles: 5000, Soft: true, Invert: true}},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", c.name, threads), func(b *testing.B) {
				s, err := New(c.o)
				if err != nil {
					b.Fatal(err)
				}
				s.Threads = threads
				for b.Loop() {
					copy(scratch, mask)
					s.Apply(scratch, w, h)
				}
			})
		}
	}
}
