package carve

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video/overlay"
)

// Layers returns the layers of a result, in the order of the queries: one for each query
// with pixels, or one for each of its instances if there are any. colours has the colour of
// each query. [Upsampler.Masks] fills in the masks.
func Layers(result *car.Result, instances []tracking.Instance, colours [][3]uint8) []Layer {
	return appendLayers(nil, result, instances, colours)
}

// appendLayers appends what Layers returns.
func appendLayers(layers []Layer, result *car.Result, instances []tracking.Instance, colours [][3]uint8) []Layer {
	for i := range result.Found {
		f := &result.Found[i]
		if f.Area == 0 {
			continue // it is present, but has no pixels
		}
		var own []*tracking.Instance
		for k := range instances {
			if instances[k].Query == f.Query {
				own = append(own, &instances[k])
			}
		}
		whole := Layer{Query: f.Query, Label: f.Label, Score: f.Score, Colour: colours[f.Query], probability: f.Probability}
		if len(own) == 0 {
			layers = append(layers, whole)
			continue
		}
		shares := [][]float32{f.Probability}
		if len(own) > 1 {
			shares = splitMask(f.Probability, own, result.W, result.H)
		}
		for k, in := range own {
			l := whole
			l.Instance, l.Label = in.ID, fmt.Sprintf("%s %d", f.Label, in.ID)
			l.Colour, l.probability = overlay.Shade(whole.Colour, in.ID), shares[k]
			layers = append(layers, l)
		}
	}
	return layers
}

// hasLayer reports whether a query has a layer.
func hasLayer(layers []Layer, query int) bool {
	return slices.ContainsFunc(layers, func(l Layer) bool { return l.Query == query })
}

// softEdge is how far the soft mask reaches beyond the mask, in pixels.
const softEdge = 3

// splitMask splits the soft mask of a query among its instances. Pixels outside all of
// them, which form the soft outline, go to the nearest one.
func splitMask(probability []float32, own []*tracking.Instance, w, h int) [][]float32 {
	shares := make([][]float32, len(own))
	for k := range shares {
		shares[k] = make([]float32, w*h)
	}
	ownerOf := func(p int) int { // -1 for none
		for k, in := range own {
			if in.Mask[p] != 0 {
				return k
			}
		}
		return -1
	}
	for y := range h {
		for x := range w {
			p := y*w + x
			if probability[p] < 1./512 { // rounds to nothing in 8 bits
				continue
			}
			k := ownerOf(p)
			if k < 0 {
				k = nearestOwner(x, y, w, h, ownerOf)
			}
			if k >= 0 {
				shares[k][p] = probability[p]
			}
		}
	}
	return shares
}

// nearestOwner returns the instance with the nearest pixel within softEdge, or -1.
func nearestOwner(x, y, w, h int, ownerOf func(p int) int) int {
	owner, nearest := -1, 2*softEdge*softEdge+1
	for ny := max(y-softEdge, 0); ny <= min(y+softEdge, h-1); ny++ {
		for nx := max(x-softEdge, 0); nx <= min(x+softEdge, w-1); nx++ {
			if d := (nx-x)*(nx-x) + (ny-y)*(ny-y); d < nearest {
				if o := ownerOf(ny*w + nx); o >= 0 {
					owner, nearest = o, d
				}
			}
		}
	}
	return owner
}
