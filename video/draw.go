package video

import (
	"strings"

	"github.com/carve-video/carve/video/overlay"
)

// OverlayFormat describes the samples of the frames for drawing.
func (i Info) OverlayFormat() overlay.Format {
	l := i.Layout()
	f := overlay.Format{
		RGB: l.RGB, Log2ChromaW: l.ChromaX, Log2ChromaH: l.ChromaY, BigEndian: l.BigEndian,
		Matrix: i.ColourMatrix, Rows: i.Height, Transfer: i.ColourCurve, Primaries: i.ColourPrimaries,
		FullRange: i.ColourRange == "pc" || strings.HasPrefix(i.PixelFormat, "yuvj"),
	}
	if guess := i.scaleMatrix(); guess == "bt709" { // also for wide frames of few rows
		f.Matrix = guess
	}
	for _, c := range l.Components {
		f.Components = append(f.Components, overlay.Component(c))
	}
	return f
}

// Painter returns a painter for the frames, not yet initialized.
func (i Info) Painter() *overlay.Painter {
	p := &overlay.Painter{Width: i.Width, Height: i.Height, Format: i.OverlayFormat()}
	if i.Orientation != (Orientation{}) {
		p.Upright = i.Orientation.Point
		p.UprightWidth, p.UprightHeight = i.Orientation.Upright(i.Width, i.Height)
	}
	return p
}

// Draw paints the layers into the frame. Without layers the frame is not touched.
func (f *Frame) Draw(p *overlay.Painter, layers []overlay.Layer) error {
	if len(layers) == 0 {
		return nil
	}
	planes, err := f.Planes()
	if err != nil {
		return err
	}
	return drawOn(planes, p, layers)
}

func drawOn(planes [4]Plane, p *overlay.Painter, layers []overlay.Layer) error {
	var to [len(planes)]overlay.Plane
	n := 0
	for i, q := range planes {
		to[i] = overlay.Plane(q)
		if q.Data != nil {
			n = i + 1
		}
	}
	return p.Draw(to[:n], layers)
}
