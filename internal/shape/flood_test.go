package shape

import (
	"math"
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
		{"up to a size", Options{FillHoles: 2},
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
