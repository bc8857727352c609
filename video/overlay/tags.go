package overlay

import (
	"image"
	"image/color"
	"math"
)

// tags are names at the objects themselves.
type tags struct {
	typeface
	images map[tag]*image.RGBA // of what was written lately
}

// A tag is one name in one colour.
type tag struct {
	text   string
	colour [3]uint8
}

// maxTags bounds the images that are kept.
const maxTags = 256

func (t *tags) init(height int) error {
	t.images = make(map[tag]*image.RGBA)
	return t.typeface.init(textSize(height) * 0.9)
}

// draw puts the name of a layer above the box of its mask, or inside the box where there is
// no room above it. box is in the stored frame.
func (t *tags) draw(c *canvas, l *Layer, box rect, u *uprightMap) {
	img := t.image(tag{t.fit(l, max(u.w/3, 1)), l.Colour})
	r := u.rect(box)
	size, gap := img.Rect.Size(), int(t.size*0.25)
	at := image.Pt((r.Min.X+r.Max.X-size.X)/2, r.Min.Y-size.Y-gap)
	if at.Y < 0 {
		at.Y = r.Min.Y + gap
	}
	at.X = max(min(at.X, u.w-size.X), 0)
	at.Y = max(min(at.Y, u.h-size.Y), 0)
	u.lay(c, img, at)
}

// image returns the image of a tag.
func (t *tags) image(g tag) *image.RGBA {
	if img := t.images[g]; img != nil {
		return img
	}
	if len(t.images) >= maxTags {
		clear(t.images)
	}
	m := t.face.Metrics()
	pad := int(math.Ceil(t.size * 0.3))
	img := image.NewRGBA(image.Rect(0, 0, t.measure(g.text)+2*pad, int(math.Ceil(t.size*1.35))))
	panel(img, float64(pad), color.RGBA{0, 0, 0, 170})
	baseline := (img.Rect.Dy() + m.Ascent.Ceil() - m.Descent.Ceil()) / 2
	t.typeface.draw(img, g.text, pad, baseline, t.colour(g.colour))
	t.images[g] = img
	return img
}
