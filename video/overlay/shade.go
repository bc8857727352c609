package overlay

import (
	"math"
	"sync"

	"github.com/lucasb-eyer/go-colorful"
)

// shades is how many colours the instances of a query have before they repeat.
const shades = 8

// Shade returns the colour of an instance of a query: a lighter or darker one of about the
// query's hue. Instances are numbered from 1, and the first has the query's own colour.
func Shade(c [3]uint8, instance int) [3]uint8 {
	known, ok := shadesOf.Load(c)
	if !ok {
		known, _ = shadesOf.LoadOrStore(c, chooseShades(c))
	}
	return known.([shades][3]uint8)[(max(instance, 1)-1)%shades]
}

var shadesOf sync.Map // from a colour to its shades; there are as many as queries

// chooseShades chooses one shade after the other, each the farthest from those before it by
// CIEDE2000 (CIE 142:2001), so that a few instances differ the most. The candidates lie on a
// grid in Oklch (Ottosson, "A perceptual color space for image processing", 2020). Neither
// black nor white is among them.
func chooseShades(c [3]uint8) (chosen [shades][3]uint8) {
	_, chroma, hue := colour(c).OkLch()
	var candidates []colorful.Color
	for l := 0.3; l <= 0.96; l += 0.06 {
		for _, turn := range []float64{-15, 0, 15} {
			for _, part := range []float64{0.45, 1} {
				candidates = append(candidates, inGamut(l, chroma*part, hue+turn))
			}
		}
	}
	nearest := make([]float64, len(candidates)) // distance of each to the chosen ones
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	chosen[0] = c
	for n := 1; n < shades; n++ {
		last, best := colour(chosen[n-1]), 0
		for i, other := range candidates {
			nearest[i] = min(nearest[i], last.DistanceCIEDE2000(other))
			if nearest[i] > nearest[best] {
				best = i
			}
		}
		r, g, b := candidates[best].RGB255()
		chosen[n] = [3]uint8{r, g, b}
	}
	return chosen
}

// inGamut returns a colour with as much of the chroma as sRGB has at that lightness and hue.
func inGamut(l, chroma, hue float64) colorful.Color {
	for range 20 {
		if c := colorful.OkLch(l, chroma, hue); c.IsValid() {
			return c
		}
		chroma *= 0.9
	}
	return colorful.OkLch(l, 0, hue).Clamped()
}

func colour(c [3]uint8) colorful.Color {
	return colorful.Color{R: float64(c[0]) / 255, G: float64(c[1]) / 255, B: float64(c[2]) / 255}
}
