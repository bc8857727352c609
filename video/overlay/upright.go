package overlay

import "image"

// An uprightMap leads from the upright frame to the stored one, which may be turned.
type uprightMap struct {
	w, h  int // of the upright frame
	point func(x, y, w, h int) (int, int)
}

// lay puts an image on the canvas, its upper left pixel at a place of the upright frame.
// What lies outside the frame is left out.
func (u *uprightMap) lay(c *canvas, img *image.RGBA, at image.Point) {
	b := img.Rect
	for y := range min(b.Dy(), u.h-at.Y) {
		for x := range min(b.Dx(), u.w-at.X) {
			p := img.Pix[img.PixOffset(x, y):][:4:4]
			if p[3] == 0 {
				continue
			}
			cx, cy := u.point(at.X+x, at.Y+y, u.w, u.h)
			a := float32(p[3]) / 255
			straight := [3]uint8{unpremultiply(p[0], p[3]), unpremultiply(p[1], p[3]), unpremultiply(p[2], p[3])}
			c.over(cx, cy, straight, a)
		}
	}
}

// rect returns a rectangle of the stored frame in the upright one. The map is a quarter
// turn with or without a mirror, so that three points tell all of it.
func (u *uprightMap) rect(r rect) image.Rectangle {
	ox, oy := u.point(0, 0, u.w, u.h)
	ax, ay := u.point(1, 0, u.w, u.h)
	bx, by := u.point(0, 1, u.w, u.h)
	back := func(x, y int) (int, int) {
		x, y = x-ox, y-oy
		return x*(ax-ox) + y*(ay-oy), x*(bx-ox) + y*(by-oy)
	}
	x0, y0 := back(r.x0, r.y0)
	x1, y1 := back(r.x1-1, r.y1-1)
	return image.Rect(min(x0, x1), min(y0, y1), max(x0, x1)+1, max(y0, y1)+1)
}

func unpremultiply(v, a uint8) uint8 { return uint8(min((int(v)*255+int(a)/2)/int(a), 255)) }
