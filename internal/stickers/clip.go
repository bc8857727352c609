package stickers

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
)

// A Clip is a scripted film. It is plain data; [Clip.Initialize] checks it and
// makes it ready for [Clip.Frame]. Lengths are fractions of the picture's
// height, so that a film can be drawn at any size.
type Clip struct {
	Width  int `json:"width"`
	Height int `json:"height"`

	// Frames a second as a fraction, and how many there are.
	RateNum int `json:"rate_num"`
	RateDen int `json:"rate_den"`
	Frames  int `json:"frames"`

	// Seed of everything that is random: the background and the grain.
	Seed uint64 `json:"seed"`

	// Background is one of BackgroundKinds, or empty for a random one.
	Background string `json:"background,omitempty"`

	// Grain is the deviation of the noise in every frame, 0..1. The model
	// saw up to .05.
	Grain float64 `json:"grain"`

	// Quality of the block quantisation, 1..100; 0 for none.
	Quality float64 `json:"quality,omitempty"`

	// Tracks from the lowest to the top: a later one covers an earlier one.
	Tracks []Track `json:"tracks"`

	// Absent are concepts that are asked for although no track has them.
	Absent []string `json:"absent,omitempty"`

	background *canvas
	names      []string
}

// A Track is one sticker on its way. It exists from its first key to its last
// one, and moves through them smoothly. It leaves and returns by a path that
// goes out of the picture.
type Track struct {
	Concept string  `json:"concept"`
	Variant int     `json:"variant,omitempty"` // which of the concept's stickers, from 0
	Flip    bool    `json:"flip,omitempty"`
	Aspect  float64 `json:"aspect,omitempty"` // 0 means 1
	Keys    []Key   `json:"keys"`
}

// A Key is where a track is at a time.
type Key struct {
	T    float64 `json:"t"`    // seconds from the first frame
	X    float64 `json:"x"`    // centre; 0 is the left edge, 1 the right one
	Y    float64 `json:"y"`    // centre; 0 is the upper edge, 1 the lower one
	Size float64 `json:"size"` // longer side over the height of the picture
	Turn float64 `json:"turn"` // degrees, clockwise
}

// ReadClip reads a Clip in JSON and initialises it.
func ReadClip(r io.Reader) (*Clip, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	c := new(Clip)
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("reading the clip's description: %w", err)
	}
	if err := c.Initialize(); err != nil {
		return nil, err
	}
	return c, nil
}

// Initialize checks the description and draws the background. Afterwards
// Frame may be called from several goroutines.
func (c *Clip) Initialize() error {
	switch {
	case c.Width < 16 || c.Height < 16 || c.Width > 8192 || c.Height > 8192:
		return fmt.Errorf("clip of %dx%d: sides must be from 16 to 8192", c.Width, c.Height)
	case c.RateNum <= 0 || c.RateDen <= 0:
		return fmt.Errorf("clip's rate %d/%d is not positive", c.RateNum, c.RateDen)
	case c.Frames <= 0:
		return errors.New("clip has no frames")
	case c.Grain < 0 || c.Quality < 0 || c.Quality > 100:
		return errors.New("clip's grain or quality is out of range")
	}
	kind := slices.Index(BackgroundKinds, c.Background)
	if kind < 0 && c.Background != "" {
		return fmt.Errorf("unknown background %q", c.Background)
	}
	is := make(map[string]bool)
	for i, t := range c.Tracks {
		if err := t.check(); err != nil {
			return fmt.Errorf("track %d: %w", i+1, err)
		}
		is[t.Concept] = true
	}
	for _, name := range c.Absent {
		if Variants(name) == 0 {
			return fmt.Errorf("absent: %q is not a concept", name)
		}
		if is[name] {
			return fmt.Errorf("absent: a track shows %q", name)
		}
	}
	c.names = nil
	for _, name := range sheet().names {
		if is[name] {
			c.names = append(c.names, name)
		}
	}
	c.background = background(c.Width, c.Height, kind, newDice(c.Seed, 0))
	return nil
}

