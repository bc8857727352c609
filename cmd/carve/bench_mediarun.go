package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A mediaRun is a run without a model: each frame has the same masks. Its stages are those
// of [carve.Run] that have to do with pixels.
type mediaRun struct {
	source  *video.Source
	sinks   []carve.Sink
	found   []car.Found // at w×h
	w, h    int
	draw    bool // masks are made at the size of the video
	limit   int  // of frames
	threads int

	decoded   int
	queries   []car.Query
	colours   [][3]uint8
	upsampler carve.Upsampler
}

// A mediaFrame is a frame on its way to the sinks.
type mediaFrame struct {
	carve.Frame
	refs atomic.Int32
	run  *mediaRun
}

func (f *mediaFrame) release() {
	if f.refs.Add(-1) == 0 {
		f.run.upsampler.Recycle(f.Layers)
		f.Decoded.Release()
	}
}

// run returns the time from the first frame to the last byte, and the part of it in which
// masks were made.
func (m *mediaRun) run(ctx context.Context) (took, drawing time.Duration, err error) {
	info := m.source.Info()
	m.source.Reserve(len(m.sinks) + 4)
	m.upsampler = carve.Upsampler{Info: info, Threads: m.threads}
	for i, f := range m.found {
		m.queries = append(m.queries, car.Named(f.Label))
		m.colours = append(m.colours, overlay.Colour(i))
	}
	stream := &carve.Stream{Source: m.source, Info: info, Queries: m.queries, Width: m.w, Height: m.h, Threads: m.threads}
	for _, s := range m.sinks {
		defer s.Close()
		if err := s.Open(ctx, stream); err != nil {
			return 0, 0, err
		}
	}
	from := time.Now()
	l := pipeline.New(ctx)
	decoded := pipeline.Produce(l, "decode", 2, (*video.Frame).Release, m.decode)
	branches := make([]pipeline.Branch, len(m.sinks))
	for i := range branches {
		branches[i].Depth = 1
	}
	release := (*mediaFrame).release
	made := pipeline.Map(l, "layers", decoded, 1, release, m.layers)
	for i, in := range pipeline.Tee(l, "tee", made, release, branches, func(context.Context, *mediaFrame) error { return nil }) {
		pipeline.Consume(l, "sink", in, func(ctx context.Context, f *mediaFrame) error {
			defer f.release()
			return m.sinks[i].Write(ctx, &f.Frame)
		})
	}
	if err := l.Wait(); err != nil {
		return 0, 0, err
	}
	for _, s := range m.sinks {
		if c, ok := s.(carve.Committer); ok {
			if err := errors.Join(c.Prepare(), c.Commit()); err != nil {
				return 0, 0, err
			}
		}
	}
	took = time.Since(from)
	for _, s := range l.Stages() {
		if s.Name() == "layers" {
			drawing = s.Busy()
		}
	}
	return took, drawing, nil
}

func (m *mediaRun) decode(ctx context.Context) (*video.Frame, error) {
	if m.decoded == m.limit {
		return nil, pipeline.ErrDone
	}
	m.decoded++
	f, err := m.source.Next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, pipeline.ErrDone
	}
	return f, err
}

func (m *mediaRun) layers(_ context.Context, f *video.Frame) (*mediaFrame, error) {
	out := &mediaFrame{Frame: carve.Frame{Index: f.Index, Time: f.Time(), Decoded: f, Queries: m.queries}, run: m}
	out.refs.Store(int32(len(m.sinks)))
	out.Result = &car.Result{W: m.w, H: m.h, Found: m.found}
	if !m.draw {
		return out, nil
	}
	out.Layers = carve.Layers(out.Result, nil, m.colours)
	if err := m.upsampler.Masks(f, out.Layers, m.w, m.h); err != nil {
		f.Release()
		return nil, err
	}
	return out, nil
}

// A plainCopy encodes frames as they are.
type plainCopy struct{ video.Sink }

// Open implements [carve.Sink].
func (c *plainCopy) Open(context.Context, *carve.Stream) error { return c.Initialize() }

// Write implements [carve.Sink].
func (c *plainCopy) Write(ctx context.Context, f *carve.Frame) error { return c.Encode(ctx, f.Decoded) }

// Close implements [carve.Sink].
func (c *plainCopy) Close() error {
	c.Sink.Close()
	return nil
}

// A discardedOverlay draws on frames and throws them away.
type discardedOverlay struct {
	painter *overlay.Painter
	layers  []overlay.Layer
}

// Open implements [carve.Sink].
func (d *discardedOverlay) Open(_ context.Context, s *carve.Stream) error {
	d.painter = s.Info.Painter()
	d.painter.Threads = s.Threads
	return d.painter.Initialize()
}

// Write implements [carve.Sink].
func (d *discardedOverlay) Write(_ context.Context, f *carve.Frame) error {
	frame, err := f.Decoded.Share()
	if err != nil {
		return err
	}
	defer frame.Release()
	d.layers = d.layers[:0]
	for i := range f.Layers {
		l := &f.Layers[i]
		d.layers = append(d.layers, overlay.Layer{Alpha: l.Mask, Extent: l.Extent, Colour: l.Colour, Query: l.Query, Label: l.Label, Score: l.Score})
	}
	return frame.Draw(d.painter, d.layers)
}

// Close implements [carve.Sink].
func (d *discardedOverlay) Close() error { return nil }
