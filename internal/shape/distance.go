package shape

// The exact Euclidean distance transform, in time linear in the pixels: Felzenszwalb and
// Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
// A pass over the columns finds the distance to the nearest site in the same column. A
// pass over the rows finds, for each pixel, the column in which the nearest site lies: it
// is the lowest of the parabolas that stand on the columns' squared distances. Both are
// in integers, so nothing is rounded.

// unreached is the squared distance of pixels that have no site in reach.
const unreached = 1 << 30

// columnDistances writes to dst, for the columns from to to, the distance of each pixel
// of src (of w×h) to the nearest pixel of at least threshold in its column. Distances of
// limit and more are limit.
func columnDistances(dst []uint16, src []uint8, w, h, from, to int, threshold uint8, limit uint16) {
	for y := range h {
		out, in := dst[y*w+from:y*w+to], src[y*w+from:y*w+to]
		for x, p := range in {
			d := limit
			if p >= threshold {
				d = 0
			} else if y > 0 {
				d = min(dst[(y-1)*w+from+x]+1, limit)
			}
			out[x] = d
		}
	}
	for y := h - 2; y >= 0; y-- {
		out, below := dst[y*w+from:y*w+to], dst[(y+1)*w+from:(y+1)*w+to]
		for x, d := range below {
			if d+1 < out[x] {
				out[x] = d + 1
			}
		}
	}
}

// An envelope finds the lowest parabolas over a row.
type envelope struct {
	sites []int // columns of the parabolas
	start []int // the first pixel at which each is the lowest
}

// rowDistances writes to dst the squared distances of the pixels of a row, from the
// distances in the columns. Distances of limit in a column mean that there is no site.
func (e *envelope) rowDistances(dst []int32, column []uint16, limit uint16) {
	n := len(column)
	e.sites, e.start = grown(e.sites, n), grown(e.start, n)
	for x := 0; x < n; {
		if column[x] == 0 {
			dst[x] = 0
			x++
			continue
		}
		// Nothing beyond a site in this row is nearer than that site, so each gap
		// between two of them is on its own.
		end := x + 1
		for end < n && column[end] != 0 {
			end++
		}
		e.gap(dst, column, limit, x, end)
		x = end
	}
}

// gap computes the pixels from to to of a row, which have no site among them, though
// perhaps one directly before and one directly after.
func (e *envelope) gap(dst []int32, column []uint16, limit uint16, from, to int) {
	height := func(x, site int) int {
		d, g := x-site, int(column[site])
		return d*d + g*g
	}
	k := -1
	for u := max(from-1, 0); u < min(to+1, len(column)); u++ {
		if column[u] >= limit {
			continue
		}
		for k >= 0 && height(e.start[k], e.sites[k]) > height(e.start[k], u) {
			k--
		}
		if k < 0 {
			k = 0
			e.sites[0], e.start[0] = u, from
			continue
		}
		// The last pixel at which parabola i is not above parabola u. It is not left of
		// start[k], so the division of what may be negative is of no account.
		i := e.sites[k]
		gi, gu := int(column[i]), int(column[u])
		last := (u*u - i*i + gu*gu - gi*gi) / (2 * (u - i))
		if last+1 < to {
			k++
			e.sites[k], e.start[k] = u, last+1
		}
	}
	if k < 0 {
		for x := from; x < to; x++ {
			dst[x] = unreached
		}
		return
	}
	end := to
	for ; k >= 0; k-- {
		for x := e.start[k]; x < end; x++ {
			dst[x] = int32(min(height(x, e.sites[k]), unreached))
		}
		end = e.start[k]
	}
}
