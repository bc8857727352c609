package overlay

import (
	"fmt"
	"slices"
)

// A Style says how layers are drawn. Take [DefaultStyle] and change what is to differ.
type Style struct {
	// Opacity is that of the fill inside a mask, 0..1; with 0 there is no fill.
	Opacity float64
	// Contour is the width of the outline, in pixels of a frame with 1080 rows; with 0
	// there is none.
	Contour float64
	// Labels says where names are written.
	Labels Labels
	// Legend is the corner of the legend.
	Legend Corner
}

// DefaultStyle returns the usual style. The frame shows through the fill; the outline is
// opaque, so that its colour is that of the legend.
func DefaultStyle() Style { return Style{Opacity: 0.42, Contour: 3.5} }

// Check finds what is out of range.
func (s *Style) Check() error {
	switch {
	case !(s.Opacity >= 0 && s.Opacity <= 1):
		return fmt.Errorf("the opacity is %g; it is from 0 to 1", s.Opacity)
	case !(s.Contour >= 0 && s.Contour <= 100):
		return fmt.Errorf("the contour is %g; it is from 0 to 100 pixels", s.Contour)
	case s.Labels < 0 || int(s.Labels) >= len(labelNames):
		return fmt.Errorf("there is no place %d for labels", s.Labels)
	case s.Legend < 0 || int(s.Legend) >= len(cornerNames):
		return fmt.Errorf("there is no corner %d", s.Legend)
	}
	return nil
}

// Labels says where names are written.
type Labels int

// The places for labels.
const (
	LabelLegend Labels = iota // in a legend, with scores
	LabelThing                // at each object
	LabelBoth
	LabelOff
)

var labelNames = []string{"legend", "thing", "both", "off"}

// String returns the name of the place.
func (l Labels) String() string { return labelNames[l] }

// UnmarshalText parses the name of a place.
func (l *Labels) UnmarshalText(text []byte) error {
	i := slices.Index(labelNames, string(text))
	if i < 0 {
		return fmt.Errorf("there is no place %q for labels", text)
	}
	*l = Labels(i)
	return nil
}

// A Corner is the place of the legend.
type Corner int

// The corners.
const (
	// AutoCorner is the corner in which the legend covers the least of the masks. The
	// legend moves only if that is clearly better than where it is.
	AutoCorner Corner = iota
	TopLeft
	TopRight
	BottomLeft
	BottomRight
)

var cornerNames = []string{"auto", "top-left", "top-right", "bottom-left", "bottom-right"}

// String returns the name of the corner.
func (c Corner) String() string { return cornerNames[c] }

// UnmarshalText parses the name of a corner.
func (c *Corner) UnmarshalText(text []byte) error {
	i := slices.Index(cornerNames, string(text))
	if i < 0 {
		return fmt.Errorf("there is no corner %q", text)
	}
	*c = Corner(i)
	return nil
}
