package overlay

// A brush draws the pixels of one layer, one by one.
type brush struct {
	colour, around ink
	fill           [256]uint8 // the opacity of the fill, by the value of the mask
	fresh          [256]rgba  // the fill over nothing
}

// init prepares the brush for a layer. around is the colour of the edging.
func (b *brush) init(colour, around [3]uint8, opacity float32) {
	b.colour, b.around = inkOf(colour), inkOf(around)
	for a := range b.fill {
		b.fill[a] = uint8(alphaOf(opacity * float32(a) / 255))
		b.fresh[a] = rgba(0).over(b.colour, uint32(b.fill[a]))
	}
}

// draw draws some pixels of a row, of which the mask and the sums of columns are given (see
// [walker.windows]).
func (b *brush) draw(pix, mask []uint8, columns []uint16, l *outline) {
	side := 2*l.r + 1
	sum := uint32(0)
	for _, c := range columns[:side-1] {
		sum += uint32(c)
	}
	pix = pix[:4*len(mask)]
	enter, leave := columns[side-1:][:len(mask)], columns[:len(mask)]
	for x, a := range mask {
		sum += uint32(enter[x])
		line := l.line(sum)
		sum -= uint32(leave[x])
		if line|uint16(a) == 0 {
			continue
		}
		p := pix[4*x:][:4:4]
		q := load(p)
		switch inner := uint32(line & 0xff); {
		case line == 0 && q == 0:
			q = b.fresh[a]
		case line == 0:
			q = q.over(b.colour, uint32(b.fill[a]))
		case inner == 255:
			q = rgba(0).over(b.colour, 255)
		default: // the edging lies on the fill, and the line on both
			q = q.over(b.colour, uint32(b.fill[a])).over(b.around, uint32(line>>8)).over(b.colour, inner)
		}
		q.store(p)
	}
}
