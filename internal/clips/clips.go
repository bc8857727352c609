// Package clips has scripted clips to measure carve with, drawn with the demo model's
// stickers, and generates more of them.
//
// # Why generated clips
//
// The behaviour of a video tool over time can only be measured where the truth of every
// frame is known, and where each difficulty occurs in as many different clips as
// needed: a tool tuned on ten clips is good at those ten clips. So there are [Kinds], each
// of which tests one thing, and three sources of clips:
//
//   - A [Suite] is one clip of each of its kinds. Its scripts are files in this folder and
//     never change, so that figures of different versions of carve can be compared. The
//     second suite has several things of one concept.
//   - [Fresh] draws another clip of each kind from a seed, with other concepts, paths and
//     backgrounds. It shows whether figures on the suite hold in general.
//   - A script written by hand ([stickers.ReadClip]) is a clip like the others.
//
// # What clips are
//
// A script says in about thirty lines of text what is where at what time. The frames,
// and the truth of every pixel, are drawn on demand: no video is stored. Clips are
// small, since the demo model sees images of about 320 pixels and twelve clips should
// run in minutes. Each has about ten queries, of which three or four are present.
package clips

import (
	"bytes"
	"embed"
	"fmt"
	"slices"

	"github.com/carve-video/carve/internal/stickers"
)

// A Clip is a clip with a name.
type Clip struct {
	Name string
	*stickers.Clip
}

// The scripts were drawn by Fresh with the seed 1 before anything had been measured
// with them, and have not changed since.
//
//go:embed suite/*.yaml suite2/*.yaml
var scripts embed.FS

// Suite returns a standing suite, 1 or 2: one clip of each of its kinds, in the order of Kinds.
func Suite(number int) ([]Clip, error) {
	var suite []Clip
	for _, k := range kinds {
		if k.Suite != number {
			continue
		}
		c, err := Standing(k.Name)
		if err != nil {
			return nil, err
		}
		suite = append(suite, c)
	}
	return suite, nil
}

// Standing returns the clip of a kind from the standing suite.
func Standing(name string) (Clip, error) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Clip{}, &UnknownError{Name: name}
	}
	data, err := scripts.ReadFile(kinds[i].script())
	if err != nil {
		return Clip{}, fmt.Errorf("reading the script of %s: %w", name, err)
	}
	c, err := stickers.ReadClip(bytes.NewReader(data))
	if err != nil {
		return Clip{}, fmt.Errorf("standing clip %s: %w", name, err)
	}
	return Clip{name, c}, nil
}

// Fresh draws a clip of a kind. The same seed gives the same clip. Two kinds with the
// same seed have nothing in common.
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

// An UnknownError says that there is no kind with this name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no clip %q", e.Name) }