func (t *Track) check() error {
	if n := Variants(t.Concept); n == 0 {
		return fmt.Errorf("%q is not a concept", t.Concept)
	} else if t.Variant < 0 || t.Variant >= n {
		return fmt.Errorf("%q has no variant %d", t.Concept, t.Variant)
	}
	if t.Aspect < 0 {
		return errors.New("aspect is negative")
	}
	if len(t.Keys) == 0 {
		return errors.New("no keys")
	}
	for i, k := range t.Keys {
		if i > 0 && k.T <= t.Keys[i-1].T {
			return fmt.Errorf("key %d is not later than the one before", i+1)
		}
		if !(k.Size > 0) {
			return fmt.Errorf("key %d has no size", i+1)
		}
		// Far beyond any picture, and small enough for the arithmetic.
		for _, v := range []float64{k.T, k.X, k.Y, k.Size, k.Turn} {
			if !(math.Abs(v) <= 1e5) {
				return fmt.Errorf("key %d: %g is out of range", i+1, v)
			}
		}
	}
	return nil
}

// Concepts are what the tracks show, in the order of the labels of the truth.
func (c *Clip) Concepts() []string { return slices.Clone(c.names) }

// Queries are the concepts and then the absent ones.
func (c *Clip) Queries() []string { return append(c.Concepts(), c.Absent...) }

// Seconds is the time of frame n.
func (c *Clip) Seconds(n int) float64 {
	return float64(n) * float64(c.RateDen) / float64(c.RateNum)
}

// Frame draws frame n, from 0. It depends on the description and n alone.
func (c *Clip) Frame(n int) (*image.RGBA, *Truth) {
	s := &stack{canvas: c.background.clone()}
	for i := range c.Tracks {
		t := &c.Tracks[i]
		if p, ok := t.at(c.Seconds(n), c.Width, c.Height); ok {
			s.put(t.Concept, sheet().of[t.Concept][t.Variant], p, neutral)
		}
	}
	s.grain(float32(c.Grain), newDice(c.Seed, uint64(n)+1))
	if c.Quality > 0 {
		s.quantise(float32(c.Quality))
	}
	return s.picture(), s.truth(c.names)
}

// at is the pose at a time, by cubic Hermite curves between the keys with
// tangents from their neighbours (Catmull and Rom's, for uneven times).
func (t *Track) at(sec float64, w, h int) (Pose, bool) {
	ks := t.Keys
	last := len(ks) - 1
	if sec < ks[0].T || sec > ks[last].T {
		return Pose{}, false
	}
	i := 0
	for i < last-1 && sec >= ks[i+1].T {
		i++
	}
	value := func(f func(Key) float64) float64 {
		if last == 0 {
			return f(ks[0])
		}
		slope := func(j int) float64 {
			a, b := ks[max(j-1, 0)], ks[min(j+1, last)]
			return (f(b) - f(a)) / (b.T - a.T)
		}
		dt := ks[i+1].T - ks[i].T
		u := (sec - ks[i].T) / dt
		u2, u3 := u*u, u*u*u
		return f(ks[i])*(2*u3-3*u2+1) + f(ks[i+1])*(3*u2-2*u3) +
			slope(i)*dt*(u3-2*u2+u) + slope(i+1)*dt*(u3-u2)
	}
	p := Pose{
		X:        value(func(k Key) float64 { return k.X }) * float64(w),
		Y:        value(func(k Key) float64 { return k.Y }) * float64(h),
		Size:     max(value(func(k Key) float64 { return k.Size }), .01) * float64(h),
		Rotation: value(func(k Key) float64 { return k.Turn }) * math.Pi / 180,
		Flip:     t.Flip, Aspect: 1,
	}
	if t.Aspect > 0 {
		p.Aspect = t.Aspect
	}
	return p, true
}
