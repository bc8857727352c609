// Package clips has films of the demo model's world to measure carve with, and
// what makes more of them.
//
// # Why films of one's own
//
// What a tool for video does over time can be measured only where every frame's
// truth is known, and where the same difficulty comes in as many different films
// as are wanted: a tool that is tuned on ten films is good at ten films. So there
// are twelve [Kinds], each of which tries one thing, and three ways to films:
//
//   - [Suite] is one film of each kind, whose scripts are files in this folder and
//     do not change any more. Figures of one version of carve are held against
//     those of another on it.
//   - [Fresh] draws twelve others from a seed, with other concepts, ways and
//     backgrounds. Figures that are good on the suite alone are worth nothing.
//   - A script by hand ([stickers.ReadClip]) is a film like the others.
//
// # What they are
//
// A script says what is where at what time, in a text of some thirty lines. Its
// frames, and the truth about every pixel of them, are drawn when they are asked
// for: no film is stored. All are small, for the demo model sees pictures of some
// 320 pixels and for a set of twelve is to be run through in minutes, and all ask
// for ten concepts or so of which three or four are there.
package clips

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/carve-video/carve/internal/stickers"
)

// A Clip is a film with a name.
type Clip struct {
	Name string
	*stickers.Clip
}

// The scripts were drawn by Fresh with the seed 1 when there was nothing yet to be
// measured with them, and are left as they are since.
//
//go:embed suite/*.yaml
var scripts embed.FS

// Suite returns the standing suite: one film of each kind, in the order of
// Kinds.
func Suite() ([]Clip, error) {
	var suite []Clip
	for _, k := range kinds {
		c, err := Standing(k.Name)
		if err != nil {
			return nil, err
		}
		suite = append(suite, c)
	}
	return suite, nil
}

// Standing returns the standing suite's film of a kind.
func Standing(name string) (Clip, error) {
	data, err := scripts.ReadFile("suite/" + name + ".yaml")
	if err != nil {
		return Clip{}, &UnknownError{Name: name}
	}
	c, err := stickers.ReadClip(bytes.NewReader(data))
	if err != nil {
		return Clip{}, fmt.Errorf("standing clip %s: %w", name, err)
	}
	return Clip{name, c}, nil
}

// Fresh draws a film of a kind. The same seed gives the same film, and no two
// kinds share anything for having the same seed.
func Fresh(name string, seed uint64) (Clip, error) {
	for i, k := range kinds {
		if k.Name != name {
			continue
		}
		c := k.draw(newDirector(seed, uint64(i)))
		c.About = k.About
		if err := c.Initialize(); err != nil {
			return Clip{}, fmt.Errorf("drawing a clip of kind %s from seed %d: %w", name, seed, err)
		}
		return Clip{name, c}, nil
	}
	return Clip{}, &UnknownError{Name: name}
}

// An UnknownError says that there is no kind of that name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no clip %q", e.Name) }
