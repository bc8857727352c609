package car

import (
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/parallel"
)

// A Prompt is a visual prompt that marks a mask in the image for the judge: it
// changes the image outside the mask, or outlines the mask in red.
type Prompt string

// The prompts, in the order in which they are applied, whatever the order in which
// they are given (docs/algorithm.md 4.1).
const (
	Blur      Prompt = "blur"      // outside: Gaussian blur, 15 taps, sigma 2.6
	Gray      Prompt = "gray"      // outside: converted to grey, after Blur
	Black     Prompt = "black"     // outside: black
	Circle    Prompt = "circle"    // an ellipse around the mask's centroid, as wide and high as the mask
	Rectangle Prompt = "rectangle" // a rectangle of the same centre and size
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
	return fmt.Errorf("there is no prompt %q (there are %s)", excerpt(name), strings.Join(names, ", "))
}

// prompts is a set of Prompts.
type prompts uint8

// promptSets converts every row of an ensemble to a set. Without rows it returns one
// empty set.
func promptSets(rows [][]Prompt) []prompts {
	if len(rows) == 0 {
		return []prompts{0}
	}
	sets := make([]prompts, len(rows))
	for i, row := range rows {
		sets[i] = promptSet(row)
	}
	return sets
}

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

// red is the colour of outlines. The reference's configuration has another, which its
// code does not use (docs/algorithm.md 4.1).
var red = [3]uint8{255, 0, 0}

// renderBackdrop writes to dst the whole image with the set's prompts for the outside
// of a mask applied, with the given weights of grey. It does not depend on a mask and
// is made once for all of them.
func renderBackdrop(img *Image, set prompts, weights [3]uint32, dst *Image, tmp *[]uint16, threads int) {
	dst.resize(img.W, img.H)
	switch {
	case set.has(Black): // it covers the others
		clear(dst.Pix)
		return
	case set.has(Blur):
		blur15(img, dst, tmp, threads)
	default:
		copy(dst.Pix, img.Pix)
	}
	if set.has(Gray) {
		stride := 3 * img.W
		parallel.Do(threads, img.H, func(_, from, to int) { gray(dst.Pix[from*stride:to*stride], weights) })
	}
}

