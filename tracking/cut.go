package tracking

import "github.com/carve-video/carve/car"

// cutBins is the number of bins a channel of the colour histogram has: coarse
// enough that noise and compression move little mass between bins.
const cutBins = 8

// cutDistance is the share of pixels whose colour must have changed for two
// neighbouring frames to be two shots. Objects that move displace their own
// area at most; fades spread the change over many frames; only a cut exchanges
// nearly half of a picture's colours at once.
const cutDistance = 0.45

// A cutDetector tells where one shot ends and the next begins, from the joint
// colour histograms of neighbouring frames. It is the simplest measure that
// motion does not trip: a histogram does not know where a pixel lies.
type cutDetector struct {
	last, next [cutBins * cutBins * cutBins]float32
	seen       bool
}

// cut reports whether img begins a new shot. The first image does not: there
// is nothing that it could be cut from.
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

// distance is half the L1 distance of two histograms: 0 for equal ones, 1 for
// ones that share no colour.
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
