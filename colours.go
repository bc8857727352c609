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

// shade returns the colour of an instance of a query: lighter or darker than the query's,
// so that instances can be told apart. Instances are numbered from 1.
func shade(c [3]uint8, instance int) [3]uint8 {
	steps := [...]float64{0, .45, -.35, .7, -.6} // towards white, or black if negative
	s := steps[(instance-1)%len(steps)]
	for i, v := range c {
		end := 255.
		if s < 0 {
			end = 0
		}
		c[i] = uint8(float64(v) + max(s, -s)*(end-float64(v)))
	}
	return c
}
