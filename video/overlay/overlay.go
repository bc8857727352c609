// Package overlay draws masks into decoded frames: a translucent fill in the query's
// colour, a crisp outline that is visible on dark and on bright footage, and names in a
// small legend or at the objects.
//
// It draws into the decoder's samples, in their own format and bit depth. Nothing is
// converted: a sample that no fill, line or letter covers is not touched, and ten bits
// stay ten bits.
//
// A frame is drawn in two steps. The layers are painted on a canvas of 8-bit RGBA, which
// has spans of one colour and single pixels only where colours change. Then the canvas is
// blended into the planes, each component with its own formula (see [Format]).
package overlay

import (
	"bytes"
	"fmt"
	"image"

	"github.com/carve-video/carve/internal/parallel"
)

// A Layer is the mask of one query in one frame.
type Layer struct {
	// Alpha is the opacity of each pixel, 0..255, in the coded size and orientation.
	Alpha []uint8
	// Extent is a rectangle outside of which Alpha is 0. The zero rectangle says that none
	// is known.
	Extent image.Rectangle
	Colour [3]uint8 // as BT.709, whatever the frames have
	Query  int      // index of the query, which names it if its label cannot be drawn
	Label  string   // of the query
	Number int      // of the instance; 0 for none
	Score  float32  // 0..1; below 0 for none
}

// A Plane is one plane of samples: rows of Stride bytes.
type Plane struct {
	Data   []byte
	Stride int
}

// A Painter draws layers into the frames of one video. Its exported fields are
// parameters. It is used by one goroutine.
type Painter struct {
	Width, Height int // coded
	Format        Format
	// Upright maps a pixel of the upright frame to the coded one, given the upright
	// size; nil if the frame is stored upright. It needs UprightWidth and
	// UprightHeight.
	Upright                     func(x, y, w, h int) (int, int)
	UprightWidth, UprightHeight int
	// Style says how layers are drawn; nil stands for [DefaultStyle].
	Style *Style
	// Threads bounds the goroutines that share the rows of a frame; with 0 and 1 there
	// are none. The result does not depend on it.
	Threads int

	canvas  canvas
	blender blender
	line    outline
	brush   brush
	signal  *signal
	legend  legend
	tags    tags
	upright uprightMap
}

// maxContour is the widest outline in pixels: the sum of a column of the box blur that draws
// it fits 16 bits.
const maxContour = 60

// edgingOpacity is that of the line around the outline.
const edgingOpacity = 0.55

// Initialize checks the format. The canvas is made when there is something to draw.
func (p *Painter) Initialize() error {
	if p.Width <= 0 || p.Height <= 0 {
		return fmt.Errorf("a frame of %dx%d cannot be drawn on", p.Width, p.Height)
	}
	if err := p.Format.check(); err != nil {
		return err
	}
	if p.Upright == nil {
		p.Upright = func(x, y, _, _ int) (int, int) { return x, y }
		p.UprightWidth, p.UprightHeight = p.Width, p.Height
	}
	p.upright = uprightMap{w: p.UprightWidth, h: p.UprightHeight, point: p.Upright}
	p.blender.init(&p.Format)
	if p.Style == nil {
		style := DefaultStyle()
		p.Style = &style
	}
	if err := p.Style.Check(); err != nil {
		return err
	}
	// A line is never so thin that subsampled chroma has no sample of its colour.
	p.line.init(p.Width, float32(min(max(2, p.Style.Contour*float64(min(p.Width, p.Height))/1080), maxContour)), p.Style.Contour > 0)
	p.signal = p.Format.signal()
	p.legend.signal, p.tags.signal = p.signal, p.signal
	if err := p.legend.init(p.UprightHeight, p.Style.Legend); err != nil {
		return err
	}
	return p.tags.init(p.UprightHeight)
}

// Corner returns the corner in which the legend is. It is to be kept, and given to
// SetCorner, where drawing goes on in another process.
func (p *Painter) Corner() Corner { return p.legend.corner }

// SetCorner puts the legend into a corner, from which it may move on with [AutoCorner].
func (p *Painter) SetCorner(c Corner) {
	if c > AutoCorner && int(c) < len(cornerNames) && p.Style.Legend == AutoCorner {
		p.legend.corner = c
	}
}

