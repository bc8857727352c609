package carve

import (
	"context"

	"github.com/carve-video/carve/video"
)

// A Source gives the frames of a run, in display order. [video.Source] is one. A run
// calls it from one goroutine at a time and does not close it.
type Source interface {
	// Info describes the frames. It is the same before and during a run.
	Info() video.Info
	// Next returns the next frame, and io.EOF after the last. When as many frames are in
	// flight as there may be, it waits until one is released.
	Next(ctx context.Context) (*video.Frame, error)
	// Reserve makes room for at least so many frames in flight. A run calls it before the
	// first Next: with less room it would stand still for ever.
	Reserve(frames int)
}
