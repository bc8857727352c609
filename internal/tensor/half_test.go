package tensor

import (
	"math"
	"testing"
)

// Every binary16 number survives conversion to float32 and back. Between two neighbours
// the nearer one is taken, in the middle the even one.
func TestFloat16(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := FromFloat16(h)
		if f != f {
			if g := ToFloat16(f); g&0x7c00 != 0x7c00 || g&0x3ff == 0 {
				t.Fatalf("%#04x is not a number, came back as %#04x", h, g)
			}
			continue
		}
		if g := ToFloat16(f); g != h {
			t.Fatalf("%#04x -> %v -> %#04x", h, f, g)
		}
		if h&0x7fff >= 0x7bff {
			continue // no finite upper neighbour
		}
		next := FromFloat16(h + 1)
		mid := float32((float64(f) + float64(next)) / 2)
		even := h + h&1
		if g := ToFloat16(mid); g != even {
			t.Fatalf("the middle %v above %#04x went to %#04x", mid, h, g)
		}
		if g := ToFloat16(math.Nextafter32(mid, f)); g != h {
			t.Fatalf("just below the middle above %#04x went to %#04x", h, g)
		}
		if g := ToFloat16(math.Nextafter32(mid, next)); g != h+1 {
			t.Fatalf("just above the middle above %#04x went to %#04x", h, g)
		}
	}
	for _, c := range []struct {
		f    float32
		want uint16
	}{{65519.99, 0x7bff}, {65520, 0x7c00}, {float32(math.Inf(-1)), 0xfc00}, {1e-30, 0}, {1, 0x3c00}} {
		if g := ToFloat16(c.f); g != c.want {
			t.Errorf("%v -> %#04x, want %#04x", c.f, g, c.want)
		}
	}
}
