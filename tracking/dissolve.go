package tracking

import "slices"

// Between two key frames a thing came or went, and the frames in between, which are
// held back, have to be told to which side they belong. Motion alone does not say:
// in a dissolve every frame is explained by the one before. But what each key frame
// shows at a place is known, with the thing and without it, and the picture in
// between is a mixture of the two: nearly all of one or of the other where something
// came into view, and a little more of it in each frame where it fades.

// A dissolve knows, for every frame that is held, how the key frames before and
// behind look from there: brightness at the flow's resolution, as motion brings it.
type dissolve struct {
	before, behind [][]byte
	look           []byte // of the key frame behind
	path           path   // from a held frame to the key frame before
}

// begin carries the look of the key frame before along the motion of the frames that
// are held.
func (d *dissolve) begin(look []byte, held []*Step) {
	for len(d.before) < len(held) {
		d.before, d.behind = append(d.before, nil), append(d.behind, nil)
	}
	w, h, factor := flowSize(held[0].Sight)
	d.path.begin(w, h, factor)
	for i, p := range held {
		d.path.step(&p.Motion)
		d.before[i] = d.path.between(look, d.before[i])
	}
}

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
func visible(mask []byte, picture []float32, thing, without []byte) (share float64, known bool) {
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

// ended is the first of the frames in which a thing is no longer to be seen, given
// the share of its look in each: where those before speak most for it, and those
// behind most against it.
func ended(shares []float64) int {
	best, at, sum := 0.0, 0, 0.0
	for i, s := range shares {
		sum += s - half
		if sum > best {
			best, at = sum, i+1
		}
	}
	return at
}

// shownMask is where a found thing is, at the flow's resolution.
func shownMask(s *Sight, probability []float32, dst []byte) []byte {
	w, h, f := flowSize(s)
	dst = resized(dst, w*h)
	for y := range h {
		row := min(y*f+f/2, s.Image.H-1) * s.Image.W
		for x := range w {
			dst[y*w+x] = 0
			if probability[row+min(x*f+f/2, s.Image.W-1)] > .5 {
				dst[y*w+x] = 1
			}
		}
	}
	return dst
}

// bytesOf rounds brightness to bytes.
func bytesOf(luma []float32, dst []byte) []byte {
	dst = resized(dst, len(luma))
	for i, v := range luma {
		dst[i] = byte(min(max(v+.5, 0), 255))
	}
	return dst
}

// takeAway removes queries that the key frame behind does not show from the frames
// that are held, where they are no longer to be seen.
func (c *Carrier) takeAway(gone []int) {
	for _, q := range gone {
		var shares []float64
		unknown := 0
		for i, p := range c.pending {
			f := p.Result.Lookup(q)
			if f == nil {
				shares = append(shares, half)
				continue
			}
			c.small = shownMask(p.Sight, f.Probability, c.small)
			share, known := visible(c.small, p.picture.Luma(), c.dissolve.before[i], c.dissolve.behind[i])
			if !known {
				share, unknown = half, unknown+1
			}
			shares = append(shares, share)
		}
		from := ended(shares)
		if unknown == len(shares) {
			from = c.unexplained(q)
		}
		for _, p := range c.pending[from:] {
			remove(p.Result, q)
		}
	}
	for _, p := range c.pending {
		c.settle(p.Result)
	}
}

// unexplained is the first of the held frames in which a query lies on what motion
// does not explain; where it never does, half of them keep it.
func (c *Carrier) unexplained(query int) int {
	for i, p := range c.pending {
		if k := slices.IndexFunc(p.support, func(s support) bool { return s.query == query }); k >= 0 && p.support[k].share < unsure {
			return i
		}
	}
	return len(c.pending) / 2
}
