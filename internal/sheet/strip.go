package sheet

import (
	"errors"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// A Row of a strip is a concept, its frames, and a bar that says when it is seen.
type Row struct {
	ID    int // of the caller
	Name  string
	Color color.Color
	Notes []string // lines below the name
	Cells []image.Image
	// Captions are the lines below each cell.
	Captions [][]string
	// Bar has [StripOptions.BarWidth] levels, from the begin to the end.
	Bar []Level
	// Marks are the places of the cells on the bar, 0..1.
	Marks []float64
}

// A Level is drawn as a line of a height, 0..1, and an opacity, Part. Any part of more than 0
// can be seen.
type Level struct{ Part, Height float64 }

// A Tick is a text at a place of all bars, 0..1.
type Tick struct {
	At   float64
	Text string
}

// StripOptions control the layout of a strip.
type StripOptions struct {
	Title, Footer                  string
	Columns, CellWidth, CellHeight int
	Ticks                          []Tick
}

const (
	nameW  = 190 // width of the names
	barH   = 18
	rowGap = 12
	footH  = 24
	noteH  = 18
)

var track = color.RGBA{40, 43, 51, 255} // of a bar

// BarWidth is the width of bars in pixels: that of all cells beside each other.
func (o *StripOptions) BarWidth() int { return o.Columns*(o.CellWidth+gutter) - gutter }

// captions is the height of the captions of a row.
func (r *Row) captions() (h int) {
	for _, lines := range r.Captions {
		h = max(h, captionH+tagLineH*(len(lines)-1))
	}
	return h
}

// height is that of a row.
func (o *StripOptions) height(r *Row) int {
	h := barH
	if len(r.Cells) > 0 {
		h += o.CellHeight + r.captions()
	}
	return max(h, captionH+noteH*len(r.Notes)) + rowGap
}

// size is that of a strip whose rows have so many pixels together.
func (o *StripOptions) size(rows int) image.Point {
	size := image.Pt(gutter+nameW+o.BarWidth()+gutter, titleH+rows+footH)
	if o.Footer != "" {
		size.Y += footH
	}
	return size
}

// Check returns an error if not even one row has room, and how many bytes the image of so many
// rows takes at most.
func (o *StripOptions) Check(rows int) (bytes int64, err error) {
	const lines = 2 // of a caption
	row := barH + o.CellHeight + captionH + tagLineH*(lines-1) + rowGap
	return imageBytes(o.size(rows*row + footH)), checkSize("strip", o.size(row+footH))
}

// Room returns how many of the rows have room, from the first on. It leaves room for a footer.
func (o *StripOptions) Room(rows []Row) int {
	sum := 0
	for i := range rows {
		if sum += o.height(&rows[i]); checkSize("", o.size(sum+footH)) != nil {
			return i
		}
	}
	return len(rows)
}

// DrawStrip draws the rows, one below the other.
func DrawStrip(rows []Row, o StripOptions) (*image.RGBA, error) {
	if len(rows) == 0 || o.Columns <= 0 || o.CellWidth <= 0 || o.CellHeight <= 0 {
		return nil, errors.New("strip without rows or columns")
	}
	sum := 0
	for i := range rows {
		sum += o.height(&rows[i])
	}
	size := o.size(sum)
	if err := checkSize("strip", size); err != nil {
		return nil, err
	}
	f, err := fonts()
	if err != nil {
		return nil, fmt.Errorf("strip: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dst := image.NewRGBA(image.Rectangle{Max: size})
	fill(dst, dst.Rect, paper)
	line := writer{dst: dst, face: f.title, x: gutter + 2, base: titleH - 12, end: size.X - gutter}
	line.write(o.Title, ink)
	y := titleH
	for i := range rows {
		drawRow(dst, f, &rows[i], &o, y)
		y += o.height(&rows[i])
	}
	for _, t := range o.Ticks {
		x := gutter + nameW + int(t.At*float64(o.BarWidth()))
		fill(dst, image.Rect(x, y-rowGap+2, x+1, y-rowGap+7), faint)
		line := writer{dst: dst, face: f.caption, x: x + 3, base: y - rowGap + captionBase, end: size.X}
		line.write(t.Text, faint)
	}
	if o.Footer != "" {
		line := writer{dst: dst, face: f.caption, x: gutter + 2, base: size.Y - 8, end: size.X - gutter}
		line.write(o.Footer, faint)
	}
	return dst, nil
}

// drawRow draws a row at a height.
func drawRow(dst *image.RGBA, f *fontSet, r *Row, o *StripOptions, y int) {
	name := writer{dst: dst, face: f.title, x: gutter + 2, base: y + captionBase, end: nameW}
	name.dot(r.Color)
	name.write(r.Name, ink)
	for i, n := range r.Notes {
		line := writer{dst: dst, face: f.caption, x: gutter + 2 + dotRoom, base: y + captionH + captionBase + i*noteH, end: nameW}
		line.write(n, faint)
	}
	left := gutter + nameW
	for i, c := range r.Cells {
		if i >= o.Columns {
			break
		}
		x := left + i*(o.CellWidth+gutter)
		box := fit(c.Bounds(), image.Rect(x, y, x+o.CellWidth, y+o.CellHeight))
		draw.CatmullRom.Scale(dst, box, c, c.Bounds(), draw.Over, nil)
		for k, text := range r.Captions[i] {
			line := writer{dst: dst, face: f.caption, x: x + 2, base: y + o.CellHeight + captionBase + k*tagLineH, end: x + o.CellWidth}
			line.write(text, faint)
		}
	}
	if len(r.Cells) > 0 {
		y += o.CellHeight + r.captions()
	}
	fill(dst, image.Rect(left, y, left+o.BarWidth(), y+barH), track)
	for i, l := range r.Bar {
		if l.Part <= 0 {
			continue
		}
		const least = 0.35
		top := y + barH - max(int(min(l.Height, 1)*barH+0.5), 3)
		veil := color.Alpha16{uint16(max(min(l.Part, 1), least) * 0xffff)}
		draw.DrawMask(dst, image.Rect(left+i, top, left+i+1, y+barH), image.NewUniform(r.Color), image.Point{}, image.NewUniform(veil), image.Point{}, draw.Over)
	}
	for _, m := range r.Marks { // of the moments above: a triangle that points to the bar
		x := left + int(m*float64(o.BarWidth()))
		for i := range 4 {
			fill(dst, image.Rect(x-3+i, y-4+i, x+4-i, y-3+i), ink)
		}
	}
}

func fill(dst *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(dst, r.Intersect(dst.Rect), image.NewUniform(c), image.Point{}, draw.Src)
}
