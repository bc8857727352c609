package tracking

import "github.com/carve-video/carve/car"

// cutBins is the number of bins per channel of the colour histogram. They are so coarse
// that noise and compression move little mass between them.
const cutBins = 8

// A colourHistogram is the share of pixels in each cell of the RGB cube. Motion changes it
// little, because it does not depend on where a pixel lies; a cut changes it at once.
type colourHistogram [cutBins * cutBins * cutBins]float32

// fill makes it the histogram of an image.
func (h *colourHistogram) fill(img *car.Image) {
	clear(h[:])
	one := 1 / float32(img.W*img.H)
	for i := 0; i+2 < len(img.Pix); i += 3 {
		r, g, b := cutBin(img.Pix[i]), cutBin(img.Pix[i+1]), cutBin(img.Pix[i+2])
		h[(r*cutBins+g)*cutBins+b] += one
	}
}

func cutBin(v uint8) int { return int(v) * cutBins / 256 }

// distance is half the L1 distance of two histograms: 0 if they are equal, 1 if they share
// no colour. It is the share of pixels whose colour changed.
func (h *colourHistogram) distance(other *colourHistogram) float32 {
	var sum float32
	for i := range h {
		if d := h[i] - other[i]; d > 0 {
			sum += d
		} else {
			sum -= d
		}
	}
	return sum / 2
}