// Draw paints the layers into the planes, in order.
func (p *Painter) Draw(planes []Plane, layers []Layer) error {
	if len(layers) == 0 {
		return nil
	}
	if p.canvas.rows == nil {
		p.canvas.init(p.Width, p.Height)
	}
	p.canvas.clear()
	for i := range layers {
		l := &layers[i]
		if len(l.Alpha) < p.Width*p.Height {
			return fmt.Errorf("the mask of %q has %d values, not %d", l.Label, len(l.Alpha), p.Width*p.Height)
		}
		p.paint(l)
	}
	u := &p.upright
	if at := p.Style.Labels; at == LabelLegend || at == LabelBoth {
		p.legend.draw(&p.canvas, layers, u, p.Style.Legend)
	}
	if at := p.Style.Labels; at == LabelThing || at == LabelBoth {
		for i := range layers {
			if box, ok := bounds(layers[i].Alpha, p.Width, p.extent(&layers[i])); ok {
				p.tags.draw(&p.canvas, &layers[i], box, u)
			}
		}
	}
	return p.blender.blend(planes, &p.canvas, p.Threads)
}

// paint draws one layer on the canvas: the fill, an opaque line inside the edge, and
// its edging outside.
func (p *Painter) paint(l *Layer) {
	box := p.extent(l)
	if l.Extent.Empty() {
		box, _ = bounds(l.Alpha, p.Width, box)
	}
	if box.x1 <= box.x0 {
		return
	}
	box = box.grow(p.line.reach(), p.Width, p.Height)
	if n := max(p.Threads, 1); len(p.line.walkers) < n {
		p.line.walkers = make([]walker, n)
	}
	b := &p.brush
	b.init(p.signal.of(l.Colour), p.signal.of(edging(l.Colour)), float32(p.Style.Opacity))
	parallel.Do(p.Threads, box.y1-box.y0, func(worker, from, to int) {
		line := p.line.walk(worker, l.Alpha, box, from)
		for y := from; y < to; y++ {
			if y > from {
				line.next()
			}
			for x := 0; ; {
				// Most pixels are far outside or far inside.
				begin, end, in := line.plain(x)
				if pix := p.canvas.mix(box.y0+y, box.x0+x, box.x0+begin); pix != nil {
					b.draw(pix, line.row(y)[x:begin], line.windows(x, begin), &p.line)
				}
				if begin == end {
					break
				}
				if x = end; in {
					p.canvas.fill(box.y0+y, box.x0+begin, box.x0+end, b.colour, uint32(b.fill[255]))
				}
			}
		}
	})
}

// A rect spans [x0, x1) × [y0, y1).
type rect struct{ x0, y0, x1, y1 int }

func (r rect) grow(by, w, h int) rect {
	return rect{max(r.x0-by, 0), max(r.y0-by, 0), min(r.x1+by, w), min(r.y1+by, h)}
}

// extent returns a rectangle that holds all of the layer's mask.
func (p *Painter) extent(l *Layer) rect {
	if l.Extent.Empty() {
		return rect{0, 0, p.Width, p.Height}
	}
	return rect{max(l.Extent.Min.X, 0), max(l.Extent.Min.Y, 0), min(l.Extent.Max.X, p.Width), min(l.Extent.Max.Y, p.Height)}
}

// bounds returns the smallest rectangle that holds all of a mask, which is 0 outside of within.
func bounds(alpha []uint8, w int, within rect) (rect, bool) {
	r := rect{within.x1, within.y1, within.x0, within.y0}
	for y := within.y0; y < within.y1; y++ {
		row := alpha[y*w : (y+1)*w]
		if blank(row[within.x0:within.x1]) {
			continue
		}
		// Only what lies outside the columns of the rows above can widen the rectangle.
		if !blank(row[within.x0:max(r.x0, within.x0)]) {
			r.x0 = within.x0
			for row[r.x0] == 0 {
				r.x0++
			}
		}
		if !blank(row[min(r.x1, within.x1):within.x1]) {
			r.x1 = within.x1
			for row[r.x1-1] == 0 {
				r.x1--
			}
		}
		r.y0, r.y1 = min(r.y0, y), y+1
	}
	return r, r.y1 > r.y0
}

// blank reports whether all values are 0.
func blank(values []uint8) bool {
	for len(values) > len(zeros) {
		if !bytes.Equal(values[:len(zeros)], zeros[:]) {
			return false
		}
		values = values[len(zeros):]
	}
	return bytes.Equal(values, zeros[:len(values)])
}

var zeros [1024]uint8
