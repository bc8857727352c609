package flow

import (
	"fmt"

	"github.com/carve-video/carve/internal/parallel"
)

// LongSide is the longest side at which flow is computed, in pixels. The objects that
// carve tracks are larger than a few of these pixels, and their outlines are found in the
// full frame.
const LongSide = 160

// A Pyramid is the brightness of a frame, 0..255, at the resolution of the flow and at
// halves of it.
type Pyramid struct {
	levels []plane // the finest first
}

type plane struct {
	w, h int
	pix  []float32
}

// Size returns the resolution at which the flow of frames of w×h is computed, and the
// factor by which it is smaller.
func Size(w, h int) (fw, fh, factor int) {
	factor = max(1, (max(w, h)+LongSide-1)/LongSide)
	return (w + factor - 1) / factor, (h + factor - 1) / factor, factor
}

// Build fills p from a frame of RGB bytes, w×h, and reuses its memory.
func (p *Pyramid) Build(pix []uint8, w, h, threads int) {
	fw, fh, f := Size(w, h)
	p.resize(fw, fh)
	downsample(pix, w, h, f, &p.levels[0], threads)
	p.halve()
}

// SetLuma fills p from the brightness of another, as [Pyramid.Luma] returned it, for
// frames of w×h.
func (p *Pyramid) SetLuma(luma []float32, w, h int) error {
	fw, fh, _ := Size(w, h)
	if len(luma) != fw*fh {
		return fmt.Errorf("the brightness of a frame has %d values of %dx%d", len(luma), fw, fh)
	}
	p.resize(fw, fh)
	copy(p.levels[0].pix, luma)
	p.halve()
	return nil
}

// resize makes room for levels whose finest is w×h.
func (p *Pyramid) resize(w, h int) {
	n := 1
	for s := min(w, h) / 2; s >= minLevelSide; s /= 2 {
		n++
	}
	if len(p.levels) != n {
		p.levels = make([]plane, n)
	}
	p.levels[0].resize(w, h)
}

// halve fills the coarser levels.
func (p *Pyramid) halve() {
	for i := 1; i < len(p.levels); i++ {
		halve(&p.levels[i-1], &p.levels[i])
	}
}

// Luma is the brightness at the finest level, W×H of [Size].
func (p *Pyramid) Luma() []float32 { return p.levels[0].pix }

func (p *plane) resize(w, h int) {
	p.w, p.h = w, h
	if cap(p.pix) < w*h {
		p.pix = make([]float32, w*h)
	}
	p.pix = p.pix[:w*h]
}

// downsample averages blocks of f×f pixels into one, with the luma weights of BT.601.
func downsample(pix []uint8, w, h, f int, dst *plane, threads int) {
	parallel.Do(threads, dst.h, func(_, from, to int) {
		for y := from; y < to; y++ {
			y1 := min(y*f+f, h)
			for x := range dst.w {
				x1 := min(x*f+f, w)
				r, g, b := 0, 0, 0
				for yy := y * f; yy < y1; yy++ {
					row := pix[3*(yy*w+x*f) : 3*(yy*w+x1)]
					for i := 0; i+2 < len(row); i += 3 {
						r, g, b = r+int(row[i]), g+int(row[i+1]), b+int(row[i+2])
					}
				}
				dst.pix[y*dst.w+x] = (.299*float32(r) + .587*float32(g) + .114*float32(b)) / float32((y1-y*f)*(x1-x*f))
			}
		}
	})
}

// halve averages blocks of two by two. An odd last row or column is averaged with itself.
func halve(src, dst *plane) {
	dst.resize((src.w+1)/2, (src.h+1)/2)
	for y := range dst.h {
		a, b := src.pix[2*y*src.w:], src.pix[min(2*y+1, src.h-1)*src.w:]
		for x := range dst.w {
			x0, x1 := 2*x, min(2*x+1, src.w-1)
			dst.pix[y*dst.w+x] = (a[x0] + a[x1] + b[x0] + b[x1]) / 4
		}
	}
}

// at interpolates between pixels, and repeats the edge outside.
func (p *plane) at(x, y float32) float32 {
	x, y = min(max(x, 0), float32(p.w-1)), min(max(y, 0), float32(p.h-1))
	x0, y0 := int(x), int(y)
	wx, wy := x-float32(x0), y-float32(y0)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	top := p.pix[y0*p.w+x0] + (p.pix[y0*p.w+x1]-p.pix[y0*p.w+x0])*wx
	low := p.pix[y1*p.w+x0] + (p.pix[y1*p.w+x1]-p.pix[y1*p.w+x0])*wx
	return top + (low-top)*wy
}
