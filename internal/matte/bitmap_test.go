package matte

import (
	"math/rand/v2"
	"testing"
)

// TestBitmap: rows of words do what one does bit by bit, in bitmaps of any width.
func TestBitmap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, w := range []int{1, 2, 63, 64, 65, 128, 150} {
		const h = 9
		b := newBitmap(w, h)
		var bit [h][150]bool
		for y := range h {
			for x := range w {
				if random.IntN(20) == 0 {
					bit[y][x] = true
					b.row(y)[x/64] |= 1 << (x % 64)
				}
			}
		}
		check := func(name string, got *bitmap, want func(x, y int) bool) {
			t.Helper()
			for y := range h {
				n := 0
				for from, to := range got.runs(y) {
					if from >= to || to > w {
						t.Fatalf("%s: a run from %d to %d of %d", name, from, to, w)
					}
					for x := from; x < to; x++ {
						if !want(x, y) {
							t.Fatalf("%s, width %d: bit %d,%d is set", name, w, x, y)
						}
						n++
					}
				}
				for x := range w {
					if want(x, y) {
						n--
					}
				}
				if n != 0 {
					t.Fatalf("%s, width %d: row %d lacks %d bits", name, w, y, -n)
				}
				if rest := w % 64; rest != 0 && got.row(y)[w/64]>>rest != 0 {
					t.Fatalf("%s, width %d: there are bits beyond the last column", name, w)
				}
			}
		}
		near := func(x, y, left, right, up, down int) bool {
			for v := max(y-up, 0); v <= min(y+down, h-1); v++ {
				for u := max(x-left, 0); u <= min(x+right, w-1); u++ {
					if bit[v][u] {
						return true
					}
				}
			}
			return false
		}
		changed := func(change func(c *bitmap)) *bitmap {
			c := newBitmap(w, h)
			copy(c.bits, b.bits)
			change(c)
			return c
		}
		rows := func(work func(c *bitmap, row []uint64)) func(c *bitmap) {
			return func(c *bitmap) {
				for y := range h {
					work(c, c.row(y))
				}
			}
		}
		check("itself", b, func(x, y int) bool { return bit[y][x] })
		check("widened", changed(rows(func(c *bitmap, row []uint64) { c.widen(row, 3) })), func(x, y int) bool { return near(x, y, 3, 3, 0, 0) })
		check("to the left", changed(rows(func(c *bitmap, row []uint64) { c.toLeft(row) })), func(x, y int) bool { return near(x, y, 0, 1, 0, 0) })
		check("to the right", changed(rows(func(c *bitmap, row []uint64) { c.toRight(row) })), func(x, y int) bool { return near(x, y, 1, 0, 0, 0) })
		for _, n := range [][2]int{{0, 0}, {3, 3}, {6, 7}, {1, 20}, {20, 0}} {
			check("gathered", changed(func(c *bitmap) { c.gather(b, n[0], n[1]) }), func(x, y int) bool { return near(x, y, 0, 0, n[0], n[1]) })
		}
	}
}
