package overlay

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A legend names the queries of a frame in its upper left corner. It is drawn upright,
// and turned when it is laid over the stored frame. The image is reused while the text
// stays the same.
type legend struct {
	face font.Face
	size float64

	words string
	image *image.RGBA
}

// init chooses a text size that is legible in frames of any size and covers little of
// them.
func (l *legend) init(height int) error {
	l.size = min(max(float64(height)/32, 9), 72)
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return fmt.Errorf("reading the legend's font: %w", err)
	}
	l.face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: l.size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return fmt.Errorf("reading the legend's font: %w", err)
	}
	return nil
}

// draw puts the legend of the layers on the canvas. upright maps a pixel of the upright
// frame of w×h to the coded one.
func (l *legend) draw(c *canvas, layers []Layer, upright func(x, y, w, h int) (int, int), w, h int) error {
	words := ""
	for _, layer := range layers {
		words += fmt.Sprintf("%s\x00%.2f\x00%v\n", layer.Label, layer.Score, layer.Colour)
	}
	if words != l.words {
		l.render(layers, w, h)
		l.words = words
	}
	margin := int(l.size * 0.6)
	b := l.image.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			p := l.image.Pix[l.image.PixOffset(x, y):][:4:4]
			if p[3] == 0 || margin+x >= w || margin+y >= h {
				continue
			}
			cx, cy := upright(margin+x, margin+y, w, h)
			a := float32(p[3]) / 255
			straight := [3]uint8{unpremultiply(p[0], p[3]), unpremultiply(p[1], p[3]), unpremultiply(p[2], p[3])}
			c.over(cx, cy, straight, a)
		}
	}
	return nil
}

func unpremultiply(v, a uint8) uint8 { return uint8(min((int(v)*255+int(a)/2)/int(a), 255)) }

func (l *legend) render(layers []Layer, w, h int) {
	m := l.face.Metrics()
	line := int(math.Ceil(l.size * 1.45))
	pad := int(math.Ceil(l.size * 0.45))
	chip := int(math.Ceil(l.size * 0.8))
	gap := int(math.Ceil(l.size * 0.5))
	names, scores := 0, 0
	for _, layer := range layers {
		names = max(names, font.MeasureString(l.face, layer.Label).Ceil())
		scores = max(scores, font.MeasureString(l.face, score(layer)).Ceil())
	}
	width := min(pad+chip+gap+names+gap+scores+pad, max(w-2*pad, 1))
	height := min(2*pad+line*len(layers), max(h-2*pad, 1))
	if l.image == nil || l.image.Rect.Dx() != width || l.image.Rect.Dy() != height {
		l.image = image.NewRGBA(image.Rect(0, 0, width, height))
	}
	panel(l.image, float64(pad), color.RGBA{0, 0, 0, 150})
	for i, layer := range layers {
		top := pad + i*line
		ct := top + (line-chip)/2
		fillRect(l.image, image.Rect(pad, ct, pad+chip, ct+chip), color.RGBA{layer.Colour[0], layer.Colour[1], layer.Colour[2], 255})
		baseline := top + (line+m.Ascent.Ceil()-m.Descent.Ceil())/2
		l.text(layer.Label, pad+chip+gap, baseline, color.White)
		l.text(score(layer), pad+chip+gap+names+gap, baseline, color.Gray{190})
	}
}

func score(l Layer) string { return fmt.Sprintf("%.2f", l.Score) }

func (l *legend) text(s string, x, y int, c color.Color) {
	d := font.Drawer{Dst: l.image, Src: image.NewUniform(c), Face: l.face, Dot: fixed.P(x, y)}
	d.DrawString(s)
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
