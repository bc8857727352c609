package carve

import (
	"fmt"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video/overlay"
)

// Colours returns the colour of each query as red, green and blue. A query without a
// colour gets that of its ID in the palette, or, without an ID, that of its index. Colours
// fails if a query's colour cannot be parsed.
func Colours(queries []car.Query) ([][3]uint8, error) {
	colours := make([][3]uint8, len(queries))
	for i, q := range queries {
		colours[i] = overlay.Colour(i)
		if q.ID > 0 {
			colours[i] = overlay.Colour(q.ID - 1)
		}
		if q.Colour == "" {
			continue
		}
		c, err := overlay.ParseColour(q.Colour)
		if err != nil {
			return nil, fmt.Errorf("query %q: %w", q.Label, err)
		}
		colours[i] = c
	}
	return colours, nil
}

// A recolouring gives the layers of a sink the colours of a palette. Queries have the numbers
// that [Masks] gives them in indexed images, in the order in which they come.
type recolouring struct {
	palette overlay.Palette
	only    queryIDs    // of the queries that have numbers
	numbers map[int]int // of queries, by ID, from 0
}

// set takes up the queries that are new.
func (r *recolouring) set(queries []car.Query) {
	if r.numbers == nil {
		r.numbers = make(map[int]int)
	}
	for i, q := range queries {
		id := queryID(q, i)
		if _, known := r.numbers[id]; !known && r.only.has(id) {
			r.numbers[id] = len(r.numbers)
		}
	}
}

// colour returns the colour of a query or of one of its instances, 0 for the query itself.
// chosen is its colour in the run.
func (r *recolouring) colour(q *car.Query, place int, chosen [3]uint8, instance int) [3]uint8 {
	if r.palette == overlay.PaletteSafe || q.Colour != "" {
		return chosen
	}
	return overlay.Shade(r.palette.Colour(r.numbers[queryID(*q, place)]), instance)
}
