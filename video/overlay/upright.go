package overlay

import "image"

// An uprightMap leads from the upright frame to the stored one, which may be turned.
type uprightMap struct {
	w, h  int // of the upright frame
	point func(x, y, w, h int) (int, int)
	line  []rgba // a row of an image as it is stored
}

// lay puts an image on the canvas, its upper left pixel at a place of the upright frame.
// What lies outside the frame is left out.
func (u *uprightMap) lay(c *canvas, img *image.RGBA, at image.Point) {
	seen := img.Rect.Intersect(image.Rect(0, 0, u.w-at.X, u.h-at.Y))
	if seen.Empty() {
		return
	}
	// The stored rows, and the image's pixel of the first column of each.
	x0, y0 := u.point(at.X+seen.Min.X, at.Y+seen.Min.Y, u.w, u.h)
	x1, y1 := u.point(at.X+seen.Max.X-1, at.Y+seen.Max.Y-1, u.w, u.h)
	left, right := min(x0, x1), max(x0, x1)+1
	for y := min(y0, y1); y <= max(y0, y1); y++ {
		u.line = u.line[:0]
		first, step := u.back(left, y), u.back(left+1, y).Sub(u.back(left, y))
		for i, p := 0, first.Sub(at); i < right-left; i, p = i+1, p.Add(step) {
			u.line = append(u.line, load(img.Pix[img.PixOffset(p.X, p.Y):]))
		}
		c.lay(y, left, u.line)
	}
}

// back returns the pixel of the upright frame that is stored at a place. The map is a quarter
// turn with or without a mirror, so that three points tell all of it.
func (u *uprightMap) back(x, y int) image.Point {
	ox, oy := u.point(0, 0, u.w, u.h)
	ax, ay := u.point(1, 0, u.w, u.h)
	bx, by := u.point(0, 1, u.w, u.h)
	x, y = x-ox, y-oy
	return image.Pt(x*(ax-ox)+y*(ay-oy), x*(bx-ox)+y*(by-oy))
}

// rect returns a rectangle of the stored frame in the upright one.
func (u *uprightMap) rect(r rect) image.Rectangle {
	p, q := u.back(r.x0, r.y0), u.back(r.x1-1, r.y1-1)
	return image.Rect(min(p.X, q.X), min(p.Y, q.Y), max(p.X, q.X)+1, max(p.Y, q.Y)+1)
}
