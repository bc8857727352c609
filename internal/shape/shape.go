// Package shape cleans and shapes masks for editors: it drops small parts, fills holes,
// grows, shrinks and feathers. All lengths are in pixels of the mask.
//
// A mask holds w×h values, row by row: 0 is outside, 255 inside, and the values between
// are the soft edge. [Shaper.Apply] works in this order:
//
//  1. binarise at 50 %, unless Soft is set
//  2. drop small parts (MinArea)
//  3. fill holes (FillHoles)
//  4. grow, then shrink; both together are a morphological closing
//  5. feather
//  6. invert
//
// The border of the image is not an edge. What lies beyond it is unknown, so a mask that
// touches the border is neither shrunk nor feathered from there.
package shape

import (
	"fmt"
	"image"

	"github.com/carve-video/carve/internal/parallel"
)

// inside is the lowest value that counts as inside: 50 %.
const inside = 128

// The largest radius and feather bound the time and the memory that one mask can take.
const (
	MaxRadius  = 256
	MaxFeather = 1000
)

// Options are the settings of a [Shaper]. The zero value only binarises.
type Options struct {
	// Grow and Shrink are the radii of a round element that dilates and erodes the mask.
	//
	// Without Soft, Grow adds every pixel whose centre is at most Grow away from the
	// centre of a pixel that is inside, and Shrink removes every pixel that is that
	// near to one outside.
	//
	// With Soft, the soft edge keeps its form and moves outwards, by fractions of a pixel
	// too: the pixels of at least v grow, separately for each v of 1 to 255, and a pixel
	// at distance d from them counts by 1 + Grow - d, limited to 0..1. The new value is
	// the sum. Shrink does the same to the inverted mask.
	Grow, Shrink float64

	// Feather blurs the mask with a Gaussian of σ = Feather/6. A straight hard edge
	// becomes a ramp about Feather pixels wide, half of it inside and half outside.
	Feather float64

	// MinArea drops the parts of the mask that have fewer pixels. A part is a region of
	// pixels of at least 50 %, connected by sides or corners. Its soft edge goes with it,
	// and so do pixels below 50 % that are connected with no part.
	MinArea float64

	// FillHoles fills holes of at most this area; math.Inf(1) fills all of them. A hole
	// is a region, connected by sides, that higher values enclose: each path from it to
	// the border of the image crosses them. It is filled up to the lowest value that a
	// path out of it has to cross. Its area is the sum of what filling adds, divided by
	// 255: without Soft, the number of its pixels.
	FillHoles float64

	Soft   bool // keep the soft edge
	Invert bool // exchange inside and outside, at the end
}

// Check reports the first value that is out of its range.
func (o *Options) Check() error {
	for _, v := range []struct {
		name       string
		value, max float64
	}{{"grow", o.Grow, MaxRadius}, {"shrink", o.Shrink, MaxRadius}, {"feather", o.Feather, MaxFeather}} {
		if !(v.value >= 0 && v.value <= v.max) {
			return fmt.Errorf("%s is %g pixels, want 0 to %g", v.name, v.value, v.max)
		}
	}
	if !(o.MinArea >= 0) {
		return fmt.Errorf("min-area is %g pixels, want 0 or more", o.MinArea)
	}
	if !(o.FillHoles >= 0) {
		return fmt.Errorf("fill-holes is %g pixels, want 0 or more", o.FillHoles)
	}
	return nil
}

// A Shaper shapes masks of any size. It reuses its memory and is for one goroutine.
type Shaper struct {
	// Threads bounds the goroutines that share a mask; 0 and 1 mean none. The result
	// does not depend on it.
	Threads int

	options      Options
	grow, shrink disc
	blur         kernel

	view     view
	padded   view // for [Shaper.close]
	dilation dilation
	feather  feather
	flood    flood
}

// New returns a Shaper with checked options.
func New(o Options) (*Shaper, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return &Shaper{
		options: o,
		grow:    newDisc(o.Grow),
		shrink:  newDisc(o.Shrink),
		blur:    newKernel(o.Feather),
	}, nil
}

// Apply shapes a mask of w×h in place. Apart from inverting, it works only where the
// mask is above 0, and as far around as growing and feathering reach.
func (s *Shaper) Apply(mask []uint8, w, h int) {
	mask = mask[:w*h]
	v := &s.view
	*v = view{pix: mask, w: w, frame: image.Rect(0, 0, w, h)}
	v.box = v.frame
	v.trim()
	if !s.options.Soft {
		v.binarise()
		v.trim()
	}
	s.clean(v)
	s.resize(v)
	if s.blur.reach > 0 {
		v.extend(s.blur.reach)
		s.soften(v)
	}
	v.pix = nil // it belongs to the caller
	if s.options.Invert {
		for i := range mask {
			mask[i] = ^mask[i]
		}
	}
}

// clean drops small parts and fills holes.
func (s *Shaper) clean(v *view) {
	if s.options.MinArea > 0 {
		s.flood.dropParts(v, s.options.MinArea)
		v.trim()
	}
	if s.options.FillHoles > 0 {
		s.flood.fillHoles(v, s.options.FillHoles)
	}
}

// resize grows and shrinks.
func (s *Shaper) resize(v *view) {
	grow, shrink := s.options.Grow > 0, s.options.Shrink > 0
	if grow && shrink {
		s.close(v)
		return
	}
	if grow {
		v.extend(s.grow.reach)
		s.dilate(v, &s.grow, 0)
	}
	if shrink {
		v.extend(1) // where the nearest pixels outside are
		s.dilate(v, &s.shrink, 255)
		v.trim()
	}
}

// close grows and then shrinks in a larger image, so that what grows over the border
// shrinks from there too. In that image the pixels at the border are repeated outwards.
func (s *Shaper) close(v *view) {
	if v.box.Empty() {
		return
	}
	outer := v.box.Inset(-s.grow.reach - 1) // with the nearest pixels outside
	v.extend(s.grow.reach)
	p := &s.padded
	p.w, p.frame = outer.Dx(), image.Rect(0, 0, outer.Dx(), outer.Dy())
	p.pix, p.box = grown(p.pix, p.w*outer.Dy()), p.frame
	for y := range outer.Dy() {
		in := v.pix[min(max(y+outer.Min.Y, 0), v.frame.Max.Y-1)*v.w:][:v.w]
		out := p.row(y)
		for x := range out {
			out[x] = in[min(max(x+outer.Min.X, 0), v.w-1)]
		}
	}
	s.dilate(p, &s.grow, 0)
	s.dilate(p, &s.shrink, 255)
	for y := range v.box.Dy() {
		at := v.box.Min.Sub(outer.Min)
		copy(v.row(y), p.row(y + at.Y)[at.X:])
	}
	v.trim()
}

// each calls work for consecutive ranges of n items. work is a method expression, not a
// closure, so that a call without threads allocates nothing.
func (s *Shaper) each(n int, work func(s *Shaper, worker, from, to int)) {
	if s.Threads <= 1 {
		work(s, 0, 0, n)
		return
	}
	parallel.Do(s.Threads, n, func(worker, from, to int) { work(s, worker, from, to) })
}
