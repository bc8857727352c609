package video

import "math"

// An Orientation says how a coded frame becomes upright: it is transposed first (rows
// become columns), then mirrored. These are the eight symmetries of a rectangle, and
// cameras write nothing else.
type Orientation struct {
	Transpose bool // swap x and y
	FlipX     bool // then mirror left and right
	FlipY     bool // then mirror top and bottom
}

// orientationOf reads a display matrix (ISO/IEC 14496-12, 6.2.2): a coded point (p, q)
// is shown at x = a·p + c·q, y = b·p + d·q, with a, b, c, d at positions 0, 1, 3, 4.
// Other angles are rounded to the nearest quarter turn; exact is false for those.
func orientationOf(m [9]int32) (o Orientation, exact bool) {
	a, b, c, d := float64(m[0]), float64(m[1]), float64(m[3]), float64(m[4])
	on, off := math.Abs(a)+math.Abs(d), math.Abs(b)+math.Abs(c)
	if on == 0 && off == 0 {
		return Orientation{}, false
	}
	if on >= off {
		return Orientation{FlipX: a < 0, FlipY: d < 0}, off < on/64
	}
	return Orientation{Transpose: true, FlipX: c < 0, FlipY: b < 0}, on < off/64
}

// Rotation returns the clockwise turn in degrees (0, 90, 180, 270) that makes the frame
// upright, and whether it is mirrored left to right before that.
func (o Orientation) Rotation() (degrees int, mirrored bool) {
	switch o {
	case Orientation{}:
		return 0, false
	case Orientation{FlipX: true}:
		return 0, true
	case Orientation{FlipX: true, FlipY: true}:
		return 180, false
	case Orientation{FlipY: true}:
		return 180, true
	case Orientation{Transpose: true, FlipX: true}:
		return 90, false
	case Orientation{Transpose: true, FlipX: true, FlipY: true}:
		return 90, true
	case Orientation{Transpose: true, FlipY: true}:
		return 270, false
	default: // Transpose without a flip
		return 270, true
	}
}

// Upright returns the upright size of a coded frame of w × h. As a transposition is its
// own inverse, it also returns the coded size of an upright frame.
func (o Orientation) Upright(w, h int) (int, int) {
	if o.Transpose {
		return h, w
	}
	return w, h
}

// filters returns the filter chain that makes a coded frame upright, empty if it is
// upright already.
func (o Orientation) filters() []string {
	var f []string
	if o.Transpose {
		f = append(f, "transpose=cclock_flip")
	}
	if o.FlipX {
		f = append(f, "hflip")
	}
	if o.FlipY {
		f = append(f, "vflip")
	}
	return f
}

// Point returns the coded position of the pixel (x, y) of an upright frame of w × h.
func (o Orientation) Point(x, y, w, h int) (int, int) {
	if o.FlipX {
		x = w - 1 - x
	}
	if o.FlipY {
		y = h - 1 - y
	}
	if o.Transpose {
		return y, x
	}
	return x, y
}

// ToCoded converts a plane of w × h values, such as a mask, from the upright to the
// coded orientation, and returns its size there. dst and src hold w·h values and do not
// overlap. The result still has the model's resolution. It is upsampled to the coded
// size later, along the edges of the full frame.
func ToCoded[T any](o Orientation, dst, src []T, w, h int) (int, int) {
	dst, src = dst[:w*h], src[:w*h]
	if o == (Orientation{}) {
		copy(dst, src)
		return w, h
	}
	cw, ch := o.Upright(w, h)
	// Steps in dst for one step right and one step down in src.
	x0, y0 := o.Point(0, 0, w, h)
	origin := y0*cw + x0
	right, down := 1, cw
	if o.Transpose {
		right, down = cw, 1
	}
	if o.FlipX {
		right = -right
	}
	if o.FlipY {
		down = -down
	}
	for y := range h {
		at := origin + y*down
		for _, v := range src[y*w : (y+1)*w] {
			dst[at] = v
			at += right
		}
	}
	return cw, ch
}
