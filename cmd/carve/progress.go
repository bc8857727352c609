package main

import (
	"context"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/ui"
)

// A progress is the [carve.Sink] that shows the progress of a run.
type progress struct {
	*ui.Progress
	began   time.Time
	present []string // labels in the current frame
}

// Traits implements [carve.Traited].
func (p *progress) Traits() carve.Traits { return carve.Traits{Name: "progress", NoMasks: true} }

// Open implements [carve.Sink].
func (p *progress) Open(context.Context, *carve.Stream) error {
	p.began = time.Now()
	return nil
}

// Write implements [carve.Sink].
func (p *progress) Write(_ context.Context, f *carve.Frame) error {
	p.present = p.present[:0]
	for _, l := range f.Layers {
		p.present = append(p.present, l.Label)
	}
	p.Frame(f.Time, time.Since(p.began), p.present)
	return nil
}

// Close implements [carve.Sink].
func (p *progress) Close() error { return nil }
