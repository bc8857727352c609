package car

import (
	"fmt"
	"math"
)

// A JudgeView is the part of a prompted image that the judge sees. The choices were
// measured on generated images (docs/performance.md): of things that cover 1 % of
// the image and more, at 2 % false alarms, Window finds 97 %, Whole 93 % and
// CenterCrop 73 %.
type JudgeView int

const (
	// CenterCrop is CLIP's own preprocessing: the short side is resized to the input
	// size and the central square is cropped. The judge does not see the rest.
	CenterCrop JudgeView = iota
	// Whole resizes the short side to the input size and keeps the whole image; the
	// sides are rounded to whole patches.
	Whole
	// Window is a crop around the mask, resized to the input size. Its side is one
	// and a half times the longer side of the mask's bounds and at least a third of
	// the image's shorter side. It lies inside the image, and is a square unless the
	// image is too low or too narrow for one.
	Window
)

// The size of the window: a multiple of the longer side of the mask's bounds, and
// at least this share of the image's shorter side. A mask of a few pixels cannot be
// recognised without its surroundings. 1.25 and .25, 2 and .5, 3 and .5 were worse.
const (
	windowMargin  = 1.5
	windowMinimum = 1. / 3
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

// cropForJudge crops and resizes a prompted image as the preset's view says. The
// mask, W×H, is the one that was prompted; if it is nil, the whole image is used.
func (s *Segmenter) cropForJudge(img *Image, mask []uint8, dst *Image, w *workerScratch) {
	size, patch := s.judge.InputSize(), s.judge.PatchSize()
	switch {
	case s.preset.View == CenterCrop:
		centreCrop(img, size, dst, w)
		return
	case s.preset.View == Window && mask != nil:
		x, y, ww, wh := window(mask, img.W, img.H)
		img = w.crop(img, x, y, ww, wh)
	}
	rw, rh := nativeSize(img.W, img.H, size, patch)
	w.resizer.resize(img, rw, rh, dst, 1)
}

// window returns the crop of a w×h image around a mask, which is not empty.
func window(mask []uint8, w, h int) (x, y, width, height int) {
	x0, y0, x1, y1 := bounds(mask, w)
	side := max(windowMargin*float64(max(x1-x0, y1-y0)), windowMinimum*float64(min(w, h)))
	span := func(from, to, n int) (int, int) {
		length := min(int(math.Ceil(side)), n)
		return min(max((from+to-length)/2, 0), n-length), length
	}
	x, width = span(x0, x1, w)
	y, height = span(y0, y1, h)
	return x, y, width, height
}

// crop returns a part of an image, in the scratch's memory.
func (w *workerScratch) crop(img *Image, x, y, width, height int) *Image {
	if width == img.W && height == img.H {
		return img
	}
	w.cropped.resize(width, height)
	for r := range height {
		copy(w.cropped.Pix[3*width*r:3*width*(r+1)], img.Pix[3*((y+r)*img.W+x):])
	}
	return &w.cropped
}

// centreCrop is CLIP's preprocessing, without the conversion to floats (docs/algorithm.md 4.2).
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

// nativeSize returns the size of a w×h image after its short side is resized to the
// judge's input size, both sides rounded to whole patches.
func nativeSize(w, h, size, patch int) (rw, rh int) {
	k := float64(size) / float64(min(w, h))
	wholePatches := func(v int) int {
		return max(patch, int(math.RoundToEven(math.RoundToEven(float64(v)*k)/float64(patch)))*patch)
	}
	return wholePatches(w), wholePatches(h)
}
