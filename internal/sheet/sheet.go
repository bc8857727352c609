// Package sheet lays out frames as a contact sheet: one image that shows a video at a
// glance.
//
// Frames are in a grid with thin gutters. Below each is a caption line: text such as a
// time code on the left, then tags, each a name after a dot of its colour. What does
// not fit into the line is cut off with an ellipsis.
package sheet

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"sync"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A Cell is one frame of the sheet.
type Cell struct {
	Image   image.Image
	Caption string
	Tags    []Tag
}

// A Tag is a name and its colour in the image.
type Tag struct {
	Name  string
	Color color.Color
	Note  string // such as a number after the name, which stays if the name is cut
}

// Options control the layout. The zero value suits most sheets.
type Options struct {
	// Title is a line above the frames; none if empty.
	Title string

	// Columns is the number of frames side by side. By default it makes the shape of
	// the sheet closest to 16:10.
	Columns int

	// CellWidth is the width of a frame in pixels, 320 by default. All cells have the
	// height of the first frame at this width; other frames are fitted into it.
	CellWidth int

	// TagLines is how many lines below the caption tags may take. With 0 they follow the
	// caption in its line.
	TagLines int
}

const (
	gutter    = 6  // between and around frames
	captionH  = 22 // height below a frame
	tagLineH  = 17 // of a further line
	titleH    = 34
	captionPt = 12
	titlePt   = 16
)

// Muted colours, so that the frames stand out.
var (
	paper = color.RGBA{22, 24, 29, 255}
	ink   = color.RGBA{205, 209, 217, 255}
	faint = color.RGBA{150, 156, 168, 255}
)

// maxSide and maxPixels limit the memory that wrong options can take.
const (
	maxSide   = 1 << 14
	maxPixels = 1 << 26
)

// checkSize returns an error if an image would be too large.
func checkSize(what string, size image.Point) error {
	switch {
	case size.X > maxSide || size.Y > maxSide:
		return fmt.Errorf("%s would be %dx%d, more than %d a side", what, size.X, size.Y, maxSide)
	case size.X*size.Y > maxPixels:
		return fmt.Errorf("%s would be %dx%d, more than %d megapixels", what, size.X, size.Y, maxPixels>>20)
	}
	return nil
}

// size is that of a sheet with so many columns and rows of frames h pixels high, whose tags
// take so many lines.
func (o *Options) size(columns, rows, h, lines int) image.Point {
	top := gutter
	if o.Title != "" {
		top = titleH
	}
	return image.Pt(columns*(o.CellWidth+gutter)+gutter, rows*(h+captionH+tagLineH*lines)+top)
}

// Check returns an error if a sheet with so many rows of frames h pixels high may be too
// large, and how many bytes its image takes at most. Columns and CellWidth are set.
func (o *Options) Check(rows, h int) (bytes int64, err error) {
	size := o.size(o.Columns, rows, h, o.TagLines)
	return imageBytes(size), checkSize("contact sheet", size)
}

// imageBytes is the memory of an image of a size, or of the largest that there can be.
func imageBytes(size image.Point) int64 { return 4 * min(int64(size.X)*int64(size.Y), maxPixels) }

// Draw lays the cells out, row by row.
func Draw(cells []Cell, o Options) (*image.RGBA, error) {
	if len(cells) == 0 {
		return nil, errors.New("contact sheet without frames")
	}
	if o.CellWidth <= 0 {
		o.CellWidth = 320
	}
	for i, c := range cells {
		if c.Image == nil || c.Image.Bounds().Empty() {
			return nil, fmt.Errorf("contact sheet: frame %d is empty", i+1)
		}
	}
	first := cells[0].Image.Bounds()
	w := o.CellWidth
	h := max(1, (w*first.Dy()+first.Dx()/2)/first.Dx())
	f, err := fonts()
	if err != nil {
		return nil, fmt.Errorf("contact sheet: %w", err)
	}
	f.mu.Lock() // a font face has a buffer for the current glyph
	defer f.mu.Unlock()
	lines := tagLines(cells, f.caption, w, o.TagLines)
	below := captionH + tagLineH*lines
	if o.Columns <= 0 {
		o.Columns = columns(len(cells), w, h+below)
	}
	cols := min(o.Columns, len(cells))
	rows := (len(cells) + cols - 1) / cols
	size := o.size(cols, rows, h, lines)
	if err := checkSize("contact sheet", size); err != nil {
		return nil, err
	}
	top := size.Y - rows*(h+below)

	dst := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(dst, dst.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	if o.Title != "" {
		line := writer{dst: dst, face: f.title, x: gutter + 2, base: titleH - 12, end: size.X - gutter}
		line.write(o.Title, ink)
	}
	for i, c := range cells {
		at := image.Pt(gutter+i%cols*(w+gutter), top+i/cols*(h+below))
		box := fit(c.Image.Bounds(), image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))})
		draw.CatmullRom.Scale(dst, box, c.Image, c.Image.Bounds(), draw.Over, nil)

		line := writer{dst: dst, face: f.caption, x: at.X + 2, base: at.Y + h + captionBase, end: at.X + w - 2}
		line.write(c.Caption, faint)
		if o.TagLines > 0 {
			line.x = line.end // tags begin a line
		}
		line.tags(c.Tags, at.X+2, o.TagLines)
	}
	return dst, nil
}

