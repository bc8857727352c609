package stickers

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
)

// A Clip is a scripted film. It is plain data; [Clip.Initialize] checks it and
// makes it ready for [Clip.Frame]. Lengths are fractions of the picture's
// height, so that a film can be drawn at any size; times are seconds from the
// first frame. [ReadClip] reads it from a file.
type Clip struct {
	// About says what the clip is for.
	About string `yaml:"about,omitempty"`

	Width  int `yaml:"width"`
	Height int `yaml:"height"`

	// Rate in frames a second, and how many frames there are at that rate.
	Rate   Rate `yaml:"rate"`
	Frames int  `yaml:"frames"`

	// Drop is the chance of a frame to be left out, as a camera does in the dark:
	// the others stay where they are in time. The first and the last stay.
	Drop float64 `yaml:"drop,omitempty"`

	// Seed of everything that is random: background, grain, dropped frames.
	Seed uint64 `yaml:"seed"`

	// Background is one of BackgroundKinds, or empty for a random one.
	Background string `yaml:"background,omitempty"`

	// Blur is the deviation of the softness of every frame, over its height; a
	// picture of 360 lines and .002 is soft by .7 pixels.
	Blur float64 `yaml:"blur,omitempty"`

	// Grain is the deviation of the noise in every frame, 0..1. The model
	// saw up to .05.
	Grain float64 `yaml:"grain,omitempty"`

	// Quality of the block quantisation of every frame, 1..100; 0 for none.
	Quality float64 `yaml:"quality,omitempty"`

	// CRF is what a film of the clip is encoded with, x264's rate factor of 1..51;
	// 0 leaves it to who writes it. Frames that are drawn do not know of it.
	CRF int `yaml:"crf,omitempty"`

	// Camera is where the picture is looked at from: still in the middle if empty.
	Camera []CameraKey `yaml:"camera,omitempty,flow"`

	// Cuts are where another background begins.
	Cuts []Cut `yaml:"cuts,omitempty"`

	// Fades go to a colour and come back.
	Fades []Fade `yaml:"fades,omitempty"`

	// Light is how bright it is and in what colour: neutral if empty.
	Light []LightKey `yaml:"light,omitempty,flow"`

	// Tracks from the lowest to the top: a later one covers an earlier one.
	Tracks []Track `yaml:"tracks"`

	// Absent are concepts that are asked for although no track has them.
	Absent []string `yaml:"absent,omitempty,flow"`

	// Unasked are concepts of tracks that are not asked for. To the truth they
	// are background.
	Unasked []string `yaml:"unasked,omitempty,flow"`

	names       []string
	ticks       []int // of the frames that are not dropped, in units of 1/Rate
	backgrounds []*canvas
	originX     int // of the picture on a background, with the camera at rest
	originY     int
}

// A wrong names the part of a script that an error is about: a path as YAML
// has them, without the leading "$.".
type wrong struct {
	path string
	err  error
}

func (w *wrong) Error() string { return w.err.Error() }
func (w *wrong) Unwrap() error { return w.err }

func at(err error, path string, args ...any) error {
	if err == nil {
		return nil
	}
	return &wrong{fmt.Sprintf(path, args...), err}
}

// These bound what a script can ask for: a slip of the finger is not to take the
// machine's memory.
const (
	maxFrames = 1 << 20
	maxArea   = 1 << 24 // of a background that the camera sees in parts
	maxCuts   = 64
	maxTracks = 254 // as many as an indexed picture tells apart
)

// Initialize checks the description and draws the backgrounds. Afterwards
// Frame may be called from several goroutines.
func (c *Clip) Initialize() error {
	if err := c.check(); err != nil {
		return err
	}
	is := make(map[string]bool)
	for _, t := range c.Tracks {
		is[t.Concept] = true
	}
	c.names = nil
	for _, name := range sheet().names {
		if is[name] && !slices.Contains(c.Unasked, name) {
			c.names = append(c.names, name)
		}
	}
	c.ticks = nil
	drop := newDice(c.Seed, math.MaxUint64)
	for n := range c.Frames {
		if dropped := c.Drop > 0 && drop.chance(c.Drop); !dropped || n == 0 || n == c.Frames-1 {
			c.ticks = append(c.ticks, n)
		}
	}
	return c.drawBackgrounds()
}

