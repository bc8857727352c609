package stickers

import "math"

// A Pose is the position and orientation of a sticker on the canvas.
type Pose struct {
	X, Y     float64 // centre, in pixels from the corner of the canvas
	Size     float64 // longer side of the emoji, in pixels
	Rotation float64 // in radians, clockwise as seen
	Flip     bool    // mirrored left to right
	Aspect   float64 // stretch, width over height; 1 for none
	Faded    float64 // how much of what is below shows through, 0..1
}

// A tone is the effect of light on a sticker: contrast around middle grey, and the
// middle grey of each channel.
type tone struct {
	contrast float32
	grey     [3]float32
}

var neutral = tone{1, [3]float32{.5, .5, .5}}

// A stack is a canvas with the stickers drawn on it so far and the visible part of
// each.
type stack struct {
	*canvas
	names []string    // concept of each sticker, from the lowest to the top
	drawn []bool      // whether any part is inside the image, covered or not
	seen  [][]float32 // visible alpha of each, w×h, 0..1
}

// put draws a sticker on top.
func (s *stack) put(concept string, cell int, p Pose, t tone) {
	seen := make([]float32, s.w*s.h)
	drawn := false
	opacity := float32(1 - p.Faded)
	// The smaller the sticker, the coarser the level that is sampled, so that small
	// ones do not alias.
	level := math.RoundToEven(math.Log2(120 / max(p.Size, 1)))
	tex := sheet().mips[cell][int(min(max(level, 0), mipLevels-1))]

	asp := math.Sqrt(p.Aspect)
	sx, sy := p.Size*asp, p.Size/asp
	c, sn := math.Cos(p.Rotation), math.Sin(p.Rotation)
	mirror := 1.
	if p.Flip {
		mirror = -1
	}
	// Canvas to texture coordinates: the texture spans -1..1 and the emoji fills 120 of
	// its 128 pixels.
	const k = 2 * 120. / 128
	xx, xy := float32(k*c/sx*mirror), float32(k*sn/sx*mirror)
	yx, yy := float32(-k*sn/sy), float32(k*c/sy)
	half := float32(tex.side) / 2

	reach := math.Hypot(sx, sy) * 128 / 120 / 2 * 1.05
	x0, x1 := span(p.X, reach, s.w)
	y0, y1 := span(p.Y, reach, s.h)
	for y := y0; y < y1; y++ {
		dy := float32(y) + .5 - float32(p.Y)
		for x := x0; x < x1; x++ {
			dx := float32(x) + .5 - float32(p.X)
			px := tex.sample((xx*dx+xy*dy+1)*half-.5, (yx*dx+yy*dy+1)*half-.5)
			if px[3] <= 0 {
				continue
			}
			drawn = drawn || px[3] > .5 && p.Faded < fadeHides
			for ch := range px {
				px[ch] *= opacity
			}
			a := px[3]
			i := y*s.w + x
			for ch := range 3 {
				v := (px[ch]-.5*a)*t.contrast + a*t.grey[ch]
				s.pix[ch][i] = s.pix[ch][i]*(1-a) + min(max(v, 0), a)
			}
			for _, below := range s.seen {
				below[i] *= 1 - a
			}
			seen[i] = a
		}
	}
	s.names = append(s.names, concept)
	s.drawn = append(s.drawn, drawn)
	s.seen = append(s.seen, seen)
}

// span returns the range of pixels within reach of a centre, cut to 0..n.
func span(centre, reach float64, n int) (lo, hi int) {
	lo = int(min(max(math.Floor(centre-reach), 0), float64(n)))
	hi = int(min(max(math.Ceil(centre+reach)+1, 0), float64(n)))
	return lo, hi
}

// sample interpolates between four texels.
func (t texture) sample(x, y float32) (px [4]float32) {
	fx, fy := float32(math.Floor(float64(x))), float32(math.Floor(float64(y)))
	if fx < -1 || fy < -1 || fx >= float32(t.side) || fy >= float32(t.side) {
		return px
	}
	ix, iy := int(fx), int(fy)
	wx, wy := x-fx, y-fy
	a, b := t.at(ix, iy), t.at(ix+1, iy)
	c, d := t.at(ix, iy+1), t.at(ix+1, iy+1)
	for i := range px {
		px[i] = (a[i]*(1-wx)+b[i]*wx)*(1-wy) + (c[i]*(1-wx)+d[i]*wx)*wy
	}
	return px
}
