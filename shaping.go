package carve

import (
	"slices"

	"github.com/carve-video/carve/internal/shape"
)

// Shaping changes masks before a sink draws or writes them. Lengths are in pixels of the
// source, areas in numbers of pixels. The steps come in the order of the fields. The zero
// value only makes edges hard.
type Shaping struct {
	// Soft keeps the soft edge of masks. Otherwise a pixel is inside or outside.
	Soft bool
	// MinArea drops parts of a mask that are smaller.
	MinArea float64
	// FillHoles fills holes up to this area; math.Inf(1) fills all.
	FillHoles float64
	// Grow and Shrink move the edge outward and inward, by at most 256 pixels. With both,
	// a mask grows first, which closes gaps.
	Grow, Shrink float64
	// Feather makes the edge a ramp of this width, at most 1000 pixels, half of it on each
	// side.
	Feather float64
	// Invert exchanges inside and outside. A query that is absent is then outside nowhere.
	Invert bool
}

func (s *Shaping) options() shape.Options {
	return shape.Options{Grow: s.Grow, Shrink: s.Shrink, Feather: s.Feather, MinArea: s.MinArea, FillHoles: s.FillHoles, Soft: s.Soft, Invert: s.Invert}
}

// Check finds what is out of range.
func (s *Shaping) Check() error {
	o := s.options()
	return o.Check()
}

// scaled is the shaping for masks at another scale than that of the source. nil stays nil.
func (s *Shaping) scaled(by float64) *Shaping {
	if s == nil {
		return nil
	}
	c := *s
	c.MinArea, c.FillHoles = s.MinArea*by*by, s.FillHoles*by*by
	c.Grow, c.Shrink = min(s.Grow*by, shape.MaxRadius), min(s.Shrink*by, shape.MaxRadius)
	c.Feather = min(s.Feather*by, shape.MaxFeather)
	return &c
}

// A maskShaper makes shaped copies of masks of one size, for one goroutine.
type maskShaper struct {
	shaper *shape.Shaper
	w, h   int
	invert bool
	copies [][]uint8
	used   int
}

// newMaskShaper returns nil if there is nothing to do.
func newMaskShaper(s *Shaping, w, h, threads int) (*maskShaper, error) {
	if s == nil {
		return nil, nil
	}
	shaper, err := shape.New(s.options())
	if err != nil {
		return nil, err
	}
	shaper.Threads = threads
	return &maskShaper{shaper: shaper, w: w, h: h, invert: s.Invert}, nil
}

// begin begins a frame: copies of the one before are used again.
func (m *maskShaper) begin() {
	if m != nil {
		m.used = 0
	}
}

// shape returns a mask as it is to be drawn or written, valid until begin.
func (m *maskShaper) shape(mask []uint8) []uint8 {
	if m == nil {
		return mask
	}
	if m.used == len(m.copies) {
		m.copies = append(m.copies, nil)
	}
	c := append(slices.Grow(m.copies[m.used][:0], m.w*m.h), mask...)
	m.copies[m.used] = c
	m.used++
	m.shaper.Apply(c, m.w, m.h)
	return c
}

// leaves reports whether a mask that was shaped has a pixel inside; one that was inverted,
// a pixel outside.
func (m *maskShaper) leaves(mask []uint8) bool {
	if m == nil || !m.invert {
		return firstInside(mask) < len(mask)
	}
	return slices.ContainsFunc(mask, func(v uint8) bool { return v < inside })
}
