package models

import (
	"fmt"

	"github.com/carve-video/carve/car"
)

// A grid is the size of an image in patches.
type grid struct{ rows, cols int }

func (g grid) patches() int { return g.rows * g.cols }

// gridOf returns the grid of an image, or an error if its sides are not multiples of the
// patch.
func gridOf(img *car.Image, patch int) (grid, error) {
	if img.W <= 0 || img.H <= 0 || img.W%patch != 0 || img.H%patch != 0 {
		return grid{}, fmt.Errorf("an image of %dx%d is not made of patches of %d pixels", img.W, img.H, patch)
	}
	if len(img.Pix) != 3*img.W*img.H {
		return grid{}, fmt.Errorf("an image of %dx%d has %d bytes, want %d", img.W, img.H, len(img.Pix), 3*img.W*img.H)
	}
	return grid{img.H / patch, img.W / patch}, nil
}

// gridOfAll is gridOf for images of one batch, which must have the same size.
func gridOfAll(images []*car.Image, patch int) (grid, error) {
	first, err := gridOf(images[0], patch)
	if err != nil {
		return first, err
	}
	for i, img := range images[1:] {
		if g, err := gridOf(img, patch); err != nil {
			return first, err
		} else if g != first {
			return first, fmt.Errorf("image %d is %dx%d and the first one %dx%d: the images of a call have one size",
				i+1, img.W, img.H, images[0].W, images[0].H)
		}
	}
	return first, nil
}

// extractPatches writes the patches of an image one after the other, row-major, each as a
// red, a green and a blue plane: N×3×p×p, the layout of the first convolution's weights.
func extractPatches(out []uint8, img *car.Image, patch int) {
	cols, area := img.W/patch, patch*patch
	for y := range img.H {
		row := img.Pix[3*y*img.W:][:3*img.W]
		for c := range cols {
			to := out[((y/patch)*cols+c)*3*area+(y%patch)*patch:]
			r, g, b := to[:patch], to[area:][:patch], to[2*area:][:patch]
			from := row[3*c*patch:][:3*patch]
			for i := range patch {
				r[i], g[i], b[i] = from[3*i], from[3*i+1], from[3*i+2]
			}
		}
	}
}

// positionTables caches the tables of recent grids. A video has one size, and the judge's
// images have one or a few.
type positionTables struct {
	trained []float32
	width   int
	tables  map[grid][]float32
}

// maxTables is the largest number of cached tables, so that images of always new sizes do
// not exhaust memory.
const maxTables = 16

func (p *positionTables) table(g grid) []float32 {
	if t, ok := p.tables[g]; ok {
		return t
	}
	if p.tables == nil || len(p.tables) >= maxTables {
		p.tables = map[grid][]float32{}
	}
	t := positions(p.trained, p.width, g.rows, g.cols)
	p.tables[g] = t
	return t
}
