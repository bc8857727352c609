package tracking

import "slices"

// When an object appeared or vanished between two key frames, each pending frame between
// them either shows it or does not. Motion alone does not tell, because in a dissolve every
// frame is explained by the one before. But of the two key frames one shows the place with
// the object and one without it, and a frame between is a mixture of the two. The share of
// the object in the mixture changes at once if the object came into view, and gradually if
// it fades.

// visibleShare estimates, by least squares, the share of an object in the brightness of a
// frame inside its mask. The frame is taken for a mixture of two templates: with has the
// object, without has the place without it. known is false if the frame is no such
// mixture, or there are no templates.
func visibleShare(mask []byte, luma []float32, with, without []byte, params *Params) (share float64, known bool) {
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
	if n == 0 || squares < params.VisibleDifference*params.VisibleDifference*n {
		return 0, false
	}
	share = dot / squares
	return share, total-share*dot <= params.VisibleResidual*squares
}

// firstInvisible returns the index of the first frame in which an object is no longer
// visible, given its share in each frame: the index that maximises the sum of
// share - visibleShare over the frames before it.
func firstInvisible(shares []float64, visibleShare float64) int {
	best, end, sum := 0.0, 0, 0.0
	for i, s := range shares {
		sum += s - visibleShare
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

// removeGone removes queries that the next key frame does not show from the pending frames
// in which they are no longer visible. If the templates do not tell for a frame, the
// confidence of the motion stands for the share, since what is occluded is hidden. If the
// templates tell for no frame, and the motion finds no end, the query is removed from the
// later half of the frames. Before a blank frame it is removed from none, because what
// vanishes with everything else was visible until then.
func (c *Propagator) removeGone(gone []int, blank bool) {
	params := c.Params.orDefault()
	for _, q := range gone {
		var shares []float64
		anyKnown := false
		for i, p := range c.pending {
			share := params.VisibleShare
			if f := p.Result.Lookup(q); f != nil {
				c.maskScratch = maskAtFlowSize(p.Analysis, f.Probability, .5, c.maskScratch)
				visible, known := visibleShare(c.maskScratch, p.pyramid.Luma(), p.keyLuma, c.nextLumaAt[i], params)
				if anyKnown = anyKnown || known; known {
					share = visible
				} else if k := slices.IndexFunc(p.confidences, func(s maskConfidence) bool { return s.query == q }); k >= 0 {
					share = float64(p.confidences[k].share)
				}
			}
			shares = append(shares, share)
		}
		from := firstInvisible(shares, params.VisibleShare)
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
