package stickers

import (
	"errors"
	"fmt"
	"math"
)

// A Track is one sticker and its path. It exists from its first key to its last one,
// and moves through them smoothly. It leaves and returns by a path out of the image, or
// at once in the spans of Gone.
type Track struct {
	Concept string  `yaml:"concept"`
	Variant int     `yaml:"variant,omitempty"` // which of the concept's stickers, from 0
	Flip    bool    `yaml:"flip,omitempty"`
	Aspect  float64 `yaml:"aspect,omitempty"` // 0 means 1
	Tone    *Tone   `yaml:"tone,omitempty,flow"`

	// Fade is the time in seconds to appear and to disappear.
	Fade float64 `yaml:"fade,omitempty"`

	// Gone are the spans of time, from and to, in which it is absent.
	Gone [][2]float64 `yaml:"gone,omitempty,flow"`

	Keys []Key `yaml:"keys,flow"`
}

// A Tone changes the colours of a sticker: pale, dark or of another hue.
type Tone struct {
	Contrast float64   `yaml:"contrast"`  // around middle grey; 1 for no change
	Grey     []float64 `yaml:"grey,flow"` // what red, green and blue of middle grey become, 0..1
}

func (t *Tone) check() error {
	if !(t.Contrast > 0 && t.Contrast <= 4) {
		return fmt.Errorf("contrast %g is not between 0 and 4", t.Contrast)
	}
	if len(t.Grey) != 3 {
		return fmt.Errorf("grey has %d values, not red, green and blue", len(t.Grey))
	}
	for _, v := range t.Grey {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("grey of %g is not between 0 and 1", v)
		}
	}
	return nil
}

// tone returns the tone that the track is drawn in.
func (t *Track) tone() tone {
	if t.Tone == nil {
		return neutral
	}
	g := t.Tone.Grey
	return tone{float32(t.Tone.Contrast), [3]float32{float32(g[0]), float32(g[1]), float32(g[2])}}
}

// A Key is the position of a track at a time.
type Key struct {
	T    float64 `yaml:"t"`              // seconds from the first frame
	X    float64 `yaml:"x"`              // centre; 0 is the left edge, 1 the right one
	Y    float64 `yaml:"y"`              // centre; 0 is the upper edge, 1 the lower one
	Size float64 `yaml:"size"`           // longer side over the height of the image
	Turn float64 `yaml:"turn,omitempty"` // degrees, clockwise
}

// maxNumber is far beyond any image, and small enough for the arithmetic.
const maxNumber = 1e5

func checkRange(values ...float64) error {
	for _, v := range values {
		if !(math.Abs(v) <= maxNumber) {
			return fmt.Errorf("%g is out of range", v)
		}
	}
	return nil
}

func (t *Track) check(i int) error {
	here := fmt.Sprintf("tracks[%d]", i)
	if n := Variants(t.Concept); n == 0 {
		return at(fmt.Errorf("track %d: %q is not a concept", i+1, t.Concept), "%s.concept", here)
	} else if t.Variant < 0 || t.Variant >= n {
		return at(fmt.Errorf("track %d: %q has no variant %d", i+1, t.Concept, t.Variant), "%s.variant", here)
	}
	if !(t.Aspect >= 0 && t.Aspect <= 100) {
		return at(fmt.Errorf("track %d: aspect %g is not between 0 and 100", i+1, t.Aspect), "%s.aspect", here)
	}
	if t.Tone != nil {
		if err := t.Tone.check(); err != nil {
			return at(fmt.Errorf("track %d: tone: %w", i+1, err), "%s.tone", here)
		}
	}
	if !(t.Fade >= 0 && t.Fade <= maxNumber) {
		return at(fmt.Errorf("track %d: it cannot take %g seconds to appear", i+1, t.Fade), "%s.fade", here)
	}
	for j, g := range t.Gone {
		if checkRange(g[0], g[1]) != nil || g[1] <= g[0] {
			return at(fmt.Errorf("track %d: a time of absence ends before it begins", i+1), "%s.gone[%d]", here, j)
		}
	}
	if len(t.Keys) == 0 {
		return at(fmt.Errorf("track %d: no keys", i+1), "%s", here)
	}
	for j, k := range t.Keys {
		err := checkRange(k.T, k.X, k.Y, k.Size, k.Turn)
		switch {
		case err != nil:
		case j > 0 && k.T <= t.Keys[j-1].T:
			err = errors.New("it is not later than the one before")
		case !(k.Size > 0):
			err = errors.New("it has no size")
		}
		if err != nil {
			return at(fmt.Errorf("track %d: key %d: %w", i+1, j+1, err), "%s.keys[%d]", here, j)
		}
	}
	return nil
}

// smooth returns the value at a time, by cubic Hermite curves between keys with
// tangents from their neighbours (Catmull-Rom for uneven times). Outside the keys the
// value is constant.
func smooth[K any](keys []K, sec float64, when, value func(*K) float64) float64 {
	last := len(keys) - 1
	if last == 0 || sec <= when(&keys[0]) {
		return value(&keys[0])
	}
	if sec >= when(&keys[last]) {
		return value(&keys[last])
	}
	i := 0
	for i < last-1 && sec >= when(&keys[i+1]) {
		i++
	}
	slope := func(j int) float64 {
		a, b := &keys[max(j-1, 0)], &keys[min(j+1, last)]
		return (value(b) - value(a)) / (when(b) - when(a))
	}
	dt := when(&keys[i+1]) - when(&keys[i])
	u := (sec - when(&keys[i])) / dt
	u2, u3 := u*u, u*u*u
	return value(&keys[i])*(2*u3-3*u2+1) + value(&keys[i+1])*(3*u2-2*u3) +
		slope(i)*dt*(u3-2*u2+u) + slope(i+1)*dt*(u3-u2)
}

// at returns the pose at a time.
func (t *Track) at(sec float64, w, h int) (Pose, bool) {
	first, last := t.Keys[0].T, t.Keys[len(t.Keys)-1].T
	if sec < first || sec > last {
		return Pose{}, false
	}
	for _, g := range t.Gone {
		if sec >= g[0] && sec < g[1] {
			return Pose{}, false
		}
	}
	value := func(f func(*Key) float64) float64 {
		return smooth(t.Keys, sec, func(k *Key) float64 { return k.T }, f)
	}
	p := Pose{
		X:        value(func(k *Key) float64 { return k.X }) * float64(w),
		Y:        value(func(k *Key) float64 { return k.Y }) * float64(h),
		Size:     max(value(func(k *Key) float64 { return k.Size }), .01) * float64(h),
		Rotation: value(func(k *Key) float64 { return k.Turn }) * math.Pi / 180,
		Flip:     t.Flip, Aspect: 1,
	}
	if t.Aspect > 0 {
		p.Aspect = t.Aspect
	}
	if t.Fade > 0 {
		p.Faded = 1 - min(1, (sec-first)/t.Fade, (last-sec)/t.Fade)
	}
	return p, p.Faded < 1
}
