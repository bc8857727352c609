package tracking

import "github.com/carve-video/carve/car"

// cutBins is the number of bins per channel of the colour histogram. They are so coarse
// that noise and compression move little mass between them.
const cutBins = 8

// cutDistance is the histogram distance, 0..1, above which two neighbouring frames belong
// to two shots. It is the share of pixels whose colour changed. An object that moves
// changes its own area at most, and a fade spreads the change over many frames: only a cut
// exchanges nearly half of a frame's colours at once.
const cutDistance = 0.45

// A cutDetector finds where one shot ends and the next begins, from the joint colour
// histograms of neighbouring frames. Motion does not trigger it, because a histogram does
// not depend on where a pixel lies.
type cutDetector struct {
	last, next [cutBins * cutBins * cutBins]float32
	seen       bool
}

// cut reports whether img begins a new shot. The first frame does not.
func (d *cutDetector) cut(img *car.Image) bool {
	histogram(img, &d.next)
	cut := d.seen && distance(&d.last, &d.next) > cutDistance
	d.last, d.seen = d.next, true
	return cut
}

// histogram fills h with the share of pixels in each cell of the RGB cube.
func histogram(img *car.Image, h *[cutBins * cutBins * cutBins]float32) {
	clear(h[:])
	one := 1 / float32(img.W*img.H)
	for i := 0; i+2 < len(img.Pix); i += 3 {
		r, g, b := cutBin(img.Pix[i]), cutBin(img.Pix[i+1]), cutBin(img.Pix[i+2])
		h[(r*cutBins+g)*cutBins+b] += one
	}
}

func cutBin(v uint8) int { return int(v) * cutBins / 256 }

// distance is half the L1 distance of two histograms: 0 if they are equal, 1 if they share
// no colour.
func distance(a, b *[cutBins * cutBins * cutBins]float32) float32 {
	var sum float32
	for i := range a {
		if d := a[i] - b[i]; d > 0 {
			sum += d
		} else {
			sum -= d
		}
	}
	return sum / 2
}
