package dataset

import (
	"fmt"
	"math"
	"slices"
)

// stepsPerPixel is the fineness of the grid that the corners of polygons are rounded to.
const stepsPerPixel = 5

// maxCoordinate bounds the coordinates of a polygon, in pixels: far larger than any
// image, and small enough that walking along an edge ends soon.
const maxCoordinate = 1 << 16

// maxOutline bounds the length of all outlines of an annotation, in pixels, since they
// are walked step by step. maxPolygons bounds their number. COCO's longest have a
// hundred thousand pixels and some hundred polygons.
const (
	maxOutline  = 1 << 24
	maxPolygons = 10_000
)

// checkOutline finds polygons that are too many, too long together, or out of range.
func checkOutline(polygons [][]float64) error {
	if len(polygons) > maxPolygons {
		return fmt.Errorf("its outline has %d polygons; %d at most", len(polygons), maxPolygons)
	}
	length := 0.
	for _, xy := range polygons {
		n := len(xy) / 2
		for i := range n {
			if err := checkCorner(i, xy[2*i], xy[2*i+1]); err != nil {
				return err
			}
			j := (i + 1) % n
			length += max(math.Abs(xy[2*i]-xy[2*j]), math.Abs(xy[2*i+1]-xy[2*j+1]))
		}
	}
	if !(length <= maxOutline) {
		return fmt.Errorf("its outline is more than %d pixels long", maxOutline)
	}
	return nil
}

// checkCorner finds a corner that is out of range or not a number.
func checkCorner(i int, x, y float64) error {
	if !(math.Abs(x) < maxCoordinate && math.Abs(y) < maxCoordinate) {
		return fmt.Errorf("a polygon has its corner %d at %g, %g", i, x, y)
	}
	return nil
}

// paintPolygon sets the pixels of a w×h mask that lie in a polygon, given as x, y, x,
// y, … in pixels, where 0, 0 is the outer corner of the first pixel.
//
// Scores depend on which pixels along the outline are inside. This is COCO's rule.
// Corners are rounded to fifths of a pixel. An edge is a sequence of points on that
// finer grid, one for every step along its longer side, with the other coordinate
// rounded. Where the outline crosses the middle of a pixel column, from its third fifth
// to its fourth, the column changes between inside and outside. The change is at the
// first pixel whose middle is not above the upper of the two points. Pixels between the
// first and the second change are inside, between the third and the fourth, and so on:
// holes follow the even-odd rule.
func paintPolygon(mask []uint8, w, h int, xy []float64) error {
	if len(xy)%2 != 0 {
		return fmt.Errorf("a polygon has %d coordinates: one has no other", len(xy))
	}
	n := len(xy) / 2
	corners := make([]corner, n)
	for i := range corners {
		x, y := xy[2*i], xy[2*i+1]
		if err := checkCorner(i, x, y); err != nil {
			return err
		}
		corners[i] = corner{int(stepsPerPixel*x + 0.5), int(stepsPerPixel*y + 0.5)} // towards 0, as COCO does
	}
	changes := make([][]int, w) // by column: the pixels at which it changes
	for i := range corners {
		walk(corners[i], corners[(i+1)%n], func(a, b corner) {
			x := min(a.x, b.x) - stepsPerPixel/2
			if a.x == b.x || x < 0 || x%stepsPerPixel != 0 || x/stepsPerPixel >= w {
				return
			}
			// The middle of pixel y is at 5y+2 fifths. This is the first that is not
			// above.
			y := (min(a.y, b.y) - stepsPerPixel/2 + stepsPerPixel - 1)
			changes[x/stepsPerPixel] = append(changes[x/stepsPerPixel], min(max(floorDiv(y, stepsPerPixel), 0), h))
		})
	}
	for x, at := range changes {
		slices.Sort(at)
		// A closed outline crosses a column an even number of times.
		for i := 0; i+1 < len(at); i += 2 {
			for y := at[i]; y < at[i+1]; y++ {
				mask[y*w+x] = 1
			}
		}
	}
	return nil
}

// A corner is a point in fifths of a pixel.
type corner struct{ x, y int }

// walk calls step for each pair of neighbouring points of an edge. It goes towards the
// larger coordinate in either direction of the edge, so that two polygons that share an
// edge share its points.
func walk(a, b corner, step func(from, to corner)) {
	dx, dy := abs(b.x-a.x), abs(b.y-a.y)
	flat := dx >= dy
	if flat && a.x > b.x || !flat && a.y > b.y {
		a, b = b, a
	}
	last := a
	for t := 1; t <= max(dx, dy); t++ {
		p := corner{a.x + t, a.y + t}
		if flat {
			p.y = int(float64(a.y) + float64(b.y-a.y)/float64(dx)*float64(t) + 0.5)
		} else {
			p.x = int(float64(a.x) + float64(b.x-a.x)/float64(dy)*float64(t) + 0.5)
		}
		step(last, p)
		last = p
	}
}

func abs(n int) int { return max(n, -n) }

// floorDiv returns n/d rounded down.
func floorDiv(n, d int) int {
	q := n / d
	if n%d != 0 && (n < 0) != (d < 0) {
		q--
	}
	return q
}
