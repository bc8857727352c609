package car

import "image"

// A Result holds the masks of one image.
type Result struct {
	W, H int

	// Found are the queries that were kept, in the order of the bank.
	Found []Found

	// Verdicts has an entry for every query of the bank, in its order, found or not.
	Verdicts []Verdict

	// Labels is the label map: 0 is background, k+1 query k of the bank. Where
	// masks overlap, the higher score wins, and things win over stuff (docs/algorithm.md 6.2).
	Labels []uint16

	// Stages is the record of the loop.
	Stages []Stage
}

// Found is the result of one query that was kept.
type Found struct {
	Query int    // index in the bank
	Label string // of the query
	Judgement
	// Mask has one byte a pixel, W×H: 1 where the query wins, 0 elsewhere. Masks do
	// not overlap unless the preset allows it.
	Mask []uint8
	// Probability is the refined probability, 0..1, W×H: the soft mask. At each
	// pixel those of all queries sum to 1 at most, unless masks may overlap.
	Probability []float32
	Stats
}

// Stats describe a mask.
type Stats struct {
	Area     int             // pixels
	Coverage float32         // Area's share of the image, 0..1
	Box      image.Rectangle // bounding box, empty if the mask is
	CX, CY   float32         // centroid, in pixels; 0, 0 if the mask is empty
	// Confidence is the mean of Probability over the mask, 0..1.
	Confidence float32
}

// A Verdict says whether a query was found, and if not, why.
type Verdict struct {
	Query int    // index in the bank
	Label string // of the query
	Judgement
	// Reason says why the query was not found.
	Reason Reason
}

// A Reason says why a query was not found; it is empty if the query was found.
type Reason string

// The reasons.
const (
	NotEvaluated Reason = "not asked" // the query was not part of any stage
	LowScore     Reason = "score"     // its proposal is more similar to other queries
	LowPresence  Reason = "presence"  // its proposal is more similar to contrast or background words
	NoPixels     Reason = "no pixel"  // it was kept but won no pixel: it is in Found, with an empty mask
)

// measure computes the stats of the mask.
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

// Lookup returns the entry of a query of the bank, or nil.
func (r *Result) Lookup(query int) *Found {
	for i := range r.Found {
		if r.Found[i].Query == query {
			return &r.Found[i]
		}
	}
	return nil
}

// Merge combines the masks of several queries for one object into one mask of w×h,
// one byte a pixel (docs/algorithm.md 6.4). It covers the pixels where the mean of the masks,
// weighted by score, reaches one half. If that is no more than a twentieth of the
// image, it is their union instead.
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
