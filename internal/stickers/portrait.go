package stickers

import (
	"fmt"
	"image"
	"image/color"
)

// Portrait draws a single upright sticker in the centre of an image of one colour. Its
// longer side is share times the image's shorter one.
func Portrait(concept string, variant, width, height int, share float64, ground color.RGBA) (*image.RGBA, error) {
	if n := Variants(concept); variant < 0 || variant >= n {
		return nil, fmt.Errorf("there is no sticker %d of %q", variant, concept)
	}
	if width < 1 || height < 1 || width > 8192 || height > 8192 || !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("a sticker cannot be drawn at %g of %dx%d", share, width, height)
	}
	s := &stack{canvas: newCanvas(width, height)}
	for c, v := range [3]uint8{ground.R, ground.G, ground.B} {
		for i := range s.pix[c] {
			s.pix[c][i] = float32(v) / 255
		}
	}
	s.put(concept, sheet().of[concept][variant], Pose{
		X: float64(width) / 2, Y: float64(height) / 2, Size: share * float64(min(width, height)), Aspect: 1,
	}, neutral)
	return s.rgba(), nil
}
