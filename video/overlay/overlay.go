// Package overlay draws masks into decoded frames: a translucent fill in the query's
// colour, a crisp outline that is visible on dark and on bright footage, and names in a
// small legend or at the objects.
//
// It draws into the decoder's samples, in their own format and bit depth. Nothing is
// converted: a sample that no fill, line or letter covers is not touched, and ten bits
// stay ten bits.
//
// A frame is drawn in two steps. The layers are painted on a canvas of 8-bit RGBA, of
// which only the rows and columns in use are visited. Then the canvas is blended into
// the planes, each component with its own formula (see [Format]).
package overlay

import (
	"bytes"
	"fmt"
	"math"

	"github.com/carve-video/carve/internal/parallel"
)

// A Layer is the mask of one query in one frame.
type Layer struct {
	// Alpha is the opacity of each pixel, 0..255, in the coded size and orientation.
	Alpha  []uint8
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
	signal  *signal
	legend  legend
	tags    tags
}

// maxContour is the widest outline in pixels: the sum of a row of the box blur that draws it
// fits 16 bits.
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
	p.blender.init(&p.Format)
	if p.Style == nil {
		style := DefaultStyle()
		p.Style = &style
	}
	if err := p.Style.Check(); err != nil {
		return err
	}
	// A line is never so thin that subsampled chroma has no sample of its colour.
	p.line.init(p.Width, float32(min(max(2, p.Style.Contour*float64(min(p.Width, p.Height))/1080), maxContour)))
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
	if p.canvas.pix == nil {
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
	u := uprightMap{p.UprightWidth, p.UprightHeight, p.Upright}
	if at := p.Style.Labels; at == LabelLegend || at == LabelBoth {
		p.legend.draw(&p.canvas, layers, &u, p.Style.Legend)
	}
	if at := p.Style.Labels; at == LabelThing || at == LabelBoth {
		for i := range layers {
			if box, ok := bounds(layers[i].Alpha, p.Width, p.Height); ok {
				p.tags.draw(&p.canvas, &layers[i], box, &u)
			}
		}
	}
	return p.blender.blend(planes, &p.canvas, p.Threads)
}

// paint draws one layer on the canvas: the fill, an opaque line inside the edge, and
// its edging outside.
func (p *Painter) paint(l *Layer) {
	box, ok := bounds(l.Alpha, p.Width, p.Height)
	if !ok {
		return
	}
	box = box.grow(p.line.reach(), p.Width, p.Height)
	if n := max(p.Threads, 1); len(p.line.walkers) < n {
		p.line.walkers = make([]walker, n)
	}
	colour, around := p.signal.of(l.Colour), p.signal.of(edging(l.Colour))
	t := p.line.width
	opacity, contour := float32(p.Style.Opacity), p.Style.Contour > 0
	parallel.Do(p.Threads, box.y1-box.y0, func(worker, from, to int) {
		line := p.line.walk(worker, l.Alpha, box, from)
		for y := box.y0 + from; y < box.y0+to; y++ {
			mask := l.Alpha[y*p.Width+box.x0 : y*p.Width+box.x1]
			for x := 0; x < len(mask); {
				// Most pixels are far outside or far inside, and those of a row need no thought.
				n, in := line.plain(mask, x)
				if in && n > 0 {
					p.canvas.overRow(box.x0+x, y, n, colour, opacity)
				}
				if x += n; x == len(mask) {
					break
				}
				d := line.distance(x) // positive inside
				near := contour && d != far && d <= 2*t+1 && d >= -2*t-1
				within := float32(0) // how much the line covers, from the edge to t inside
				if near {
					within = cover(d-t*0.5, t)
				}
				if within < 1 { // otherwise it hides what is below
					if a := mask[x]; a != 0 {
						p.canvas.over(box.x0+x, y, colour, opacity*float32(a)/255)
					}
					if near { // from t outside to the edge
						p.canvas.over(box.x0+x, y, around, edgingOpacity*cover(d+t*0.5, t))
					}
				}
				p.canvas.over(box.x0+x, y, colour, within)
				x++
			}
			if y+1 < box.y0+to {
				line.next()
			}
		}
	})
}

// cover returns how much of a pixel a line of the given width covers. d is the distance
// from the middle of the line to the pixel.
func cover(d, width float32) float32 {
	if d < 0 {
		d = -d
	}
	return min(max(width/2+0.5-d, 0), 1) * min(width, 1)
}

// A rect spans [x0, x1) × [y0, y1).
type rect struct{ x0, y0, x1, y1 int }

func (r rect) grow(by, w, h int) rect {
	return rect{max(r.x0-by, 0), max(r.y0-by, 0), min(r.x1+by, w), min(r.y1+by, h)}
}

