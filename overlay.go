package carve

import (
	"context"
	"fmt"
	"image"

	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A Layout says what a frame of an overlay shows.
type Layout string

// The layouts.
const (
	LayoutOver Layout = "over" // masks over the frame; so is the empty layout
	LayoutSide Layout = "side" // the source on the left, and masks over it on the right
)

// An Overlay is a sink that writes the video with coloured masks, their outlines and a
// legend drawn over it. Pixels that nothing is drawn over are not changed.
type Overlay struct {
	// Output says where and how the video is written. If neither its Source nor its Reel is
	// set, the source of the run is used, whose other streams are copied. That source must
	// then be a [video.Source].
	Output video.Sink
	// Style says how masks and names are drawn; nil stands for [overlay.DefaultStyle].
	Style *overlay.Style
	// Layout says what a frame shows.
	Layout Layout
	// Palette has the colours of queries without a colour of their own.
	Palette overlay.Palette
	// Concepts are the labels of the queries that are drawn; none stands for all.
	Concepts []string
	// Shaping changes masks before they are drawn; nil leaves them as they are.
	Shaping *Shaping

	only    queryIDs // of the queries that are drawn
	colours recolouring
	shaper  *maskShaper
	width   int               // of the masks
	side    *video.SideBySide // nil if frames are drawn on as they are
	painter *overlay.Painter
	layers  []overlay.Layer
}

// Traits implements [Traited].
func (o *Overlay) Traits() Traits { return Traits{Name: "overlay"} }

// Paths implements [FileSink].
func (o *Overlay) Paths() []string { return []string{o.Output.Path} }

// Open creates the file, under a temporary name.
func (o *Overlay) Open(_ context.Context, s *Stream) error {
	if err := o.prepare(s); err != nil {
		return fmt.Errorf("opening %s: %w", o.Output.Path, err)
	}
	return o.Output.Initialize()
}

// Try reports the error that Open would return, and leaves nothing behind. See
// [video.Sink.Try].
func (o *Overlay) Try(_ context.Context, s *Stream) error {
	if err := o.prepare(s); err != nil {
		return fmt.Errorf("opening %s: %w", o.Output.Path, err)
	}
	defer o.side.Close()
	return o.Output.Try()
}

// prepare does what comes before the file is opened.
func (o *Overlay) prepare(s *Stream) (err error) {
	switch o.Layout {
	case "", LayoutOver:
	case LayoutSide:
		wide := s.Info.SideBySide()
		o.Output.FrameInfo = &wide
	default:
		return fmt.Errorf("the layout is %q; it can be %s or %s", o.Layout, LayoutOver, LayoutSide)
	}
	if o.Output.Source == nil && o.Output.Reel == nil {
		src, ok := s.Source.(*video.Source)
		if !ok {
			return fmt.Errorf("a source of type %T has no streams to copy; give the output a Reel", s.Source)
		}
		o.Output.Source = src
	}
	o.width = s.Info.Width
	if o.shaper, err = newMaskShaper(o.Shaping, s.Info.Width, s.Info.Height, s.Threads); err != nil {
		return err
	}
	if o.only, err = chooseQueries(o.Concepts, s.Queries); err != nil {
		return err
	}
	o.colours = recolouring{palette: o.Palette, only: o.only}
	o.colours.set(s.Queries)
	o.painter = s.Info.Painter()
	o.painter.Threads, o.painter.Style = s.Threads, o.Style
	if err := o.painter.Initialize(); err != nil {
		return fmt.Errorf("drawing on frames of %s: %w", s.Info.Path, err)
	}
	if o.Layout == LayoutSide {
		o.side = &video.SideBySide{Info: s.Info}
		return o.side.Initialize()
	}
	return nil
}

// Lost returns what of the source the file does not have. It is complete after Prepare.
func (o *Overlay) Lost() []video.Loss { return o.Output.Lost() }

// Write draws the layers on a frame, and encodes it.
func (o *Overlay) Write(ctx context.Context, f *Frame) error {
	frame, err := o.take(ctx, f.Decoded)
	if err != nil {
		return err
	}
	defer frame.Release()
	o.layers = o.layers[:0]
	o.colours.set(f.Queries)
	o.shaper.begin()
	for i := range f.Layers {
		l := &f.Layers[i]
		q := &f.Queries[l.Query]
		if !o.only.has(queryID(*q, l.Query)) {
			continue
		}
		mask, extent := o.shaper.shape(l.Mask), l.Extent
		if o.shaper != nil {
			extent = image.Rect(0, 0, o.width, len(mask)/o.width)
			if boxOf(mask, o.width, extent).Empty() {
				continue // shaping has left nothing
			}
		}
		o.layers = append(o.layers, overlay.Layer{Alpha: mask, Extent: extent, Colour: o.colours.colour(q, l.Query, l.Colour, l.Instance), Query: l.Query, Label: q.Label,
			Number: l.Instance, Score: confidence(f, l)})
	}
	if o.side != nil {
		err = o.side.Draw(frame, o.painter, o.layers)
	} else {
		err = frame.Draw(o.painter, o.layers)
	}
	if err != nil {
		return err
	}
	return o.Output.Encode(ctx, frame)
}

// take returns the frame that is drawn on.
func (o *Overlay) take(ctx context.Context, f *video.Frame) (*video.Frame, error) {
	if o.side != nil {
		return o.side.Join(ctx, f)
	}
	return f.Share()
}

// confidence is the number beside a name: the score among the queries, or for a lone query,
// whose score is always 1, its presence; below 0 if that was not measured.
func confidence(f *Frame, l *Layer) float32 {
	if len(f.Queries) > 1 {
		return l.Score
	}
	if found := f.Result.Lookup(l.Query); found != nil && found.Presence > 0 {
		return found.Presence
	}
	return -1
}

// State implements [Stateful]: where the legend is.
func (o *Overlay) State() ([]byte, error) { return []byte(o.painter.Corner().String()), nil }

// SetState implements [Stateful].
func (o *Overlay) SetState(state []byte) error {
	var corner overlay.Corner
	if err := corner.UnmarshalText(state); err != nil {
		return err
	}
	o.painter.SetCorner(corner)
	return nil
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
	o.side.Close()
	return nil
}