// tagLines returns how many lines the tags of any cell take, at most most.
func tagLines(cells []Cell, face font.Face, w, most int) (lines int) {
	for _, c := range cells {
		line := writer{face: face, x: w - 2, end: w - 2}
		lines = max(lines, line.tags(c.Tags, 2, most))
	}
	return lines
}

// columns chooses a grid for n cells of w×h whose shape is closest to 16:10. It prefers
// grids without a gap in the last row.
func columns(n, w, h int) int {
	best, bestCost := 1, 0.
	for c := 1; c <= n; c++ {
		r := (n + c - 1) / c
		shape := float64(c*w) / float64(r*h) / 1.6
		if shape < 1 {
			shape = 1 / shape
		}
		cost := shape * (1 + .5*float64(r*c-n)/float64(n))
		if c == 1 || cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// fit returns the largest rectangle with the image's shape, centred in the frame.
func fit(img, frame image.Rectangle) image.Rectangle {
	w, h := frame.Dx(), frame.Dy()
	// A difference of one pixel from rounding needs no bar.
	if d := img.Dx()*h - img.Dy()*w; d > img.Dx() {
		h = max(1, w*img.Dy()/img.Dx())
	} else if -d > img.Dy() {
		w = max(1, h*img.Dx()/img.Dy())
	}
	at := frame.Min.Add(image.Pt((frame.Dx()-w)/2, (frame.Dy()-h)/2))
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}
}

// A writer writes a line of text from x to end.
type writer struct {
	dst          *image.RGBA
	face         font.Face
	x, base, end int
}

// captionBase is the baseline of a caption below its frame, and tagGap the room between tags.
const (
	dotRoom     = 13
	captionBase = 15
	tagGap      = 8
)

// tags writes tags into the rest of the line and up to so many more, which begin at x. It
// returns how many more it needs. Without an image nothing is drawn.
func (l *writer) tags(tags []Tag, x, more int) (used int) {
	for _, tag := range tags {
		if l.x > x {
			l.x += tagGap
		}
		name := tag.Name
		if more > 0 && len(tags) > 1 { // one long name leaves room for others
			name = l.cut(name, (l.end-x)*3/5)
		}
		if !l.room(name+tag.note()) && used < more {
			l.x, l.base, used = x, l.base+tagLineH, used+1
		}
		if !l.room(name + tag.note()) {
			if more == 0 || l.x > x {
				if l.dst != nil {
					l.write("…", ink)
				}
				return used
			}
			name = l.cut(name, l.end-l.x-dotRoom-l.width(tag.note()))
		}
		if l.dst == nil {
			l.x += dotRoom + l.width(name) + l.width(tag.note())
			continue
		}
		l.dot(tag.Color)
		l.write(name, ink)
		l.write(tag.note(), faint)
	}
	return used
}

// note is what follows the name.
func (t *Tag) note() string {
	if t.Note == "" {
		return ""
	}
	return " " + t.Note
}

func (l *writer) width(text string) int { return font.MeasureString(l.face, text).Ceil() }

// cut cuts a text to a width.
func (l *writer) cut(text string, width int) string {
	if l.width(text) <= width {
		return text
	}
	r := []rune(text)
	for len(r) > 0 && l.width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// room tells whether a tag and an ellipsis after it fit into the rest of the line.
func (l *writer) room(name string) bool {
	return l.x+dotRoom+l.width(name+" …") <= l.end
}

// write writes the text, cut at the end of the line.
func (l *writer) write(text string, c color.Color) {
	if text == "" {
		return
	}
	text = l.cut(text, l.end-l.x)
	d := font.Drawer{Dst: l.dst, Src: image.NewUniform(c), Face: l.face, Dot: fixed.P(l.x, l.base)}
	d.DrawString(text)
	l.x = d.Dot.X.Ceil()
}

// dot draws a disc in the colour of a tag. Its edge is antialiased with 4×4 samples a
// pixel.
func (l *writer) dot(c color.Color) {
	const r = 4
	cx, cy := l.x+r, l.base-r
	cover := image.NewAlpha(image.Rect(cx-r, cy-r, cx+r, cy+r))
	for y := -r; y < r; y++ {
		for x := -r; x < r; x++ {
			n := 0
			for s := range 16 {
				dx, dy := float64(x)+(float64(s%4)+.5)/4, float64(y)+(float64(s/4)+.5)/4
				if dx*dx+dy*dy < r*r {
					n++
				}
			}
			cover.SetAlpha(cx+x, cy+y, color.Alpha{uint8(n * 255 / 16)})
		}
	}
	draw.DrawMask(l.dst, cover.Rect, image.NewUniform(c), image.Point{}, cover, cover.Rect.Min, draw.Over)
	l.x += dotRoom
}

type fontSet struct {
	mu             sync.Mutex
	caption, title font.Face
}

// fonts parses the Go fonts (BSD licence, part of golang.org/x/image) once.
var fonts = sync.OnceValues(func() (*fontSet, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	s := new(fontSet)
	for _, x := range []struct {
		face *font.Face
		pt   float64
	}{{&s.caption, captionPt}, {&s.title, titlePt}} {
		*x.face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: x.pt, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
})
