package stickers

import (
	"errors"
	"fmt"
	"math"
)

// A LightKey is the light at a time. It changes linearly from key to key.
type LightKey struct {
	T        float64 `yaml:"t"`                  // seconds from the first frame
	Exposure float64 `yaml:"exposure,omitempty"` // in stops: 1 is twice as bright
	Contrast float64 `yaml:"contrast,omitempty"` // around middle grey, 0 for none

	// Colour multiplies red, green and blue; empty for no change.
	Colour []float64 `yaml:"colour,omitempty,flow"`
}

// A Fade blends the image into a colour, and back.
type Fade struct {
	T       float64 `yaml:"t"`            // the middle, where only the colour is visible
	Seconds float64 `yaml:"seconds"`      // duration, there and back
	Hold    float64 `yaml:"hold"`         // seconds of it in which only the colour is visible
	To      string  `yaml:"to,omitempty"` // black (the default) or white
}

// Above the upper share of a fade, objects are hidden; below the lower one they are
// visible; between the two they are ignored.
const (
	fadeHides = .8
	fadeDims  = .5
)

func checkLight(keys []LightKey) error {
	for i, k := range keys {
		err := checkRange(k.T)
		switch {
		case err != nil:
		case i > 0 && k.T <= keys[i-1].T:
			err = errors.New("it is not later than the one before")
		case !(math.Abs(k.Exposure) <= 10):
			err = errors.New("exposure is from -10 to 10 stops")
		case !(k.Contrast >= 0 && k.Contrast <= 10):
			err = errors.New("contrast is from 0 to 10")
		case len(k.Colour) != 0 && len(k.Colour) != 3:
			err = errors.New("colour is three factors, of red, green and blue")
		}
		for _, f := range k.Colour {
			if err == nil && !(f >= 0 && f <= 10) {
				err = errors.New("factors of a colour are from 0 to 10")
			}
		}
		if err != nil {
			return at(fmt.Errorf("light key %d: %w", i+1, err), "light[%d]", i)
		}
	}
	return nil
}

func checkFades(fades []Fade) error {
	for i, f := range fades {
		err := checkRange(f.T)
		switch {
		case err != nil:
		case !(f.Seconds > 0 && f.Seconds <= maxNumber):
			err = errors.New("it takes no time")
		case !(f.Hold >= 0 && f.Hold < f.Seconds):
			err = errors.New("it holds for longer than it takes")
		case f.To != "" && f.To != "black" && f.To != "white":
			err = fmt.Errorf("it goes to %q, not to black or white", f.To)
		}
		if err != nil {
			return at(fmt.Errorf("fade %d: %w", i+1, err), "fades[%d]", i)
		}
	}
	return nil
}

// A lighting is the effect of light on an image: contrast around middle grey, and a
// factor for each channel.
type lighting struct {
	contrast float32
	gain     [3]float32
}

var daylight = lighting{1, [3]float32{1, 1, 1}}

func (k *LightKey) lighting() (contrast float64, gain [3]float64) {
	contrast, gain = 1, [3]float64{1, 1, 1}
	if k.Contrast > 0 {
		contrast = k.Contrast
	}
	copy(gain[:], k.Colour)
	for i := range gain {
		gain[i] *= math.Exp2(k.Exposure)
	}
	return contrast, gain
}

func (c *Clip) lightAt(sec float64) lighting {
	if len(c.Light) == 0 {
		return daylight
	}
	i := 0
	for i < len(c.Light)-1 && sec >= c.Light[i+1].T {
		i++
	}
	a, b := &c.Light[i], &c.Light[min(i+1, len(c.Light)-1)]
	u := 0.
	if b.T > a.T {
		u = min(max((sec-a.T)/(b.T-a.T), 0), 1)
	}
	ca, ga := a.lighting()
	cb, gb := b.lighting()
	l := lighting{contrast: float32(ca + u*(cb-ca))}
	for k := range l.gain {
		l.gain[k] = float32(ga[k] + u*(gb[k]-ga[k]))
	}
	return l
}

// light applies the lighting to the image.
func (c *canvas) light(l lighting) {
	if l == daylight {
		return
	}
	for k, p := range c.pix {
		for i, v := range p {
			p[i] = clamp01(((v-.5)*l.contrast + .5) * l.gain[k])
		}
	}
}

// share returns the share of the colour at a time.
func (f Fade) share(sec float64) float64 {
	ramp := (f.Seconds - f.Hold) / 2
	return min(max((f.Seconds/2-math.Abs(sec-f.T))/ramp, 0), 1)
}

// fade blends the colour over the image. The truth is about what is visible, so what
// the colour hides is not there.
func (s *stack) fade(f Fade, sec float64) {
	share := float32(f.share(sec))
	if share == 0 {
		return
	}
	var to float32
	if f.To == "white" {
		to = 1
	}
	for _, p := range s.pix {
		for i := range p {
			p[i] += share * (to - p[i])
		}
	}
	for j, seen := range s.seen {
		if share > fadeDims {
			clear(seen)
		}
		s.drawn[j] = s.drawn[j] && share < fadeHides
	}
}
