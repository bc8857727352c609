package car

import "image"

// A Result is what was found in a picture.
type Result struct {
	W, H int

	// Found are the queries that were kept, in the order of the bank.
	Found []Found

	// Verdicts are what became of every query of the bank, in its order, of those
	// that were not found as well.
	Verdicts []Verdict

	// Labels is the label map: 0 is background, k+1 query k of the bank. Where
	// masks meet, the higher score wins, and things win over stuff (docs/algorithm.md 6.2).
	Labels []uint16

	// Stages says how it came to that.
	Stages []Stage
}

// Found is one query's part of a result.
type Found struct {
	Query int    // index in the bank
	Label string // of the query
	Judgement
	// Mask has a byte a pixel, 1 where the query wins: W×H. Masks exclude each
	// other, unless the preset lets them overlap.
	Mask []uint8
	// Probability is the refined probability, 0..1, W×H: the soft mask. Those of
	// all that was found add up to 1 at most, unless they may overlap.
	Probability []float32
	Stats
}

// Stats are figures of a mask.
type Stats struct {
	Area     int             // pixels
	Coverage float32         // Area's share of the picture, 0..1
	Box      image.Rectangle // the smallest that holds it, empty if the mask is
	CX, CY   float32         // its centroid, in pixels; 0, 0 if the mask is empty
	// Confidence is the mean of Probability over the mask, 0..1.
	Confidence float32
}

// A Verdict is what became of a query.
type Verdict struct {
	Query int    // index in the bank
	Label string // of the query
	Judgement
	// Reason says why it was not found.
	Reason Reason
}

// A Reason is why a query was not found; empty, it was.
type Reason string

// The reasons.
const (
	NotEvaluated Reason = "not asked" // in this picture
	LowScore     Reason = "score"     // its proposal looks more like other queries
	LowPresence  Reason = "presence"  // its proposal looks more like something that was not asked for
	NoPixels     Reason = "no pixel"  // it was kept, and won no pixel: it is in Found, with an empty mask
)

// measure fills in the figures of the mask.
func (f *Found) measure(w int) {
	f.Stats = Stats{}
	var sx, sy int64
	sum := 0.0
	for y := 0; y*w < len(f.Mask); y++ {
		row, p := f.Mask[y*w:(y+1)*w], f.Probability[y*w:(y+1)*w]
		n := 0
		for x, m := range row {
			if m != 0 {
				n++
				sx += int64(x)
				sum += float64(p[x])
			}
		}
		f.Area += n
		sy += int64(n) * int64(y)
	}
	if f.Area == 0 {
		return
	}
	n := float64(f.Area)
	f.Coverage = float32(n / float64(len(f.Mask)))
	f.CX, f.CY = float32(float64(sx)/n), float32(float64(sy)/n)
	f.Confidence = float32(sum / n)
	x0, y0, x1, y1 := bounds(f.Mask, w)
	f.Box = image.Rect(x0, y0, x1, y1)
}

// Lookup returns the part of a query of the bank, or nil.
func (r *Result) Lookup(query int) *Found {
	for i := range r.Found {
		if r.Found[i].Query == query {
			return &r.Found[i]
		}
	}
	return nil
}

// Merge makes one mask of several that mean one object, at the size w×h
// (algorithm.md 6.4): their mean, weighted by score, where it reaches one half; or,
// where that covers no more than a twentieth of the picture, their union. It has a byte a
// pixel.
func (r *Result) Merge(w, h int) []uint8 {
	n := r.W * r.H
	mean, total := make([]float32, n), float32(0)
	for i := range r.Found {
		total += r.Found[i].Score
		for j, m := range r.Found[i].Mask {
			mean[j] += r.Found[i].Score * float32(m)
		}
	}
	merged := make([]uint8, w*h)
	if total == 0 {
		return merged
	}
	for j := range mean {
		mean[j] /= total
	}
	resized := make([]float32, w*h)
	resizeBilinear(mean, r.W, r.H, resized, w, h, &bilinearScratch{})
	area := 0
	for j, v := range resized {
		if v >= 0.5 {
			merged[j] = 1
			area++
		}
	}
	if float64(area) > 0.05*float64(w*h) {
		return merged
	}
	clear(merged)
	for i := range r.Found {
		orResized(merged, w, h, r.Found[i].Mask, r.W, r.H)
	}
	return merged
}
