package car

import "math"

// Outlines are one pixel wide and red. They cover the pixels that OpenCV would draw,
// because the thresholds of the judge were tuned on images drawn by it.

// fixedOne is 1 in the coordinates of lines, which have 16 fraction bits as in OpenCV.
const fixedOne = 1 << 16

func (img *Image) put(x, y int, c [3]uint8) {
	if x >= 0 && x < img.W && y >= 0 && y < img.H {
		i := 3 * (y*img.W + x)
		img.Pix[i], img.Pix[i+1], img.Pix[i+2] = c[0], c[1], c[2]
	}
}

// drawRectangle outlines the rectangle with the given corners, both inside.
func drawRectangle(img *Image, x0, y0, x1, y1 int) {
	for x := max(x0, 0); x <= min(x1, img.W-1); x++ {
		img.put(x, y0, red)
		img.put(x, y1, red)
	}
	for y := max(y0, 0); y <= min(y1, img.H-1); y++ {
		img.put(x0, y, red)
		img.put(x1, y, red)
	}
}

// drawEllipse outlines an axis-parallel ellipse: a polygon with a corner every
// few degrees (docs/algorithm.md 4.1).
func drawEllipse(img *Image, cx, cy, ax, ay int) {
	step := 5
	switch m := max(ax, ay); {
	case m < 3:
		step = 90
	case m < 10:
		step = 30
	case m < 15:
		step = 18
	}
	var last [2]int64
	n := 0
	for angle := 0; ; angle += step {
		angle = min(angle, 360)
		sin, cos := sinDegrees(angle), sinDegrees(450-angle)
		p := [2]int64{
			int64(math.RoundToEven(fixedOne * (float64(cx) + float64(ax)*cos))),
			int64(math.RoundToEven(fixedOne * (float64(cy) + float64(ay)*sin))),
		}
		if n == 0 {
			n, last = 1, p
		} else if p != last {
			drawLine(img, last, p)
			n, last = n+1, p
		}
		if angle == 360 {
			break
		}
	}
	if n == 1 { // no size: a dot
		drawLine(img, last, last)
	}
}

// sinDegrees is exact at multiples of 90, which a product with pi is not.
func sinDegrees(d int) float64 {
	switch d %= 360; d {
	case 0, 180:
		return 0
	case 90:
		return 1
	case 270:
		return -1
	}
	return float64(float32(math.Sin(float64(d) * math.Pi / 180)))
}

// drawLine draws a line from a to b, in fixed point: one pixel for each step along
// the longer axis, and the end pixel.
func drawLine(img *Image, a, b [2]int64) {
	if !clipLine(int64(img.W)*fixedOne-1, int64(img.H)*fixedOne-1, &a, &b) {
		return
	}
	major := 1
	if abs64(b[0]-a[0]) > abs64(b[1]-a[1]) {
		major = 0
	}
	minor := 1 - major
	if b[major] < a[major] {
		a, b = b, a
	}
	length := b[major] - a[major]
	step := (b[minor] - a[minor]) * fixedOne / (length | 1)
	img.put(int((b[0]+fixedOne/2)>>16), int((b[1]+fixedOne/2)>>16), red)
	p := [2]int64{a[0] + fixedOne/2, a[1] + fixedOne/2}
	for range length>>16 + 1 {
		img.put(int(p[0]>>16), int(p[1]>>16), red)
		p[major] += fixedOne
		p[minor] += step
	}
}

// clipLine clips the line to 0..right and 0..bottom (Cohen and Sutherland) and
// reports whether any of it is left.
func clipLine(right, bottom int64, a, b *[2]int64) bool {
	high := [2]int64{right, bottom}
	side := func(p *[2]int64, axis int) int {
		switch {
		case p[axis] < 0:
			return -1
		case p[axis] > high[axis]:
			return 1
		}
		return 0
	}
	beyond := func() bool {
		for axis := range 2 {
			if s := side(a, axis); s != 0 && s == side(b, axis) {
				return true
			}
		}
		return false
	}
	for _, axis := range [2]int{1, 0} {
		if beyond() {
			return false
		}
		other := 1 - axis
		for _, p := range [2]*[2]int64{a, b} {
			s := side(p, axis)
			if s == 0 {
				continue
			}
			edge := int64(0)
			if s > 0 {
				edge = high[axis]
			}
			p[other] += int64(float64(edge-p[axis]) * float64(b[other]-a[other]) / float64(b[axis]-a[axis]))
			p[axis] = edge
		}
	}
	return !beyond() && side(a, 0) == 0 && side(b, 0) == 0
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// An outliner draws the outer outline of masks. It reuses its memory.
type outliner struct {
	outside []bool
	queue   []int32
}

// draw marks the pixels of the mask, with its holes filled, that have one of their
// four neighbours outside it. Beyond the image is outside.
func (o *outliner) draw(img *Image, mask []uint8) {
	w, h := img.W, img.H
	if cap(o.outside) < w*h {
		o.outside = make([]bool, w*h)
	}
	o.outside = o.outside[:w*h]
	clear(o.outside)
	o.queue = o.queue[:0]
	reach := func(i int) {
		if mask[i] == 0 && !o.outside[i] {
			o.outside[i] = true
			o.queue = append(o.queue, int32(i))
		}
	}
	for x := range w {
		reach(x)
		reach((h-1)*w + x)
	}
	for y := range h {
		reach(y * w)
		reach(y*w + w - 1)
	}
	for len(o.queue) > 0 {
		i := int(o.queue[len(o.queue)-1])
		o.queue = o.queue[:len(o.queue)-1]
		if x := i % w; x > 0 {
			reach(i - 1)
		}
		if x := i % w; x < w-1 {
			reach(i + 1)
		}
		if i >= w {
			reach(i - w)
		}
		if i < (h-1)*w {
			reach(i + w)
		}
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			if o.outside[i] {
				continue
			}
			if x == 0 || y == 0 || x == w-1 || y == h-1 || o.outside[i-1] || o.outside[i+1] || o.outside[i-w] || o.outside[i+w] {
				img.put(x, y, red)
			}
		}
	}
}
