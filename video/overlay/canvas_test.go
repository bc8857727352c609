package overlay

import (
	"math/rand/v2"
	"testing"
)

// TestCanvas: whatever is drawn in whatever order, pixels are those that come of drawing on
// each pixel alone, and spans stay in order.
func TestCanvas(t *testing.T) {
	const w, h = 90, 3
	random := rand.New(rand.NewPCG(7, 8))
	var c canvas
	c.init(w, h)
	for round := range 200 {
		c.clear()
		var want [h][w]rgba
		for range 1 + random.IntN(20) {
			y, x0 := random.IntN(h), random.IntN(w)
			x1 := x0 + random.IntN(w-x0+1)
			k, opacity := inkOf([3]uint8{uint8(random.IntN(256)), 9, 200}), uint32(random.IntN(256))
			switch random.IntN(3) {
			case 0:
				c.fill(y, x0, x1, k, opacity)
				for x := x0; x < x1; x++ {
					want[y][x] = want[y][x].over(k, opacity)
				}
			case 1:
				pix := c.mix(y, x0, x1)
				if len(pix) != 4*(x1-x0) {
					t.Fatalf("%d bytes for %d pixels", len(pix), x1-x0)
				}
				for i := x0; i < x1; i += 1 + random.IntN(3) {
					want[y][i] = want[y][i].over(k, opacity)
					load(pix[4*(i-x0):]).over(k, opacity).store(pix[4*(i-x0):])
				}
			default: // long and short runs, and transparent ones
				line := make([]rgba, x1-x0)
				for i := range line {
					if i > 0 && random.IntN(25) > 0 {
						line[i] = line[i-1]
					} else if random.IntN(3) > 0 {
						line[i] = rgba(0).over(k, opacity+uint32(i)&1)
					}
				}
				c.lay(y, x0, line)
				for i, q := range line {
					if ink, a := q.straight(); a > 0 {
						want[y][x0+i] = want[y][x0+i].over(ink, a)
					}
				}
			}
		}
		for y := range h {
			if n := len(c.rows[y].pix); n > 8*w {
				t.Fatalf("round %d: a row of %d pixels takes %d bytes", round, w, n)
			}
			end := 0
			for _, s := range c.rows[y].spans {
				if s.x0 < end || s.x1 <= s.x0 || s.x1 > w {
					t.Fatalf("round %d: spans %+v", round, c.rows[y].spans)
				}
				end = s.x1
			}
			for x := range w {
				if got := c.at(x, y); got != want[y][x] {
					t.Fatalf("round %d: pixel %d,%d is %08x, want %08x", round, x, y, got, want[y][x])
				}
			}
		}
	}
}

// TestOver: a pixel is mixed in integers, and rounded to the nearest.
func TestOver(t *testing.T) {
	for a := range 256 {
		for v := 0; v < 256; v += 5 {
			q := rgba(v) * 0x01010101
			c := [3]uint8{uint8(255 - v), uint8(v / 2), uint8(a)}
			got := q.over(inkOf(c), uint32(a))
			for i, part := range [4]int{int(c[0]), int(c[1]), int(c[2]), 255} {
				want := (2*(part*a+v*(255-a)) + 255) / 510
				if g := int(got >> (8 * i) & 0xff); g != want {
					t.Fatalf("component %d of %d over %d with opacity %d: %d, want %d", i, part, v, a, g, want)
				}
			}
		}
	}
}
