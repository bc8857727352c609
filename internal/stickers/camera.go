package stickers

import (
	"errors"
	"fmt"
	"math"
)

// A CameraKey is the position of the camera at a time. The camera moves smoothly from
// key to key over a background that is drawn as large as needed.
type CameraKey struct {
	T    float64 `yaml:"t"`              // seconds from the first frame
	X    float64 `yaml:"x"`              // shift to the right, in image heights
	Y    float64 `yaml:"y"`              // shift down, in image heights
	Zoom float64 `yaml:"zoom,omitempty"` // 2 shows half as much, enlarged; 0 means 1
}

// A Cut changes the background. It does not affect tracks, which have their own times.
type Cut struct {
	T          float64 `yaml:"t"` // seconds from the first frame
	Background string  `yaml:"background,omitempty"`

	// Dissolve is the duration in seconds over which the old background blends into the
	// new one, with T in the middle; 0 is a hard cut.
	Dissolve float64 `yaml:"dissolve,omitempty"`
}

func checkCamera(keys []CameraKey) error {
	for i, k := range keys {
		err := checkRange(k.T, k.X, k.Y)
		switch {
		case err != nil:
		case i > 0 && k.T <= keys[i-1].T:
			err = errors.New("it is not later than the one before")
		case k.Zoom != 0 && !(k.Zoom >= .1 && k.Zoom <= 100):
			err = errors.New("zoom is from .1 to 100")
		}
		if err != nil {
			return at(fmt.Errorf("camera key %d: %w", i+1, err), "camera[%d]", i)
		}
	}
	return nil
}

func checkCuts(cuts []Cut) error {
	for i, k := range cuts {
		err := checkRange(k.T, k.Dissolve)
		_, unknown := kindOf(k.Background)
		switch {
		case err != nil:
		case unknown != nil:
			err = unknown
		case i > 0 && k.T <= cuts[i-1].T:
			err = errors.New("it is not later than the one before")
		case k.Dissolve < 0:
			err = errors.New("it cannot take less than no time")
		}
		if err != nil {
			return at(fmt.Errorf("cut %d: %w", i+1, err), "cuts[%d]", i)
		}
	}
	return nil
}

// A view is what the camera shows: its centre, in pixels from the centre of the image
// at rest, and its zoom.
type view struct{ x, y, zoom float64 }

func (c *Clip) view(sec float64) view {
	if len(c.Camera) == 0 {
		return view{zoom: 1}
	}
	value := func(f func(*CameraKey) float64) float64 {
		return smooth(c.Camera, sec, func(k *CameraKey) float64 { return k.T }, f)
	}
	h := float64(c.Height)
	return view{
		x: h * value(func(k *CameraKey) float64 { return k.X }),
		y: h * value(func(k *CameraKey) float64 { return k.Y }),
		// Zoom is interpolated by its logarithm, which looks even.
		zoom: math.Exp(value(func(k *CameraKey) float64 {
			if k.Zoom == 0 {
				return 0
			}
			return math.Log(k.Zoom)
		})),
	}
}

// pose returns where a sticker appears in the view.
func (v view) pose(p Pose, w, h int) Pose {
	cx, cy := float64(w)/2, float64(h)/2
	p.X, p.Y = cx+(p.X-cx-v.x)*v.zoom, cy+(p.Y-cy-v.y)*v.zoom
	p.Size *= v.zoom
	return p
}

// drawBackgrounds draws one for every shot, large enough for the camera's path.
func (c *Clip) drawBackgrounds() error {
	w, h := float64(c.Width), float64(c.Height)
	x0, y0, x1, y1 := 0., 0., w, h
	for n := range c.Len() {
		v := c.view(c.Seconds(n))
		x0, x1 = min(x0, w/2+v.x-w/2/v.zoom), max(x1, w/2+v.x+w/2/v.zoom)
		y0, y1 = min(y0, h/2+v.y-h/2/v.zoom), max(y1, h/2+v.y+h/2/v.zoom)
	}
	c.originX, c.originY = int(math.Ceil(-x0)), int(math.Ceil(-y0))
	bw, bh := c.originX+int(math.Ceil(x1)), c.originY+int(math.Ceil(y1))
	if float64(bw)*float64(bh) > max(maxArea, w*h) {
		return at(fmt.Errorf("the camera goes so far that the background has %dx%d pixels", bw, bh), "camera")
	}
	if 3*bw*bh*(len(c.Cuts)+1) > maxPlanes {
		return at(fmt.Errorf("%d backgrounds of %dx%d pixels take too much memory", len(c.Cuts)+1, bw, bh), "cuts")
	}
	kind, err := kindOf(c.Background)
	if err != nil {
		return at(err, "background")
	}
	c.backgrounds = []*canvas{background(bw, bh, kind, newDice(c.Seed, 0))}
	for i, k := range c.Cuts {
		kind, err := kindOf(k.Background)
		if err != nil {
			return at(err, "cuts[%d].background", i)
		}
		// Random streams of frames count up from 1, those of backgrounds down.
		c.backgrounds = append(c.backgrounds, background(bw, bh, kind, newDice(c.Seed, math.MaxUint64-1-uint64(i))))
	}
	return nil
}

// ground returns the background in view at a time.
func (c *Clip) ground(sec float64, v view) *canvas {
	shot := c.backgrounds[0]
	var g *canvas
	for i, k := range c.Cuts {
		next := c.backgrounds[i+1]
		from, to := k.T-k.Dissolve/2, k.T+k.Dissolve/2
		switch {
		case sec >= to:
			shot, g = next, nil
		case sec > from:
			if g == nil {
				g = c.crop(shot, v)
			}
			g.mix(c.crop(next, v), float32((sec-from)/(to-from)))
		}
	}
	if g == nil {
		g = c.crop(shot, v)
	}
	return g
}

// crop returns the part of a background that the camera shows.
func (c *Clip) crop(b *canvas, v view) *canvas {
	if b.w == c.Width && b.h == c.Height && v == (view{zoom: 1}) {
		return b.clone()
	}
	dst := newCanvas(c.Width, c.Height)
	w, h := float64(c.Width), float64(c.Height)
	for y := range c.Height {
		sy := (float64(y)+.5-h/2)/v.zoom + h/2 + v.y + float64(c.originY) - .5
		for x := range c.Width {
			sx := (float64(x)+.5-w/2)/v.zoom + w/2 + v.x + float64(c.originX) - .5
			x0, y0 := math.Floor(sx), math.Floor(sy)
			wx, wy := float32(sx-x0), float32(sy-y0)
			xa, xb := min(max(int(x0), 0), b.w-1), min(max(int(x0)+1, 0), b.w-1)
			ya, yb := b.w*min(max(int(y0), 0), b.h-1), b.w*min(max(int(y0)+1, 0), b.h-1)
			for k, p := range b.pix {
				dst.pix[k][y*dst.w+x] = (p[ya+xa]*(1-wx)+p[ya+xb]*wx)*(1-wy) + (p[yb+xa]*(1-wx)+p[yb+xb]*wx)*wy
			}
		}
	}
	return dst
}

// mix blends a share of another image over this one.
func (c *canvas) mix(o *canvas, share float32) {
	for k, p := range c.pix {
		for i, v := range o.pix[k] {
			p[i] += share * (v - p[i])
		}
	}
}
