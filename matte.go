package carve

import (
	"context"
	"fmt"

	"github.com/carve-video/carve/video"
)

// A Matte is a sink that writes a video in which the masks are a matte: the alpha of the
// source's pixels, or a grey picture, as the codec has it. It has a frame for every frame
// of the source, at the same time, so that an editor can lay it over the source.
//
// The masks of all concepts that are written are added up, and cut off at the highest
// value. So there is no seam where two of them touch. Alpha that the source has itself
// is multiplied by the mask.
type Matte struct {
	// Output says where the video is written. If its Source is nil, that of the run is
	// used, which must then be a [video.Source]. Its VideoOnly leaves out sound and all
	// other streams. Its Encoder and Options are set by Open; those options that are given
	// take precedence. Reel and FrameInfo are not used.
	Output video.Sink
	// Options say which codec there is, and how alpha is meant.
	Options video.MatteOptions
	// Concepts are the labels of the queries that are written; none stands for all.
	Concepts []string
	// Shaping changes the mask before it is written; nil leaves it as it is.
	Shaping *Shaping

	only   queryIDs // of the queries that are written
	shaper *maskShaper
	maker  *video.MatteMaker
	sum    []uint8
}

// Traits implements [Traited].
func (m *Matte) Traits() Traits { return Traits{Name: "matte"} }

// Paths implements [FileSink].
func (m *Matte) Paths() []string { return []string{m.Output.Path} }

// Open creates the file, under a temporary name.
func (m *Matte) Open(_ context.Context, s *Stream) error {
	if err := m.prepare(s); err != nil {
		return fmt.Errorf("opening %s: %w", m.Output.Path, err)
	}
	return m.Output.Initialize()
}

// Try reports the error that Open would return, and leaves nothing behind. See
// [video.Sink.Try].
func (m *Matte) Try(_ context.Context, s *Stream) error {
	if err := m.prepare(s); err != nil {
		return fmt.Errorf("opening %s: %w", m.Output.Path, err)
	}
	defer m.maker.Close()
	return m.Output.Try()
}

// prepare does what comes before the file is opened.
func (m *Matte) prepare(s *Stream) (err error) {
	if m.Output.Source == nil {
		src, ok := s.Source.(*video.Source)
		if !ok {
			return fmt.Errorf("a source of type %T has no tags and times to copy; give the output a Source", s.Source)
		}
		m.Output.Source = src
	}
	format, err := m.Options.Format(m.Output.Path)
	if err != nil {
		return err
	}
	if m.shaper, err = newMaskShaper(m.Shaping, s.Info.Width, s.Info.Height, s.Threads); err != nil {
		return err
	}
	if m.only, err = chooseQueries(m.Concepts, s.Queries); err != nil {
		return err
	}
	m.sum = make([]uint8, s.Info.Width*s.Info.Height)
	m.maker = &video.MatteMaker{Source: s.Info, Format: format, Threads: s.Threads}
	if err := m.maker.Initialize(); err != nil {
		return err
	}
	info := m.maker.Info()
	m.Output.FrameInfo, m.Output.Encoder = &info, format.Encoder
	options := format.Options
	if options == nil {
		options = make(map[string]string)
	}
	for k, v := range m.Output.Options {
		options[k] = v
	}
	m.Output.Options = options
	return nil
}

// Lost returns what of the source the file does not have, and was not left out on
// purpose. It is complete after Prepare.
func (m *Matte) Lost() []video.Loss { return m.Output.Lost() }

// Write encodes the matte of a frame.
func (m *Matte) Write(ctx context.Context, f *Frame) error {
	mask, err := m.mask(f)
	if err != nil {
		return err
	}
	frame, err := m.maker.Make(f.Decoded, mask)
	if err != nil {
		return err
	}
	defer frame.Release()
	return m.Output.Encode(ctx, frame)
}

// mask returns the mask of a frame, valid until the next call.
func (m *Matte) mask(f *Frame) ([]uint8, error) {
	m.shaper.begin()
	var one []uint8 // the only mask so far
	several := false
	for i := range f.Layers {
		l := &f.Layers[i]
		if !m.only.has(queryID(f.Queries[l.Query], l.Query)) {
			continue
		}
		if len(l.Mask) != len(m.sum) {
			return nil, fmt.Errorf("frame %d: the mask of %s has %d pixels, not %d", f.Index, l.Label, len(l.Mask), len(m.sum))
		}
		if one == nil {
			one = l.Mask
			continue
		}
		if !several {
			several = true
			copy(m.sum, one)
		}
		addMask(m.sum, l.Mask)
	}
	switch {
	case one == nil:
		clear(m.sum)
		one = m.sum
	case several:
		one = m.sum
	}
	return m.shaper.shape(one), nil
}

// addMask adds a mask to a sum, to the highest value at most.
func addMask(sum, mask []uint8) {
	for i, v := range mask {
		sum[i] = uint8(min(int(sum[i])+int(v), 255))
	}
}

// Prepare writes the rest of the file to disk.
func (m *Matte) Prepare() error { return m.Output.Prepare() }

// Commit gives the file its name.
func (m *Matte) Commit() error { return m.Output.Commit() }

// Abort removes the file, and restores the one that it replaced.
func (m *Matte) Abort() { m.Output.Abort() }

// Close closes the file, and removes it if it was not committed.
func (m *Matte) Close() error {
	m.Output.Close()
	if m.maker != nil {
		m.maker.Close()
	}
	return nil
}
