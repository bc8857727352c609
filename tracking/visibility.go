package tracking

import "slices"

// When an object appeared or vanished between two key frames, the pending frames between
// them have to be assigned to one side. Motion alone doesn't tell: in a dissolve every
// frame is explained by the one before. But the two key frames show the place with the
// object and without it, and the frame in between is a mixture of the two. The share of
// the object in the mixture changes at once if it came into view, and bit by bit if it
// fades.

// The thresholds of visibility were chosen on the standing suite and on clips of seeds 2
// and 3 (see docs/memory.md).
const (
	// visibleAbove is the share, 0..1, of an object in a frame from which it is visible.
	visibleAbove = 0.5
	// minTemplateDifference is the RMS difference, of 255, that the templates with and
	// without the object must have to tell them apart.
	minTemplateDifference = 6.0
	// maxMixtureResidual is the most that a mixture may leave unexplained, as a share of
	// the squared difference of the templates. More is left where an occluder covers the
	// object bit by bit, or where the motion is wrong.
	maxMixtureResidual = 0.15
)

// visibleShare estimates, by least squares, the share of an object in the brightness of a
// frame inside its mask. The frame is taken for a mixture of two templates: with has the
// object, without has the place without it. known is false if the frame is no such
// mixture, or there are no templates.
func visibleShare(mask []byte, luma []float32, with, without []byte) (share float64, known bool) {
	if len(with) != len(mask) || len(without) != len(mask) {
		return 0, false // there has been no key frame
	}
	var n, dot, squares, total float64
	for i, m := range mask {
		if m == 0 {
			continue
		}
		d, e := float64(with[i])-float64(without[i]), float64(luma[i])-float64(without[i])
		n++
		dot += d * e
		squares += d * d
		total += e * e
	}
	if n == 0 || squares < minTemplateDifference*minTemplateDifference*n {
		return 0, false
	}
	share = dot / squares
	return share, total-share*dot <= maxMixtureResidual*squares
}

// firstInvisible returns the index of the first frame in which an object is no longer
// visible, given its share in each frame: the index that maximises the sum of
// share - visibleAbove over the frames before it.
func firstInvisible(shares []float64) int {
	best, end, sum := 0.0, 0, 0.0
	for i, s := range shares {
		sum += s - visibleAbove
		if sum > best {
			best, end = sum, i+1
		}
	}
	return end
}

// quantize rounds brightness to bytes, into dst, whose memory it reuses.
func quantize(luma []float32, dst []byte) []byte {
	dst = resizedSlice(dst, len(luma))
	for i, v := range luma {
		dst[i] = byte(min(max(v+.5, 0), 255))
	}
	return dst
}

// removeGone removes queries that the key frame behind does not show from the pending
// frames in which they are no longer visible. Where the templates don't tell, the
// confidence of the motion stands for the share, since what lies on an occlusion is
// hidden. Where the templates tell in no frame and the motion sees no end, the query is
// removed from half of the frames, but from none before a blank frame: what vanishes
// together with everything else was there until then.
func (c *Propagator) removeGone(gone []int, blank bool) {
	for _, q := range gone {
		var shares []float64
		anyKnown := false
		for i, p := range c.pending {
			share := visibleAbove
			if f := p.Result.Lookup(q); f != nil {
				c.maskScratch = maskAtFlowSize(p.Analysis, f.Probability, .5, c.maskScratch)
				visible, known := visibleShare(c.maskScratch, p.pyramid.Luma(), p.keyLuma, c.nextLumaAt[i])
				if anyKnown = anyKnown || known; known {
					share = visible
				} else if k := slices.IndexFunc(p.confidences, func(s maskConfidence) bool { return s.query == q }); k >= 0 {
					share = float64(p.confidences[k].share)
				}
			}
			shares = append(shares, share)
		}
		from := firstInvisible(shares)
		if !anyKnown && from == len(shares) && !blank {
			from /= 2
		}
		for _, p := range c.pending[from:] {
			removeFound(p.Result, q)
		}
	}
	for _, p := range c.pending {
		c.assignPixels(p.Result)
	}
}
