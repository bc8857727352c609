package stickers

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
)

// A Clip is a scripted video. It is plain data: [Clip.Initialize] checks it and
// prepares it for [Clip.Frame]. Lengths are fractions of the image's height, so that a
// clip can be drawn at any size; times are seconds from the first frame. [ReadClip]
// reads a clip from a file.
type Clip struct {
	// About says what the clip is for.
	About string `yaml:"about,omitempty"`

	Width  int `yaml:"width"`
	Height int `yaml:"height"`

	// Rate is in frames a second, Frames the number of frames at that rate.
	Rate   Rate `yaml:"rate"`
	Frames int  `yaml:"frames"`

	// Drop is the probability that a frame is left out, as cameras do in the dark. The
	// others keep their times. The first and last are never left out.
	Drop float64 `yaml:"drop,omitempty"`

	// Seed is for everything random: background, grain, dropped frames.
	Seed uint64 `yaml:"seed"`

	// Background is one of BackgroundKinds, or empty for a random one.
	Background string `yaml:"background,omitempty"`

	// Blur is the standard deviation of the blur of every frame, over its height: .002
	// in an image of 360 lines is .7 pixels.
	Blur float64 `yaml:"blur,omitempty"`

	// Grain is the standard deviation of the noise in every frame, 0..1. The model was
	// trained with up to .05.
	Grain float64 `yaml:"grain,omitempty"`

	// Quality is that of the block quantisation of every frame, 1..100; 0 for none.
	Quality float64 `yaml:"quality,omitempty"`

	// CRF is the rate factor of x264, 1..51, for a video of the clip; 0 leaves it to
	// the writer. It does not affect the frames drawn here.
	CRF int `yaml:"crf,omitempty"`

	// Camera is the path of the camera: at rest in the centre if empty.
	Camera []CameraKey `yaml:"camera,omitempty,flow"`

	// Cuts are the changes of background.
	Cuts []Cut `yaml:"cuts,omitempty"`

	// Fades blend to a colour and back.
	Fades []Fade `yaml:"fades,omitempty"`

	// Light is the brightness and colour of the light: neutral if empty.
	Light []LightKey `yaml:"light,omitempty,flow"`

	// Tracks are in drawing order: a later one covers an earlier one.
	Tracks []Track `yaml:"tracks"`

	// Absent are queries whose concepts no track shows.
	Absent []string `yaml:"absent,omitempty,flow"`

	// Unasked are concepts of tracks that are not queries. In the truth they are
	// background.
	Unasked []string `yaml:"unasked,omitempty,flow"`

	names       []string
	ticks       []int // of the frames that are not dropped, in units of 1/Rate
	backgrounds []*canvas
	originX     int // of the image in a background, with the camera at rest
	originY     int
}

// A scriptError names the part of a script that an error is about: a YAML path without
// the leading "$.".
type scriptError struct {
	path string
	err  error
}

func (w *scriptError) Error() string { return w.err.Error() }
func (w *scriptError) Unwrap() error { return w.err }

func at(err error, path string, args ...any) error {
	if err == nil {
		return nil
	}
	return &scriptError{fmt.Sprintf(path, args...), err}
}

// Bounds of a script, so that a typing mistake cannot exhaust the machine's memory.
const (
	maxFrames = 1 << 20
	maxArea   = 1 << 24 // of a background larger than the image
	maxCuts   = 64
	maxTracks = 254 // as many as an indexed image can number
)

// Initialize checks the clip and draws the backgrounds. After it, Frame may be called
// from several goroutines.
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

// kindOf returns the index of a background, negative for a random one.
func kindOf(name string) (int, error) {
	kind := slices.Index(BackgroundKinds, name)
	if kind < 0 && name != "" {
		return kind, fmt.Errorf("unknown background %q: want one of %v", name, BackgroundKinds)
	}
	return kind, nil
}

// Concepts returns the queried concepts of the tracks, in the order of the truth's
// labels.
func (c *Clip) Concepts() []string { return slices.Clone(c.names) }

// Queries returns the concepts and then the absent ones.
func (c *Clip) Queries() []string { return append(c.Concepts(), c.Absent...) }

// Len returns the number of frames: Frames without the dropped ones.
func (c *Clip) Len() int { return len(c.ticks) }

// Tick returns the time of frame n in units of one over the rate. For n = Len it is the
// end.
func (c *Clip) Tick(n int) int {
	if n >= len(c.ticks) {
		return c.Frames
	}
	return c.ticks[n]
}

// Seconds returns the time of frame n. For n = Len it is the length of the clip.
func (c *Clip) Seconds(n int) float64 {
	return float64(c.Tick(n)) * float64(c.Rate.Den) / float64(c.Rate.Num)
}

// Frame draws frame n, from 0. It depends only on the clip and n.
func (c *Clip) Frame(n int) (*image.RGBA, *Truth) {
	sec := c.Seconds(n)
	v := c.view(sec)
	s := &stack{canvas: c.ground(sec, v)}
	var tracks []int // the track of each sticker in the stack
	for i := range c.Tracks {
		t := &c.Tracks[i]
		if p, ok := t.at(sec, c.Width, c.Height); ok {
			s.put(t.Concept, sheet().of[t.Concept][t.Variant], v.pose(p, c.Width, c.Height), t.tone())
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
	return s.rgba(), truth
}
