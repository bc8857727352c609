// Package stickers draws the images that the demo model was trained on: emoji stickers
// over procedural backgrounds, with the truth about every pixel.
//
// It is the drawing half of models/demo/train.py in Go: the same emoji pixels, the same
// seven kinds of background, the same distributions of sizes, places, turns, tones and
// noise. The images are of the same kind as those the model was trained and measured
// on, but not the same images, because the random numbers are Go's.
//
// A [Scene] is one random image, for measuring recognition. A [Clip] is a scripted
// video: stickers on smooth paths that enter, leave, return and cover each other. Both
// depend only on their description and seed; frames of a clip can be drawn in any
// order.
//
// The emoji are from Noto Color Emoji (SIL Open Font License 1.1, OFL.txt) and
// were rendered by make_sheet.py.
package stickers

import (
	"image"
	"math"
	"math/rand/v2"
)

// A canvas is an image being drawn: three planes of W×H samples, 0..1.
type canvas struct {
	w, h int
	pix  [3][]float32
}

func newCanvas(w, h int) *canvas {
	c := &canvas{w: w, h: h}
	for i := range c.pix {
		c.pix[i] = make([]float32, w*h)
	}
	return c
}

func (c *canvas) clone() *canvas {
	d := newCanvas(c.w, c.h)
	for i := range c.pix {
		copy(d.pix[i], c.pix[i])
	}
	return d
}

// rgba rounds the canvas to 8 bits.
func (c *canvas) rgba() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i := range c.w * c.h {
		for k := range c.pix {
			img.Pix[4*i+k] = uint8(math.RoundToEven(float64(clamp01(c.pix[k][i]) * 255)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

func clamp01(v float32) float32 { return min(max(v, 0), 1) }

// dice are the random draws of the training script.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

// u is uniform in [0, 1), n is normal with variance 1.
func (d dice) u() float32 { return d.Float32() }
func (d dice) n() float32 { return float32(d.NormFloat64()) }

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// weighted returns a random index with the given relative weights.
func (d dice) weighted(weights []float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	x := d.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func exp32(v float32) float32 { return float32(math.Exp(float64(v))) }
func sin32(v float32) float32 { return float32(math.Sin(float64(v))) }
func cos32(v float32) float32 { return float32(math.Cos(float64(v))) }

// softStep is a smooth step from 0 to 1 around z = 0, steeper with s.
func softStep(z, s float32) float32 { return 1 / (1 + exp32(-z*s)) }
