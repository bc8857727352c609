package overlay

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
)

// A legend names the queries of a frame in a corner. It is drawn upright, and turned when it
// is laid over the stored frame. The image is reused while the text stays the same.
type legend struct {
	typeface
	corner Corner // where it is, not AutoCorner

	words string
	image *image.RGBA
}

// maxLegend is the largest share of a frame's width and height that a legend covers.
const maxLegend = 0.6

// init chooses a text size that is legible in frames of any size and covers little of
// them.
func (l *legend) init(height int, corner Corner) error {
	l.corner = max(corner, TopLeft)
	return l.typeface.init(textSize(height))
}

func textSize(height int) float64 { return min(max(float64(height)/32, 9), 72) }

// draw puts the legend of the layers on the canvas.
func (l *legend) draw(c *canvas, layers []Layer, u *uprightMap, corner Corner) {
	words := ""
	for _, layer := range layers {
		words += fmt.Sprintf("%s\x00%d\x00%.2f\x00%v\n", layer.Label, layer.Number, layer.Score, layer.Colour)
	}
	if words != l.words {
		l.render(layers, u.w, u.h)
		l.words = words
	}
	if corner == AutoCorner {
		l.corner = l.choose(c, u)
	}
	u.lay(c, l.image, l.at(l.corner, u))
}

// at is the upper left pixel of the legend in a corner of the upright frame.
func (l *legend) at(corner Corner, u *uprightMap) image.Point {
	margin := int(l.size * 0.6)
	p := image.Pt(margin, margin)
	if corner == TopRight || corner == BottomRight {
		p.X = max(u.w-margin-l.image.Rect.Dx(), 0)
	}
	if corner == BottomLeft || corner == BottomRight {
		p.Y = max(u.h-margin-l.image.Rect.Dy(), 0)
	}
	return p
}

// A legend moves to another corner if it covers masks with more than moveAbove of its area
// where it is, and with less than half as much there.
const moveAbove = 0.1

// choose returns the corner for a legend over what is on the canvas.
func (l *legend) choose(c *canvas, u *uprightMap) Corner {
	here := l.covered(c, u, l.corner)
	best, least := l.corner, here
	if here <= moveAbove {
		return best
	}
	for corner := TopLeft; corner <= BottomRight; corner++ {
		if n := l.covered(c, u, corner); n < here/2 && n < least {
			best, least = corner, n
		}
	}
	return best
}

// covered is the share of the legend's area in a corner that lies on masks. Every fourth
// pixel each way is enough.
func (l *legend) covered(c *canvas, u *uprightMap, corner Corner) float64 {
	at, size := l.at(corner, u), l.image.Rect.Size()
	n, on := 0, 0
	for y := at.Y; y < min(at.Y+size.Y, u.h); y += 4 {
		for x := at.X; x < min(at.X+size.X, u.w); x += 4 {
			cx, cy := u.point(x, y, u.w, u.h)
			n++
			if c.at(cx, cy) != 0 {
				on++
			}
		}
	}
	return float64(on) / float64(max(n, 1))
}

func (l *legend) render(layers []Layer, w, h int) {
	m := l.face.Metrics()
	line := int(math.Ceil(l.size * 1.45))
	pad := int(math.Ceil(l.size * 0.45))
	chip := int(math.Ceil(l.size * 0.8))
	gap := int(math.Ceil(l.size * 0.5))
	scores := 0
	for i := range layers {
		scores = max(scores, l.measure(score(&layers[i])))
	}
	if scores > 0 {
		scores += gap
	}
	room := max(int(maxLegend*float64(w))-2*pad-chip-gap-scores, 1)
	var texts []string
	names := 0
	for i := range layers {
		texts = append(texts, l.fit(&layers[i], room))
		names = max(names, l.measure(texts[i]))
	}
	width := min(pad+chip+gap+names+scores+pad, max(w-2*pad, 1))
	height := min(2*pad+line*len(layers), max(h-2*pad, 1))
	if l.image == nil || l.image.Rect.Dx() != width || l.image.Rect.Dy() != height {
		l.image = image.NewRGBA(image.Rect(0, 0, width, height))
	}
	panel(l.image, float64(pad), color.RGBA{0, 0, 0, 150})
	for i := range layers {
		layer := &layers[i]
		top := pad + i*line
		ct := top + (line-chip)/2
		fillRect(l.image, image.Rect(pad, ct, pad+chip, ct+chip), l.colour(layer.Colour))
		baseline := top + (line+m.Ascent.Ceil()-m.Descent.Ceil())/2
		l.typeface.draw(l.image, texts[i], pad+chip+gap, baseline, l.colour([3]uint8{255, 255, 255}))
		l.typeface.draw(l.image, score(layer), pad+chip+gap+names+gap, baseline, l.colour([3]uint8{190, 190, 190}))
	}
}

// score is the number beside a name, empty for a layer without one.
func score(l *Layer) string {
	if l.Score < 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", l.Score)
}

func fillRect(img *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// panel fills the image with a colour and rounds its corners.
func panel(img *image.RGBA, radius float64, c color.RGBA) {
	b := img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			dx := max(radius-float64(x)-0.5, float64(x)+0.5-float64(b.Dx())+radius, 0)
			dy := max(radius-float64(y)-0.5, float64(y)+0.5-float64(b.Dy())+radius, 0)
			a := min(max(radius-math.Hypot(dx, dy)+0.5, 0), 1)
			if dx == 0 || dy == 0 {
				a = 1
			}
			img.SetRGBA(x, y, color.RGBA{0, 0, 0, uint8(float64(c.A)*a + 0.5)})
		}
	}
}
