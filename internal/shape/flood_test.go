package shape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHoles(t *testing.T) {
	for _, c := range []struct {
		name     string
		o        Options
		in, want string
	}{
		{"all", Options{FillHoles: math.Inf(1)},
			`.......  .#####.  .#...#.  .#.#.#.  .#####.  .......`,
			`.......  .#####.  .#####.  .#####.  .#####.  .......`},
		{"up to a size", Options{FillHoles: 1},
			`#########  #.#..#..#  #.##.#.##  #.###.#.#  #########`,
			`#########  #.#..#..#  #.##.#.##  #.#######  #########`},
		{"none", Options{},
			`###  #.#  ###`,
			`###  #.#  ###`},
		{"open at the border", Options{FillHoles: math.Inf(1)},
			`#.###  #...#  ###.#  #.###  #.#..`,
			`#.###  #...#  ###.#  #.###  #.#..`},
		{"a gap at a corner does not open a hole", Options{FillHoles: math.Inf(1)},
			`.##.  #..#  .##.`,
			`.##.  ####  .##.`},
		{"soft, the outer edge stays", Options{FillHoles: math.Inf(1), Soft: true},
			`.35799.  ######9  #515##9  #.0.##8  #515##7  ######6  .......`,
			`.35799.  ######9  ######9  ######8  ######7  ######6  .......`},
		{"soft, a rim that is nowhere full", Options{FillHoles: math.Inf(1), Soft: true},
			`.789.  79998  8#1#7  .999.`,
			`.789.  79998  8#9#7  .999.`},
		{"soft, an opening of 4 in the rim", Options{FillHoles: math.Inf(1), Soft: true},
			`5#####  5#..24  5#####`,
			`5#####  5#4444  5#####`},
		{"soft, of an area that is measured in whole pixels", Options{FillHoles: 1.1, Soft: true},
			`#######  #5#46#2  ###.###  #######  #6#4#7#  #######`,
			`#######  ###46#2  ###.###  #######  #######  #######`},
	} {
		checkDrawn(t, "holes: "+c.name, c.o, c.in, c.want)
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		name     string
		o        Options
		in, want string
	}{
		{"below the area", Options{MinArea: 3},
			`##..#  ....#  #....  ...#.  ..##.`,
			`.....  .....  .....  ...#.  ..##.`},
		{"connected by a corner", Options{MinArea: 3},
			`#....  .#...  ..#.#  .....  ...##`,
			`#....  .#...  ..#..  .....  .....`},
		{"none", Options{},
			`#.#  ...  #.#`,
			`#.#  ...  #.#`},
		{"soft edges go along, soft pixels alone too", Options{MinArea: 2, Soft: true},
			`2342...  3##2.34  2322...  ......2  3#3....  ..1....`,
			`2342...  3##2...  2322...  .......  .......  .......`},
		{"soft, over a bridge of 2", Options{MinArea: 3, Soft: true},
			`#####  ..2..  ..3..  .4#4.`,
			`#####  ..2..  ..2..  .222.`},
		{"all", Options{MinArea: 9, Soft: true},
			`##.  .3#`,
			`...  ...`},
	} {
		checkDrawn(t, "parts: "+c.name, c.o, c.in, c.want)
	}
}

// wetAt returns the level at which [flood.run] wets each pixel from the border. It repeats
// a step until nothing changes.
func wetAt(value []uint8, w, h int) []uint8 {
	level := make([]uint8, len(value))
	for i, p := range value {
		level[i] = p
		if x, y := i%w, i/w; x > 0 && x < w-1 && y > 0 && y < h-1 {
			level[i] = 255
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range level {
			if x, y := i%w, i/w; x > 0 && x < w-1 && y > 0 && y < h-1 {
				l := max(value[i], min(level[i-1], level[i+1], level[i-w], level[i+w]))
				changed = changed || l != level[i]
				level[i] = l
			}
		}
	}
	return level
}

// components returns the sets of pixels that member takes, connected by steps of a
// squared length of at most reach.
func components(w, h, reach int, member func(i int) bool) (sets [][]int) {
	seen := make([]bool, w*h)
	for first := range w * h {
		if seen[first] || !member(first) {
			continue
		}
		seen[first] = true
		set := []int{first}
		for k := 0; k < len(set); k++ {
			for j := range w * h {
				dx, dy := set[k]%w-j%w, set[k]/w-j/w
				if !seen[j] && member(j) && dx*dx+dy*dy <= reach {
					seen[j] = true
					set = append(set, j)
				}
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// TestFloodAgainstDefinition compares filled holes and dropped parts with what [Options]
// say of them.
func TestFloodAgainstDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	for range 200 {
		w, h := 1+random.IntN(18), 1+random.IntN(18)
		mask := randomMask(random, w, h)
		limit := 6 * random.Float64()

		want, level := slices.Clone(mask), wetAt(mask, w, h)
		for _, hole := range components(w, h, 1, func(i int) bool { return level[i] > mask[i] }) {
			sum := 0
			for _, i := range hole {
				sum += int(level[i] - mask[i])
			}
			if float64(sum)/255 <= limit {
				for _, i := range hole {
					want[i] = level[i]
				}
			}
		}
		if got := apply(t, Options{FillHoles: limit, Soft: true}, mask, w, h); !slices.Equal(got, want) {
			t.Fatalf("%d×%d, holes of %g: %d\nwant %d\nfrom %d", w, h, limit, got, want, mask)
		}

		// What stays spreads to all neighbours, but nowhere above the mask.
		clear(want)
		for _, part := range components(w, h, 2, func(i int) bool { return mask[i] >= 128 }) {
			if float64(len(part)) >= limit {
				for _, i := range part {
					want[i] = mask[i]
				}
			}
		}
		for changed := true; changed; {
			changed = false
			for i := range want {
				for j := range want {
					dx, dy := i%w-j%w, i/w-j/w
					if p := min(want[j], mask[i]); p > want[i] && dx*dx+dy*dy <= 2 {
						want[i], changed = p, true
					}
				}
			}
		}
		if got := apply(t, Options{MinArea: limit, Soft: true}, mask, w, h); !slices.Equal(got, want) {
			t.Fatalf("%d×%d, parts of %g: %d\nwant %d\nfrom %d", w, h, limit, got, want, mask)
		}
	}
}
