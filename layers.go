package carve

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// Layers are what there is to see of a result, in the order of the queries: one layer for
// each query with pixels, or one for each of its things where instances has any. Their
// masks are made by [Upsampler.Masks]. colours has the colour of each query.
func Layers(result *car.Result, instances []tracking.Instance, colours [][3]uint8) []Layer {
	return appendLayers(nil, result, instances, colours)
}

// appendLayers is Layers with the memory of earlier ones.
func appendLayers(layers []Layer, result *car.Result, instances []tracking.Instance, colours [][3]uint8) []Layer {
	for i := range result.Found {
		f := &result.Found[i]
		if f.Area == 0 {
			continue // it was kept, and won no pixel
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
			shares = shareOut(f.Probability, own, result.W, result.H)
		}
		for k, in := range own {
			l := whole
			l.Instance, l.Label = in.ID, fmt.Sprintf("%s %d", f.Label, in.ID)
			l.Colour, l.probability = shade(whole.Colour, in.ID), shares[k]
			layers = append(layers, l)
		}
	}
	return layers
}

// shows reports whether there is something of a query to see.
func shows(layers []Layer, query int) bool {
	return slices.ContainsFunc(layers, func(l Layer) bool { return l.Query == query })
}

// softEdge is how far the soft outline of a mask reaches beyond it, in pixels.
const softEdge = 3

// shareOut deals the soft mask of a query to its things: what lies outside of
// all of them, the soft outline, to the nearest.
func shareOut(probability []float32, own []*tracking.Instance, w, h int) [][]float32 {
	shares := make([][]float32, len(own))
	for k := range shares {
		shares[k] = make([]float32, w*h)
	}
	whose := func(p int) int {
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
			if probability[p] < 1./512 { // nothing of it would be drawn
				continue
			}
			k := whose(p)
			if k < 0 {
				k = nearestOwner(x, y, w, h, whose)
			}
			if k >= 0 {
				shares[k][p] = probability[p]
			}
		}
	}
	return shares
}

// nearestOwner finds the thing with the nearest pixel, within the soft edge; -1 if there
// is none.
func nearestOwner(x, y, w, h int, whose func(p int) int) int {
	owner, nearest := -1, 2*softEdge*softEdge+1
	for ny := max(y-softEdge, 0); ny <= min(y+softEdge, h-1); ny++ {
		for nx := max(x-softEdge, 0); nx <= min(x+softEdge, w-1); nx++ {
			if d := (nx-x)*(nx-x) + (ny-y)*(ny-y); d < nearest {
				if o := whose(ny*w + nx); o >= 0 {
					owner, nearest = o, d
				}
			}
		}
	}
	return owner
}
