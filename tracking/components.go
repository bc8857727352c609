package tracking

import (
	"cmp"
	"image"
	"slices"

	"github.com/carve-video/carve/car"
)

// Things are compared by how their colours are spread over a cube of 4×4×4.
const histogramBins = 64

// regions are the connected parts of a mask, as lists of pixels, the largest first.
// They share memory.
func (r *InstanceTracker) regions(mask []uint8) [][]int32 {
	var all [][]int32
	clear(r.regionOf)
	used := 0
	for start, m := range mask[:r.w*r.h] {
		if m == 0 || r.regionOf[start] != 0 {
			continue
		}
		first := used
		r.queue[used] = int32(start)
		used++
		r.regionOf[start] = int32(len(all) + 1)
		for head := first; head < used; head++ {
			p := int(r.queue[head])
			x, y := p%r.w, p/r.w
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					nx, ny := x+dx, y+dy
					if nx < 0 || ny < 0 || nx >= r.w || ny >= r.h {
						continue
					}
					if q := ny*r.w + nx; mask[q] != 0 && r.regionOf[q] == 0 {
						r.regionOf[q] = int32(len(all) + 1)
						r.queue[used] = int32(q)
						used++
					}
				}
			}
		}
		all = append(all, slices.Clone(r.queue[first:used]))
	}
	slices.SortStableFunc(all, func(a, b []int32) int { return cmp.Compare(len(b), len(a)) })
	return all
}

// looks are the colours of a region, and its box.
func (r *InstanceTracker) appearance(img *car.Image, region []int32) (look [histogramBins]float32, box image.Rectangle) {
	one := 1 / float32(len(region))
	for k, p := range region {
		c := img.Pix[3*p : 3*p+3]
		look[int(c[0]>>6)<<4|int(c[1]>>6)<<2|int(c[2]>>6)] += one
		at := image.Rect(int(p)%r.w, int(p)/r.w, int(p)%r.w+1, int(p)/r.w+1)
		if k == 0 {
			box = at
		} else {
			box = box.Union(at)
		}
	}
	return look, box
}

// common is the share of colours that two looks have in common.
func histogramOverlap(a, b *[histogramBins]float32) (sum float32) {
	for i, v := range a {
		sum += min(v, b[i])
	}
	return sum
}

// away is how far the middles of two boxes are apart, over the picture's sides.
func boxDistance(a, b image.Rectangle, w, h int) float32 {
	dx := float32(a.Min.X+a.Max.X-b.Min.X-b.Max.X) / float32(2*w)
	dy := float32(a.Min.Y+a.Max.Y-b.Min.Y-b.Max.Y) / float32(2*h)
	return max(dx, -dx) + max(dy, -dy)
}
