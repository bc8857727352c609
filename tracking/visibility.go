package tracking

import "slices"

// Between two key frames a thing came or went, and the frames in between, which are
// held back, have to be told to which side they belong. Motion alone does not say:
// in a dissolve every frame is explained by the one before. But what each key frame
// shows at a place is known, with the thing and without it, and the picture in
// between is a mixture of the two: nearly all of one or of the other where something
// came into view, and a little more of it in each frame where it fades.

// half is the share of a thing's look in a picture above which it is there.
const half = 0.5

// told is the difference of two looks, of 255, below which they are not to be told
// apart.
const told = 6.0

// mixed is the part of what tells two looks apart that may be left over when a picture
// is taken for a mixture of them. Where one thing hides the other bit by bit, or motion
// has lost its way, more is left.
const mixed = 0.15

// visible is the share, by least squares, that the look of a thing has in a picture
// inside its mask, the rest being that of what is there without it. Nothing is known
// where the picture is no such mixture.
func visibleShare(mask []byte, picture []float32, thing, without []byte) (share float64, known bool) {
	if len(thing) != len(mask) || len(without) != len(mask) {
		return 0, false // nobody has looked
	}
	var n, along, squares, all float64
	for i, m := range mask {
		if m == 0 {
			continue
		}
		d, e := float64(thing[i])-float64(without[i]), float64(picture[i])-float64(without[i])
		n++
		along += d * e
		squares += d * d
		all += e * e
	}
	if n == 0 || squares < told*told*n {
		return 0, false
	}
	share = along / squares
	return share, all-share*along <= mixed*squares
}

// endsAt is the first of the frames in which a thing is no longer to be seen, given
// the share of its look in each: where those before speak most for it, and those
// behind most against it.
func lastVisible(shares []float64) int {
	best, at, sum := 0.0, 0, 0.0
	for i, s := range shares {
		sum += s - half
		if sum > best {
			best, at = sum, i+1
		}
	}
	return at
}

// bytesOf rounds brightness to bytes.
func quantize(luma []float32, dst []byte) []byte {
	dst = resizedSlice(dst, len(luma))
	for i, v := range luma {
		dst[i] = byte(min(max(v+.5, 0), 255))
	}
	return dst
}

// takeAway removes queries that the key frame behind does not show from the frames
// that are held, where they are no longer to be seen. Where their looks do not tell,
// motion does: what lies on what it does not explain is hidden. Of what neither tells
// half of the frames are taken, but before a blank picture none: what goes with
// everything else was there until then.
func (c *Propagator) removeGone(gone []int, blank bool) {
	for _, q := range gone {
		var shares []float64
		looked := false
		for i, p := range c.pending {
			share := half
			if f := p.Result.Lookup(q); f != nil {
				c.maskScratch = maskAtFlowSize(p.Analysis, f.Probability, .5, c.maskScratch)
				seen, known := visibleShare(c.maskScratch, p.pyramid.Luma(), p.keyLuma, c.nextLumaAt[i])
				if looked = looked || known; known {
					share = seen
				} else if k := slices.IndexFunc(p.confidences, func(s maskConfidence) bool { return s.query == q }); k >= 0 {
					share = float64(p.confidences[k].share)
				}
			}
			shares = append(shares, share)
		}
		from := lastVisible(shares)
		if !looked && from == len(shares) && !blank {
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