// bounds returns the smallest rectangle that holds all of a mask.
func bounds(alpha []uint8, w, h int) (rect, bool) {
	r := rect{w, h, 0, 0}
	for y := range h {
		row := alpha[y*w : (y+1)*w]
		if blank(row) {
			continue
		}
		// Only what lies outside the columns of the rows above can widen the rectangle.
		if left := row[:r.x0]; !blank(left) {
			r.x0 = 0
			for left[r.x0] == 0 {
				r.x0++
			}
		}
		if right := row[r.x1:]; !blank(right) {
			r.x1 = w
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

// far means a distance larger than any line is wide.
const far = float32(math.MaxFloat32)

// An outline computes the distance of pixels from the edge of a mask. A box blur of the
// mask falls linearly across a straight edge, by 1/(2r+1) per pixel. So its difference
// from one half gives the distance, as precisely as the edge of the mask is.
type outline struct {
	w, r    int
	width   float32
	area    uint32   // the sum of a window that lies inside
	walkers []walker // one for each goroutine
}

func (l *outline) init(w int, width float32) {
	l.w, l.width = w, width
	l.r = int(math.Ceil(float64(2*width))) + 1
	side := 2*l.r + 1
	l.area = uint32(side * side * 255)
}

// reach returns how far a line extends outside its mask, in pixels.
func (l *outline) reach() int { return l.r + 1 }

// A walker blurs the mask inside a box, row after row. It keeps only the rows that the
// window spans, because those of a whole frame would take more memory than the frame.
type walker struct {
	*outline
	alpha   []uint8
	box     rect
	y       int      // row of the box that sums is for
	blurred int      // rows of the box blurred along x so far
	rows    []uint16 // the latest blurred rows, as a ring buffer
	sums    []uint32 // column sums of the rows in the window
}

// walk starts a walker at row from of a box.
func (l *outline) walk(worker int, alpha []uint8, b rect, from int) *walker {
	k := &l.walkers[worker]
	w := b.x1 - b.x0
	k.outline, k.alpha, k.box, k.y, k.blurred = l, alpha, b, from, max(from-l.r, 0)
	if n := (2*l.r + 2) * w; cap(k.rows) < n || cap(k.sums) < w {
		k.rows, k.sums = make([]uint16, n), make([]uint32, w)
	}
	k.sums = k.sums[:w]
	clear(k.sums)
	for y := from - l.r; y <= from+l.r; y++ {
		for x, v := range k.row(y) {
			k.sums[x] += uint32(v)
		}
	}
	return k
}

// next advances to the next row.
func (k *walker) next() {
	sums := k.sums
	add, sub := k.row(k.y + k.r + 1)[:len(sums)], k.row(k.y - k.r)[:len(sums)]
	for x := range sums {
		sums[x] += uint32(add[x]) - uint32(sub[x])
	}
	k.y++
}

// row returns a row of the box, blurred along x. Beyond its border the border pixels are
// repeated.
func (k *walker) row(y int) []uint16 {
	b, w := k.box, k.box.x1-k.box.x0
	y = min(max(y, 0), b.y1-b.y0-1)
	at := func(y int) []uint16 { return k.rows[y%(2*k.r+2)*w:][:w] }
	for ; k.blurred <= y; k.blurred++ {
		k.blur(k.alpha[(b.y0+k.blurred)*k.w:(b.y0+k.blurred+1)*k.w], at(k.blurred))
	}
	return at(y)
}

// blur sums up the window around each pixel of the box in a row of the frame.
func (k *walker) blur(in []uint8, out []uint16) {
	inside := func(x int) int { return min(max(x, 0), k.w-1) }
	sum := 0
	for x := k.box.x0 - k.r; x <= k.box.x0+k.r; x++ {
		sum += int(in[inside(x)])
	}
	// Between from and to the window lies in the row.
	from := min(max(k.r-k.box.x0, 0), len(out))
	to := max(min(k.w-k.r-1-k.box.x0, len(out)), from)
	for x := range from {
		out[x] = uint16(sum)
		sum += int(in[inside(k.box.x0+x+k.r+1)]) - int(in[inside(k.box.x0+x-k.r)])
	}
	if from < to {
		first := k.box.x0 + from
		mid, enter, leave := out[from:to], in[first+k.r+1:][:to-from], in[first-k.r:][:to-from]
		for x := range mid {
			mid[x] = uint16(sum)
			sum += int(enter[x]) - int(leave[x])
		}
	}
	for x := to; x < len(out); x++ {
		out[x] = uint16(sum)
		sum += int(in[inside(k.box.x0+x+k.r+1)]) - int(in[inside(k.box.x0+x-k.r)])
	}
}

// plain returns how many pixels of the row, from column x of the box, are all far outside the
// mask, or all far inside it. mask is the row inside the box.
func (k *walker) plain(mask []uint8, x int) (n int, in bool) {
	sums := k.sums[:len(mask)]
	from := x
	switch sums[x] {
	case 0:
		// A window without a pixel of the mask has none in its middle.
		for x < len(sums) && sums[x] == 0 {
			x++
		}
	case k.area:
		for x < len(sums) && sums[x] == k.area {
			x++
		}
		in = true
	}
	return x - from, in
}

// distance returns the distance of a pixel of the row, by its column in the box, from the
// outline: in pixels, positive inside.
func (k *walker) distance(x int) float32 {
	v := float32(k.sums[x]) / float32(k.area)
	if v == 0 || v >= 1 {
		return far
	}
	return (v - 0.5) * float32(2*k.r+1)
}
