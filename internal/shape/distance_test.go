package shape

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// squared computes squared distances in bands, as a Shaper's goroutines do.
func squared(src []uint8, w, h int, threshold uint8, limit uint16) []int32 {
	column, dst := make([]uint16, w*h), make([]int32, w*h)
	for x := 0; x < w; x += 5 {
		columnDistances(column, src, w, h, x, min(x+5, w), threshold, limit)
	}
	var e envelope
	for y := range h {
		e.rowDistances(dst[y*w:(y+1)*w], column[y*w:(y+1)*w], limit)
	}
	return dst
}

// TestDistances compares distances with a search over all sites.
func TestDistances(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		w, h := 1+random.IntN(40), 1+random.IntN(30)
		limit := uint16(1 + random.IntN(60))
		src := make([]uint8, w*h)
		for range random.IntN(1 + random.IntN(1+w*h/2)) {
			src[random.IntN(w*h)] = uint8(random.IntN(256))
		}
		got := squared(src, w, h, 100, limit)
		for i, d := range got {
			want := unreached
			for j, p := range src {
				if dx, dy := i%w-j%w, i/w-j/w; p >= 100 && max(dy, -dy) < int(limit) {
					want = min(want, dx*dx+dy*dy)
				}
			}
			if int(d) != want {
				t.Fatalf("%d×%d, limit %d, pixel %d,%d: %d, want %d\n%v", w, h, limit, i%w, i/w, d, want, src)
			}
		}
	}
}

func TestDistancesByHand(t *testing.T) {
	src := []uint8{
		0, 0, 0, 9, 0,
		0, 0, 0, 0, 0,
		9, 0, 0, 0, 0,
	}
	want := []int32{
		4, 4, 1, 0, 1,
		1, 2, 2, 1, 2,
		0, 1, 4, 4, 5,
	}
	if got := squared(src, 5, 3, 9, 9); !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}
