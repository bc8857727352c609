package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
)

func TestJaccard(t *testing.T) {
	a := drawn("xx..", "xx..")
	b := drawn(".xx.", ".xx.")
	void := drawn("..x.", "....")
	for _, c := range []struct {
		name string
		a, b *annotation.Mask
		void *annotation.Mask
		want float64
	}{
		{"half over", a, b, nil, 2. / 6},
		{"void taken out of the union", a, b, void, 2. / 5},
		{"itself", a, a, nil, 1},
		{"nothing", nil, nil, nil, 1},
		{"nothing, drawn", annotation.NewMask(4, 2), nil, nil, 1},
		{"only one", a, nil, nil, 0},
		{"only the other", nil, a, void, 0},
		{"all of one void", nil, drawn("..x.", "...."), void, 1},
		{"all void", a, b, drawn("xxxx", "xxxx"), 1},
	} {
		if got := Jaccard(c.a, c.b, c.void); got != c.want {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
		if got := Jaccard(c.b, c.a, c.void); got != c.want {
			t.Errorf("%s, the other way round: %g, want %g", c.name, got, c.want)
		}
	}
}

func TestNear(t *testing.T) {
	for _, c := range [][3]int{{854, 480, 8}, {200, 200, 3}, {8, 4, 1}, {3840, 2160, 36}, {1, 1, 1}} {
		if got := Near(c[0], c[1]); got != c[2] {
			t.Errorf("%dx%d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestOutline(t *testing.T) {
	for _, c := range []struct {
		name       string
		mask, want *annotation.Mask
	}{
		{"a block", drawn("......", "..xx..", "..xx..", "......"), drawn(".xxx..", ".x.x..", ".xxx..", "......")},
		{"the last column looks down, the last row right", drawn("...", "..x", ".xx"), drawn(".xx", "xx.", "x..")},
		{"everything", drawn("xxx", "xxx"), drawn("...", "...")},
		{"the corner", drawn("...", "..x"), drawn(".xx", ".x.")},
	} {
		got := annotation.NewMask(c.mask.W, c.mask.H)
		n := outline(got, c.mask)
		if n != c.want.Area() || Jaccard(got, c.want, nil) != 1 {
			t.Errorf("%s: %d pixels, want %d", c.name, n, c.want.Area())
			for y := range got.H {
				row := ""
				for x := range got.W {
					row += map[bool]string{true: "x", false: "."}[got.At(x, y)]
				}
				t.Log(row)
			}
		}
	}
}

// A unit test of DAVIS's: if everything that differs is void, the masks agree.
func TestVoidOutlines(t *testing.T) {
	a, b := square(200, 200, 50, 50, 150, 150), square(200, 200, 50, 50, 150, 100)
	void := square(200, 200, 50, 100, 150, 150)
	of := NewBoundaries(200, 200)
	if got := of.Compare(a, b, void); got != (Boundary{1, 1}) {
		t.Errorf("with void %+v", got)
	}
	if got := of.Compare(a, b, nil); got.F() > .9 {
		t.Errorf("without void %+v", got)
	}
}

func TestEmptyOutlines(t *testing.T) {
	a := drawn("....", ".x..", "....")
	of := NewBoundaries(4, 3)
	for _, c := range []struct {
		result, truth *annotation.Mask
		want          Boundary
		f             float64
	}{
		{nil, nil, Boundary{1, 1}, 1},
		{nil, a, Boundary{1, 0}, 0},
		{a, nil, Boundary{0, 1}, 0},
		{a, a, Boundary{1, 1}, 1},
		{drawn("xxxx", "xxxx", "xxxx"), nil, Boundary{1, 1}, 1}, // has no outline
	} {
		if got := of.Compare(c.result, c.truth, nil); got != c.want || got.F() != c.f {
			t.Errorf("%+v with F %g, want %+v with %g", got, got.F(), c.want, c.f)
		}
	}
	if f := (Boundary{}).F(); f != 0 {
		t.Errorf("F of nothing right is %g", f)
	}
}

// TestHandBoundary has two single pixels, two apart. Each has an outline of four
// pixels: itself and its neighbours above and to the left. The nearer column of the
// outline is one pixel from the other outline, which counts as near here.
//
//	result  xx....    truth  ..xx..
//	        xx....           ..xx..
func TestHandBoundary(t *testing.T) {
	a := drawn("......", ".x....", "......")
	b := drawn("......", "...x..", "......")
	got := NewBoundaries(6, 3).Compare(a, b, nil)
	if got != (Boundary{.5, .5}) || got.F() != .5 {
		t.Errorf("%+v", got)
	}
}

func naiveDilate(m *annotation.Mask, r int) *annotation.Mask {
	out := annotation.NewMask(m.W, m.H)
	for y := range m.H {
		for x := range m.W {
			for v := max(0, y-r); v < min(m.H, y+r+1) && !out.At(x, y); v++ {
				for u := max(0, x-r); u < min(m.W, x+r+1); u++ {
					if (u-x)*(u-x)+(v-y)*(v-y) <= r*r && m.At(u, v) {
						out.Set(x, y)
						break
					}
				}
			}
		}
	}
	return out
}

func naiveOutline(m *annotation.Mask) *annotation.Mask {
	out := annotation.NewMask(m.W, m.H)
	for y := range m.H {
		for x := range m.W {
			s := m.At(x, y)
			right, down := x+1 < m.W, y+1 < m.H
			if right && m.At(x+1, y) != s || down && m.At(x, y+1) != s || right && down && m.At(x+1, y+1) != s {
				out.Set(x, y)
			}
		}
	}
	return out
}

// TestAgainstNaive compares the code that works on words with code that works on
// pixels, at widths around those of words and for disks that span several words.
func TestAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 150 {
		w, h := 1+r.IntN(200), 1+r.IntN(24)
		if n%3 == 0 {
			w = []int{63, 64, 65, 127, 128, 129}[r.IntN(6)]
		}
		of := NewBoundaries(w, h)
		of.near = []int{0, 1, 2, 3, 8, 13, 63, 64, 65, 130}[r.IntN(10)]
		of.disk = halfWidths(of.near)
		m := scattered(r, w, h)
		of.dilate(m)
		if want := naiveDilate(m, of.near); !sameBits(of.dilated, want) {
			t.Fatalf("disk of %d in %dx%d: %d pixels, want %d", of.near, w, h, of.dilated.Area(), want.Area())
		}
		outline(of.truthOutline, m)
		if !sameBits(of.truthOutline, naiveOutline(m)) {
			t.Fatalf("outline in %dx%d", w, h)
		}
	}
}

// sameBits compares words, so that it sees bits beyond the width too.
func sameBits(a, b *annotation.Mask) bool {
	for i, w := range a.Bits {
		if w != b.Bits[i] {
			return false
		}
	}
	return true
}

func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		w, h := 1+r.IntN(150), 1+r.IntN(40)
		of := NewBoundaries(w, h)
		a, b, void := scattered(r, w, h), scattered(r, w, h), scattered(r, w, h)
		if r.IntN(3) == 0 {
			void = nil
		}
		if Jaccard(a, a, void) != 1 || of.Compare(a, a, void).F() != 1 {
			t.Fatal("a mask is not like itself")
		}
		if Jaccard(a, b, void) != Jaccard(b, a, void) {
			t.Fatal("J depends on the order")
		}
		one, other := of.Compare(a, b, void), of.Compare(b, a, void)
		if one.Precision != other.Recall || one.Recall != other.Precision || math.Abs(one.F()-other.F()) > 1e-15 {
			t.Fatalf("precision and recall do not change places: %+v, %+v", one, other)
		}
		for _, v := range []float64{one.Precision, one.Recall, one.F(), Jaccard(a, b, void)} {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%g is not between 0 and 1", v)
			}
		}
	}
}
