package tracking

import (
	"cmp"
	"image"
	"slices"

	"github.com/carve-video/carve/car"
)

// histogramBins is the number of cells of a colour histogram: the RGB cube in 4×4×4.
const histogramBins = 64

// regions returns the 8-connected parts of a mask, as lists of pixels, the largest first.
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

// appearance returns the colour histogram of a region, and its box.
func (r *InstanceTracker) appearance(img *car.Image, region []int32) (histogram [histogramBins]float32, box image.Rectangle) {
	one := 1 / float32(len(region))
	for k, p := range region {
		c := img.Pix[3*p : 3*p+3]
		histogram[int(c[0]>>6)<<4|int(c[1]>>6)<<2|int(c[2]>>6)] += one
		at := image.Rect(int(p)%r.w, int(p)/r.w, int(p)%r.w+1, int(p)/r.w+1)
		if k == 0 {
			box = at
		} else {
			box = box.Union(at)
		}
	}
	return histogram, box
}

// histogramOverlap is the intersection of two histograms, 0..1.
func histogramOverlap(a, b *[histogramBins]float32) (sum float32) {
	for i, v := range a {
		sum += min(v, b[i])
	}
	return sum
}

// boxDistance is the distance between the centres of two boxes: the sum of both
// coordinates' differences, each as a share of the frame's side.
func boxDistance(a, b image.Rectangle, w, h int) float32 {
	dx := float32(a.Min.X+a.Max.X-b.Min.X-b.Max.X) / float32(2*w)
	dy := float32(a.Min.Y+a.Max.Y-b.Min.Y-b.Max.Y) / float32(2*h)
	return max(dx, -dx) + max(dy, -dy)
}