// renderPrompt writes to dst the image with all prompts of the set applied: img inside
// the mask, backdrop outside, and outlines. The mask has one byte a pixel, not 0
// inside, and is not empty.
func renderPrompt(img, backdrop *Image, mask []uint8, set prompts, dst *Image, o *outliner) {
	dst.resize(img.W, img.H)
	copy(dst.Pix, backdrop.Pix)
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

// extent returns the centroid of a mask, truncated, and its width and height. The
// mask is not empty.
func extent(mask []uint8, w int) (cx, cy, width, height int) {
	x0, y0, x1, y1 := bounds(mask, w)
	var sx, sy, n int
	for y := y0; y < y1; y++ {
		in := 0
		for x, m := range mask[y*w+x0 : y*w+x1] {
			if m != 0 {
				sx += x
				in++
			}
		}
		sy += in * y
		n += in
	}
	return x0 + sx/n, sy / n, x1 - x0, y1 - y0
}

// bounds returns the bounding rectangle of a mask, without x1 and y1. The mask is not
// empty.
func bounds(mask []uint8, w int) (x0, y0, x1, y1 int) {
	x0, y0 = w, len(mask)
	for y := 0; y*w < len(mask); y++ {
		row := mask[y*w : (y+1)*w]
		first := 0
		for first < w && row[first] == 0 {
			first++
		}
		if first == w {
			continue
		}
		last := w - 1
		for row[last] == 0 {
			last--
		}
		x0, x1 = min(x0, first), max(x1, last+1)
		y0, y1 = min(y0, y), y+1
	}
	return x0, y0, x1, y1
}

// gaussian15 is OpenCV's 8-bit kernel of 15 taps and sigma 2.6, in Q8: the rounding
// error of each tap is added to the next, so that the sum is 256 (docs/algorithm.md 4.1).
var gaussian15 = [15]uint32{1, 3, 6, 12, 20, 30, 36, 40, 36, 30, 20, 12, 6, 3, 1}

// blur15 blurs src into dst, which has the same size. The border is reflected without
// repeating the edge.
func blur15(src, dst *Image, tmp *[]uint16, threads int) {
	n := 3 * src.W * src.H
	if cap(*tmp) < n {
		*tmp = make([]uint16, n)
	}
	t := (*tmp)[:n]
	parallel.Do(threads, src.H, func(_, from, to int) {
		for y := from; y < to; y++ {
			blurRow(src.Pix[3*src.W*y:3*src.W*(y+1)], t[3*src.W*y:3*src.W*(y+1)])
		}
	})
	parallel.Do(threads, src.H, func(_, from, to int) { blurColumns(t, dst, from, to) })
}

// blurRow blurs one row of pixels horizontally; the sums are Q8.
func blurRow(in []uint8, out []uint16) {
	const reach = 3 * 7 // samples to either side
	w := len(in) / 3
	edge := func(x int) {
		var sum [3]uint32
		for k, g := range gaussian15 {
			p := 3 * reflect101(x+k-7, w)
			for c := range sum {
				sum[c] += g * uint32(in[p+c])
			}
		}
		out[3*x], out[3*x+1], out[3*x+2] = uint16(sum[0]), uint16(sum[1]), uint16(sum[2])
	}
	for x := range min(7, w) {
		edge(x)
	}
	for x := max(7, w-7); x < w; x++ {
		edge(x)
	}
	if w < 15 {
		return
	}
	middle := out[reach : len(out)-reach]
	for i := range middle {
		// The kernel is symmetric: seven sums of two samples, and the centre.
		p := (*[2*reach + 1]uint8)(in[i:])
		middle[i] = 40*uint16(p[21]) + 36*(uint16(p[18])+uint16(p[24])) + 30*(uint16(p[15])+uint16(p[27])) +
			20*(uint16(p[12])+uint16(p[30])) + 12*(uint16(p[9])+uint16(p[33])) + 6*(uint16(p[6])+uint16(p[36])) +
			3*(uint16(p[3])+uint16(p[39])) + uint16(p[0]) + uint16(p[42])
	}
}

// blurColumns blurs the sums of blurRow vertically, for the rows from ≤ y < to of dst.
func blurColumns(t []uint16, dst *Image, from, to int) {
	stride := 3 * dst.W
	var rows [15][]uint16
	for y := from; y < to; y++ {
		for k := range rows {
			r := reflect101(y+k-7, dst.H)
			rows[k] = t[stride*r : stride*(r+1)][:stride]
		}
		r0, r1, r2, r3, r4, r5, r6, r7 := rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]
		r8, r9, r10, r11, r12, r13, r14 := rows[8], rows[9], rows[10], rows[11], rows[12], rows[13], rows[14]
		out := dst.Pix[stride*y : stride*(y+1)]
		for x := range out {
			v := 40*uint32(r7[x]) + 36*(uint32(r6[x])+uint32(r8[x])) + 30*(uint32(r5[x])+uint32(r9[x])) +
				20*(uint32(r4[x])+uint32(r10[x])) + 12*(uint32(r3[x])+uint32(r11[x])) + 6*(uint32(r2[x])+uint32(r12[x])) +
				3*(uint32(r1[x])+uint32(r13[x])) + uint32(r0[x]) + uint32(r14[x])
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

// The weights of red, green and blue in grey, times 2^15. grayWeights are those of
// ITU-R BT.601 as OpenCV rounds them. swappedWeights have red and blue exchanged, as
// in the reference, which applies the conversion for BGR to RGB (docs/algorithm.md 4.1).
var (
	grayWeights    = [3]uint32{9798, 19235, 3735}
	swappedWeights = [3]uint32{3735, 19235, 9798}
)

// gray converts every pixel to grey.
func gray(pix []uint8, weights [3]uint32) {
	r, g, b := weights[0], weights[1], weights[2]
	for i := 0; i+2 < len(pix); i += 3 {
		v := uint8((r*uint32(pix[i]) + g*uint32(pix[i+1]) + b*uint32(pix[i+2]) + 16384) >> 15)
		pix[i], pix[i+1], pix[i+2] = v, v, v
	}
}
