package video

import (
	"log/slog"

	"github.com/asticode/go-astiav"
	"github.com/carve-video/carve/internal/atomicfile"
)

// Try reports the error that [Sink.Initialize] would return. It opens the encoder,
// begins the file and removes both. A run calls it before long work, and Initialize
// after it. Warnings are left to Initialize. A pipe or a device is not written to,
// because bytes cannot be taken back.
func (s *Sink) Try() error {
	t := s.trial()
	if atomicfile.InPlace(s.Path) {
		return t.tryInPlace()
	}
	if err := t.Initialize(); err != nil {
		return err
	}
	t.Abort()
	if t.Source != nil {
		t.Source.passthrough.detach(t) // the other streams are for the sinks that follow
	}
	return nil
}

// trial returns a copy of s that logs nothing.
func (s *Sink) trial() *Sink {
	return &Sink{Path: s.Path, Format: s.Format, Source: s.Source, Reel: s.Reel, FrameInfo: s.FrameInfo, VideoOnly: s.VideoOnly, Encoder: s.Encoder, CRF: s.CRF, Lossless: s.Lossless,
		Preset: s.Preset, Options: s.Options, Threads: s.Threads, Lookahead: s.Lookahead,
		Overwrite: s.Overwrite, Protect: s.Protect, Log: slog.New(slog.DiscardHandler), unchecked: s.unchecked}
}

// tryInPlace is Try for a pipe or a device.
func (s *Sink) tryInPlace() error {
	s.info = s.frameInfo()
	if err := CheckOutput(s.Path, s.Format, s.Encoder, s.info); err != nil {
		return err
	}
	c, err := containerOf(s.Path, s.Format, s.info.Still)
	if err != nil {
		return err
	}
	if !c.image && !c.streams {
		return &PathError{Path: s.Path, Err: ErrNotSeekable}
	}
	global := false
	if !c.image {
		of := astiav.FindOutputFormat(c.muxer)
		if of == nil {
			return &PathError{Path: s.Path, Err: ErrUnknownContainer, Detail: "this FFmpeg has no muxer " + c.muxer}
		}
		global = of.Flags().Has(astiav.IOFormatFlagGlobalheader)
	}
	err = s.openEncoder(c, global)
	if s.encoder != nil {
		s.encoder.close()
	}
	return err
}
