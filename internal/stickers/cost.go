package stickers

import (
	"fmt"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/plaintext"
)

// Bounds on the cost of a whole video, where each number on its own is valid.
const (
	maxAbout = 1000

	// maxRate is that of slow-motion cameras. A video is at most as long as keys can
	// say, a day and some hours.
	maxRate    = 1000
	maxSeconds = maxNumber

	// maxPixels bounds the pixels of all frames together: five minutes of 1920×1080,
	// three hours of the suite's size, 50 GB if written losslessly.
	maxPixels = 1 << 34

	// maxPlanes bounds the memory of one frame while it is drawn, and that of all
	// backgrounds, in planes × pixels of 4 bytes: a frame has 3 and one for each track,
	// a background 3.
	maxPlanes = 1 << 28

	// maxSigma bounds the blur in pixels: the time for a frame grows with it.
	maxSigma = 32
)

// checkCost refuses clips that would take too much time, memory or disk.
func (c *Clip) checkCost() error {
	switch {
	case float64(c.Frames)*float64(c.Rate.Den) > maxSeconds*float64(c.Rate.Num):
		return at(fmt.Errorf("%d frames at a rate of %s last longer than %.0f seconds", c.Frames, c.Rate, float64(maxSeconds)), "frames")
	case c.Frames > maxPixels/(c.Width*c.Height):
		return at(fmt.Errorf("%d frames of %dx%d are more than %d pixels", c.Frames, c.Width, c.Height, maxPixels), "frames")
	case c.Blur*float64(c.Height) > maxSigma:
		return at(fmt.Errorf("blur %g is %.0f pixels of %d: at most %d", c.Blur, c.Blur*float64(c.Height), c.Height, maxSigma), "blur")
	case c.Width*c.Height*(3+len(c.Tracks)) > maxPlanes:
		return at(fmt.Errorf("%d tracks in a picture of %dx%d take too much memory", len(c.Tracks), c.Width, c.Height), "tracks")
	case utf8.RuneCountInString(c.About) > maxAbout:
		return at(fmt.Errorf("about has %d characters: at most %d", utf8.RuneCountInString(c.About), maxAbout), "about")
	}
	if err := plaintext.Check(c.About); err != nil {
		return at(fmt.Errorf("about: %w", err), "about")
	}
	return nil
}
