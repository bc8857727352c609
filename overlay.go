package carve

import (
	"context"
	"fmt"

	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// An Overlay is a sink that writes the video with coloured masks, their outlines and a
// legend drawn over it. Pixels that nothing is drawn over are not changed.
type Overlay struct {
	// Output says where and how the video is written. If neither its Source nor its Reel is
	// set, the source of the run is used, whose other streams are copied. That source must
	// then be a [video.Source].
	Output video.Sink

	painter *overlay.Painter
	layers  []overlay.Layer
}

// Traits implements [Traited].
func (o *Overlay) Traits() Traits { return Traits{Name: "overlay"} }

// Paths implements [FileSink].
func (o *Overlay) Paths() []string { return []string{o.Output.Path} }

// Open creates the file, under a temporary name.
func (o *Overlay) Open(_ context.Context, s *Stream) error {
	if o.Output.Source == nil && o.Output.Reel == nil {
		src, ok := s.Source.(*video.Source)
		if !ok {
			return fmt.Errorf("opening %s: a source of type %T has no streams to copy; give the output a Reel", o.Output.Path, s.Source)
		}
		o.Output.Source = src
	}
	o.painter = s.Info.Painter()
	o.painter.Threads = s.Threads
	if err := o.painter.Initialize(); err != nil {
		return fmt.Errorf("drawing on frames of %s: %w", s.Info.Path, err)
	}
	return o.Output.Initialize()
}

// Write draws the layers on a frame, and encodes it.
func (o *Overlay) Write(ctx context.Context, f *Frame) error {
	frame, err := f.Decoded.Share()
	if err != nil {
		return err
	}
	defer frame.Release()
	o.layers = o.layers[:0]
	for i := range f.Layers {
		l := &f.Layers[i]
		o.layers = append(o.layers, overlay.Layer{Alpha: l.Mask, Colour: l.Colour, Label: l.Label, Score: l.Score})
	}
	if err := frame.Draw(o.painter, o.layers); err != nil {
		return err
	}
	return o.Output.Encode(ctx, frame)
}

// Prepare writes the rest of the file to disk.
func (o *Overlay) Prepare() error { return o.Output.Prepare() }

// Commit gives the file its name.
func (o *Overlay) Commit() error { return o.Output.Commit() }

// Abort removes the file, and restores the one that it replaced.
func (o *Overlay) Abort() { o.Output.Abort() }

// Close closes the file, and removes it if it was not committed.
func (o *Overlay) Close() error {
	o.Output.Close()
	return nil
}
