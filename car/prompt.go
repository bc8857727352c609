package car

import (
	"fmt"
	"strings"
)

// A Prompt is one of the ways in which a mask is shown to the judge: something
// is done to the picture outside the mask, or the mask is outlined in red.
type Prompt string

// The prompts, in the order in which they are applied whatever the order they
// are named in (car.md 4.1).
const (
	Blur      Prompt = "blur"      // outside: Gaussian blur, 15 taps, sigma 2.6
	Gray      Prompt = "gray"      // outside: grey of what is there by then
	Black     Prompt = "black"     // outside: black
	Circle    Prompt = "circle"    // an ellipse round the mask's centre, as wide and high as the mask
	Rectangle Prompt = "rectangle" // a rectangle likewise
	Contour   Prompt = "contour"   // the mask's outer outline
)

var promptOrder = []Prompt{Blur, Gray, Black, Circle, Rectangle, Contour}

// ParsePrompt returns the prompt of that name.
func ParsePrompt(name string) (Prompt, error) {
	for _, p := range promptOrder {
		if string(p) == name {
			return p, nil
		}
	}
	return "", unknownPrompt(name)
}

func unknownPrompt(name string) error {
	var names []string
	for _, p := range promptOrder {
		names = append(names, string(p))
	}
	return fmt.Errorf("there is no prompt %q (there are %s)", name, strings.Join(names, ", "))
}

// prompts is a set of Prompts.
type prompts uint8

func promptSet(list []Prompt) (set prompts) {
	for _, p := range list {
		for i, q := range promptOrder {
			if p == q {
				set |= 1 << i
			}
		}
	}
	return set
}

func (s prompts) has(p Prompt) bool { return s&promptSet([]Prompt{p}) != 0 }

// red is the colour of outlines. The reference's configuration names another,
// which never arrives (car.md 4.1).
var red = [3]uint8{255, 0, 0}

// surround writes to dst what the set makes of the whole picture as a mask's
// surroundings. It depends on no mask, so it is made once for all.
func surround(img *Image, set prompts, dst *Image, tmp *[]uint16) {
	dst.resize(img.W, img.H)
	copy(dst.Pix, img.Pix)
	if set.has(Blur) {
		blur15(img, dst, tmp)
	}
	if set.has(Gray) {
		gray(dst.Pix)
	}
	if set.has(Black) {
		clear(dst.Pix)
	}
}

// show writes to dst the picture as the judge is shown the mask, which has a
// byte a pixel, not 0 inside, and is not empty.
func show(img, surroundings *Image, mask []uint8, set prompts, dst *Image, o *outliner) {
	dst.resize(img.W, img.H)
	copy(dst.Pix, surroundings.Pix)
	for i, m := range mask {
		if m != 0 {
			dst.Pix[3*i], dst.Pix[3*i+1], dst.Pix[3*i+2] = img.Pix[3*i], img.Pix[3*i+1], img.Pix[3*i+2]
		}
	}
	if set.has(Circle) || set.has(Rectangle) {
		cx, cy, w, h := extent(mask, img.W)
		if set.has(Circle) {
			drawEllipse(dst, cx, cy, w/2, h/2)
		}
		if set.has(Rectangle) {
			drawRectangle(dst, cx-w/2, cy-h/2, cx+w/2, cy+h/2)
		}
	}
	if set.has(Contour) {
		o.draw(dst, mask)
	}
}

// extent returns the centroid of a mask, truncated, and how wide and high it
// is. The mask is not empty.
func extent(mask []uint8, w int) (cx, cy, width, height int) {
	x0, y0, x1, y1 := w, len(mask), -1, -1
	var sx, sy, n int64
	for i, m := range mask {
		if m == 0 {
			continue
		}
		x, y := i%w, i/w
		x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
		sx, sy, n = sx+int64(x), sy+int64(y), n+1
	}
	return int(sx / n), int(sy / n), x1 - x0 + 1, y1 - y0 + 1
}

// gaussian15 is OpenCV's 8-bit kernel of 15 taps and sigma 2.6: Q8 with the
// rounding error carried on, so that the sum is 256 (car.md 4.1).
var gaussian15 = [15]uint32{1, 3, 6, 12, 20, 30, 36, 40, 36, 30, 20, 12, 6, 3, 1}

// blur15 blurs src into dst, which has its size; the border is reflected
// without repeating the edge.
func blur15(src, dst *Image, tmp *[]uint16) {
	w, h := src.W, src.H
	n := 3 * w * h
	if cap(*tmp) < n {
		*tmp = make([]uint16, n)
	}
	t := (*tmp)[:n]
	for y := range h {
		in, out := src.Pix[3*w*y:3*w*(y+1)], t[3*w*y:3*w*(y+1)]
		for x := range w {
			var sum [3]uint32
			if x >= 7 && x < w-7 {
				p := in[3*(x-7) : 3*(x+8)]
				for k, g := range gaussian15 {
					sum[0] += g * uint32(p[3*k])
					sum[1] += g * uint32(p[3*k+1])
					sum[2] += g * uint32(p[3*k+2])
				}
			} else {
				for k, g := range gaussian15 {
					p := 3 * reflect101(x+k-7, w)
					sum[0] += g * uint32(in[p])
					sum[1] += g * uint32(in[p+1])
					sum[2] += g * uint32(in[p+2])
				}
			}
			out[3*x], out[3*x+1], out[3*x+2] = uint16(sum[0]), uint16(sum[1]), uint16(sum[2])
		}
	}
	var rows [15][]uint16
	for y := range h {
		for k := range rows {
			r := reflect101(y+k-7, h)
			rows[k] = t[3*w*r : 3*w*(r+1)]
		}
		out := dst.Pix[3*w*y : 3*w*(y+1)]
		for x := range out {
			// The kernel is symmetric: seven sums of two and one alone.
			v := 40 * uint32(rows[7][x])
			for k := range 7 {
				v += gaussian15[k] * (uint32(rows[k][x]) + uint32(rows[14-k][x]))
			}
			out[x] = uint8((v + 32768) >> 16)
		}
	}
}

func reflect101(i, n int) int {
	if n == 1 {
		return 0
	}
	for i < 0 || i >= n {
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	return i
}

// gray makes every pixel grey with the reference's weights: it calls OpenCV's
// BGR conversion on RGB data, so red and blue are swapped (car.md 4.1).
func gray(pix []uint8) {
	for i := 0; i+2 < len(pix); i += 3 {
		v := uint8((3735*uint32(pix[i]) + 19235*uint32(pix[i+1]) + 9798*uint32(pix[i+2]) + 16384) >> 15)
		pix[i], pix[i+1], pix[i+2] = v, v, v
	}
}
