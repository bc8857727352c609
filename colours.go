package carve

import (
	"fmt"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video/overlay"
)

// Colours returns the colour of each query as red, green and blue: its own, or the one
// that the palette has for its ID or, without one, for its place. It fails where a query
// names a colour that is none.
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

// shade tells the things of one query apart: lighter, darker, and so on.
func shade(c [3]uint8, thing int) [3]uint8 {
	steps := [...]float64{0, .45, -.35, .7, -.6}
	s := steps[(thing-1)%len(steps)]
	for i, v := range c {
		to := 255.
		if s < 0 {
			to = 0
		}
		c[i] = uint8(float64(v) + max(s, -s)*(to-float64(v)))
	}
	return c
}
