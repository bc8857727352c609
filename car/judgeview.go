package car

import (
	"fmt"
	"math"
)

// A JudgeView says what of a prompted image the judge sees. Which is best was
// measured on generated scenes (docs/performance.md): of things of 1 % of the
// picture and more, at 2 % false alarms, the window finds 97 %, the whole
// picture 93 % and the centre crop 73 %.
type JudgeView int

const (
	// CenterCrop is CLIP's own preprocessing: short side to the input size,
	// then the central square. What lies beside it is invisible to the judge.
	CenterCrop JudgeView = iota
	// Whole brings the short side to the input size and keeps the whole
	// picture; the sides are rounded to whole patches.
	Whole
	// Window is the surroundings of the mask, as large as the judge can see
	// them: one and a half times the longer side of the mask's bounds, a third of
	// the picture's shorter side at least, inside the picture. It is a square
	// unless the picture is too low or too narrow for one.
	Window
)

// The window's size: times the longer side of what is in it, and at least so
// much of the picture's shorter side. A mask of a few pixels needs its
// surroundings to be anything; 1.25 and .25, 2 and .5, 3 and .5 were worse.
const (
	windowMargin = 1.5
	windowLeast  = 1. / 3
)

var viewNames = map[JudgeView]string{CenterCrop: "centre", Whole: "whole", Window: "window"}

// String returns the view's name.
func (v JudgeView) String() string { return viewNames[v] }

// ParseView returns the view of that name.
func ParseView(name string) (JudgeView, error) {
	if v, ok := keyOf(viewNames, name); ok {
		return v, nil
	}
	return 0, fmt.Errorf("there is no view %q (there are window, whole, centre)", excerpt(name))
}

// forJudge brings a prompted picture to the size at which the judge sees it.
// The mask, W×H, is what was prompted; without one all of the picture counts.
func (s *Segmenter) cropForJudge(img *Image, mask []uint8, dst *Image, w *workerScratch) {
	size, patch := s.judge.InputSize(), s.judge.PatchSize()
	switch {
	case s.preset.View == CenterCrop:
		centreCrop(img, size, dst, w)
		return
	case s.preset.View == Window && mask != nil:
		x, y, ww, wh := window(mask, img.W, img.H)
		img = w.cut(img, x, y, ww, wh)
	}
	rw, rh := nativeSize(img.W, img.H, size, patch)
	w.resizer.resize(img, rw, rh, dst, 1)
}

// window returns the part of a w×h picture that shows a mask, which is not
// empty.
func window(mask []uint8, w, h int) (x, y, width, height int) {
	x0, y0, x1, y1 := bounds(mask, w)
	side := max(windowMargin*float64(max(x1-x0, y1-y0)), windowLeast*float64(min(w, h)))
	place := func(from, to, n int) (int, int) {
		length := min(int(math.Ceil(side)), n)
		return min(max((from+to-length)/2, 0), n-length), length
	}
	x, width = place(x0, x1, w)
	y, height = place(y0, y1, h)
	return x, y, width, height
}

// cut returns a part of a picture, in the workplace's memory.
func (w *workerScratch) cut(img *Image, x, y, width, height int) *Image {
	if width == img.W && height == img.H {
		return img
	}
	w.part.resize(width, height)
	for r := range height {
		copy(w.part.Pix[3*width*r:3*width*(r+1)], img.Pix[3*((y+r)*img.W+x):])
	}
	return &w.part
}

// centreCrop is CLIP's preprocessing up to the bytes (car.md 4.2).
func centreCrop(img *Image, size int, dst *Image, w *workerScratch) {
	rw, rh := size, size
	if img.W < img.H {
		rh = int(float64(size) * float64(img.H) / float64(img.W))
	} else {
		rw = int(float64(size) * float64(img.W) / float64(img.H))
	}
	w.resizer.resize(img, rw, rh, &w.resized, 1)
	x0 := int(math.RoundToEven(float64(rw-size) / 2))
	y0 := int(math.RoundToEven(float64(rh-size) / 2))
	dst.resize(size, size)
	for y := range size {
		copy(dst.Pix[3*size*y:3*size*(y+1)], w.resized.Pix[3*((y0+y)*rw+x0):])
	}
}

// nativeSize returns the size of a picture whose short side is brought to the
// judge's input, both sides in whole patches.
func nativeSize(w, h, size, patch int) (rw, rh int) {
	k := float64(size) / float64(min(w, h))
	whole := func(v int) int {
		return max(patch, int(math.RoundToEven(math.RoundToEven(float64(v)*k)/float64(patch)))*patch)
	}
	return whole(w), whole(h)
}
