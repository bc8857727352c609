package carve

import (
	"context"

	"github.com/carve-video/carve/video"
)

// A Source gives the frames of a run, in display order. [video.Source] is one. A run calls
// it from one goroutine at a time, and does not close it.
type Source interface {
	// Info describes the frames. It does not change during a run.
	Info() video.Info
	// Next returns the next frame, and io.EOF after the last. While all frames of the
	// source are in use, it waits until one is released.
	Next(ctx context.Context) (*video.Frame, error)
	// Reserve makes sure that so many frames can be in use at once. A run calls it before
	// the first Next; with fewer it would wait for ever.
	Reserve(frames int)
}