func (c *Clip) check() error {
	unit := func(v float64) bool { return v >= 0 && v <= 1 }
	switch {
	case c.Width < 16 || c.Width > 8192:
		return at(fmt.Errorf("clip is %d wide: sides must be from 16 to 8192", c.Width), "width")
	case c.Height < 16 || c.Height > 8192:
		return at(fmt.Errorf("clip is %d high: sides must be from 16 to 8192", c.Height), "height")
	case c.Rate.Num <= 0 || c.Rate.Den <= 0 || c.Rate.Num > 1<<24 || c.Rate.Den > 1<<24 || c.Rate.Num > maxRate*c.Rate.Den:
		return at(fmt.Errorf("rate %s is no number of frames a second, %d at most", c.Rate, maxRate), "rate")
	case c.Frames <= 0 || c.Frames > maxFrames:
		return at(fmt.Errorf("%d frames: there must be from 1 to %d", c.Frames, maxFrames), "frames")
	case !(c.Drop >= 0 && c.Drop < 1):
		return at(errors.New("drop is a chance, 0 and more and below 1"), "drop")
	case !unit(c.Blur):
		return at(errors.New("blur is a part of the height, 0 to 1"), "blur")
	case !unit(c.Grain):
		return at(errors.New("grain is a deviation, 0 to 1"), "grain")
	case !(c.Quality >= 0 && c.Quality <= 100):
		return at(errors.New("quality is from 1 to 100, or 0 for no loss"), "quality")
	case c.CRF < 0 || c.CRF > 51:
		return at(errors.New("crf is from 1 to 51, or 0 for the usual"), "crf")
	case len(c.Tracks) > maxTracks:
		return at(fmt.Errorf("%d tracks: at most %d", len(c.Tracks), maxTracks), "tracks")
	}
	if err := c.checkCost(); err != nil {
		return err
	}
	if len(c.Cuts) > maxCuts {
		return at(fmt.Errorf("%d cuts: at most %d", len(c.Cuts), maxCuts), "cuts")
	}
	if _, err := kindOf(c.Background); err != nil {
		return at(err, "background")
	}
	if err := checkCamera(c.Camera); err != nil {
		return err
	}
	if err := checkCuts(c.Cuts); err != nil {
		return err
	}
	if err := checkFades(c.Fades); err != nil {
		return err
	}
	if err := checkLight(c.Light); err != nil {
		return err
	}
	is := make(map[string]bool)
	for i := range c.Tracks {
		if err := c.Tracks[i].check(i); err != nil {
			return err
		}
		is[c.Tracks[i].Concept] = true
	}
	for i, name := range c.Absent {
		switch {
		case Variants(name) == 0:
			return at(fmt.Errorf("absent: %q is not a concept", name), "absent[%d]", i)
		case is[name]:
			return at(fmt.Errorf("absent: a track shows %q", name), "absent[%d]", i)
		case slices.Contains(c.Absent[:i], name):
			return at(fmt.Errorf("absent: %q stands there twice", name), "absent[%d]", i)
		}
	}
	for i, name := range c.Unasked {
		switch {
		case !is[name]:
			return at(fmt.Errorf("unasked: no track shows %q", name), "unasked[%d]", i)
		case slices.Contains(c.Unasked[:i], name):
			return at(fmt.Errorf("unasked: %q stands there twice", name), "unasked[%d]", i)
		}
	}
	return nil
}

// kindOf is the index of a background, negative for a random one.
func kindOf(name string) (int, error) {
	kind := slices.Index(BackgroundKinds, name)
	if kind < 0 && name != "" {
		return kind, fmt.Errorf("unknown background %q: want one of %v", name, BackgroundKinds)
	}
	return kind, nil
}

// Concepts are what the tracks show and is asked for, in the order of the labels of the truth.
func (c *Clip) Concepts() []string { return slices.Clone(c.names) }

// Queries are the concepts and then the absent ones.
func (c *Clip) Queries() []string { return append(c.Concepts(), c.Absent...) }

// Len is the number of frames there are: Frames less the dropped ones.
func (c *Clip) Len() int { return len(c.ticks) }

// Tick is when frame n is, in units of one over the rate; of n = Len it is the
// end.
func (c *Clip) Tick(n int) int {
	if n >= len(c.ticks) {
		return c.Frames
	}
	return c.ticks[n]
}

// Seconds is the time of frame n; of n = Len it is the length.
func (c *Clip) Seconds(n int) float64 {
	return float64(c.Tick(n)) * float64(c.Rate.Den) / float64(c.Rate.Num)
}

// Frame draws frame n, from 0. It depends on the description and n alone.
func (c *Clip) Frame(n int) (*image.RGBA, *Truth) {
	sec := c.Seconds(n)
	v := c.view(sec)
	s := &stack{canvas: c.ground(sec, v)}
	var tracks []int // that each sticker of the stack is of
	for i := range c.Tracks {
		t := &c.Tracks[i]
		if p, ok := t.at(sec, c.Width, c.Height); ok {
			s.put(t.Concept, sheet().of[t.Concept][t.Variant], v.pose(p, c.Width, c.Height), neutral)
			tracks = append(tracks, i)
		}
	}
	if c.Blur > 0 {
		s.blur(float32(c.Blur * float64(c.Height)))
	}
	s.light(c.lightAt(sec))
	for _, f := range c.Fades {
		s.fade(f, sec)
	}
	s.grain(float32(c.Grain), newDice(c.Seed, uint64(c.Tick(n))+1))
	if c.Quality > 0 {
		s.quantise(float32(c.Quality))
	}
	truth := s.truth(c.names)
	truth.Tracks = s.tracks(tracks)
	return s.picture(), truth
}
