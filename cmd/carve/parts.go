package main

import (
	"fmt"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// A part is what is drawn in one colour under one name: a concept, or one thing of
// it where things are numbered.
type part struct {
	query       int
	id          int // 0 for the concept as a whole
	label       string
	score       float32
	colour      [3]uint8
	probability []float32
}

// partsOf are the parts of a frame, in the order of the queries.
func partsOf(shown []car.Found, instances []tracking.Instance, colours [][3]uint8, w, h int) []part {
	var parts []part
	for i := range shown {
		f := &shown[i]
		var own []*tracking.Instance
		for k := range instances {
			if instances[k].Query == f.Query {
				own = append(own, &instances[k])
			}
		}
		whole := part{query: f.Query, label: f.Label, score: f.Score, colour: colours[f.Query], probability: f.Probability}
		if len(own) == 0 {
			parts = append(parts, whole)
			continue
		}
		shares := [][]float32{f.Probability}
		if len(own) > 1 {
			shares = shareOut(f.Probability, own, w, h)
		}
		for k, in := range own {
			p := whole
			p.id, p.label = in.ID, fmt.Sprintf("%s %d", f.Label, in.ID)
			p.colour, p.probability = shade(whole.colour, in.ID), shares[k]
			parts = append(parts, p)
		}
	}
	return parts
}

// softEdge is how far the soft outline of a mask reaches beyond it, in pixels.
const softEdge = 3

// shareOut deals the soft mask of a concept to its things: what lies outside of
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

// nearestOwner finds who has the nearest pixel, within the soft edge; -1 for nobody.
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

// shade tells the things of one concept apart: lighter, darker, and so on.
func shade(c [3]uint8, id int) [3]uint8 {
	steps := [...]float64{0, .45, -.35, .7, -.6}
	s := steps[(id-1)%len(steps)]
	for i, v := range c {
		to := 255.
		if s < 0 {
			to = 0
		}
		c[i] = uint8(float64(v) + max(s, -s)*(to-float64(v)))
	}
	return c
}
