package video

import (
	"fmt"
	"strconv"

	"github.com/asticode/go-astiav"
)

// openMuxer opens the container and adds its streams and tags.
func (s *Sink) openMuxer(c container, of *astiav.OutputFormat) (err error) {
	if s.output, err = astiav.AllocOutputFormatContext(of, c.muxer, "file:"+s.file.Path()); err != nil {
		return fmt.Errorf("opening the container: %w", err)
	}
	s.output.SetStrictStdCompliance(astiav.StrictStdComplianceExperimental)
	if err := s.addVideo(c); err != nil {
		return fmt.Errorf("adding the video stream: %w", err)
	}
	if s.Source != nil {
		if err := s.addCopies(c, of); err != nil {
			return err
		}
		if err := copyFormatMetadata(s.output, s.Source.input); err != nil {
			return fmt.Errorf("copying metadata: %w", err)
		}
		if err := s.placeTimecode(c); err != nil {
			return fmt.Errorf("copying the time code: %w", err)
		}
		if c.chapters && !s.VideoOnly {
			if err := copyChapters(s.output, s.Source.input); err != nil {
				return fmt.Errorf("copying chapters: %w", err)
			}
		}
	}
	switch c.muxer {
	case "mp4", "mov", "matroska", "webm":
		// Players skip what lies before zero, which happens after the clock of a
		// transport stream restarts. Matroska has no negative times.
		s.shift = max(0, -s.info.StartPTS)
	}
	if err := s.openIO(c); err != nil {
		return err
	}
	s.output.SetPb(s.io)
	options := astiav.NewDictionary()
	defer options.Free()
	for k, v := range s.muxerOptions(c) {
		if err := options.Set(k, v, astiav.NewDictionaryFlags()); err != nil {
			return fmt.Errorf("setting muxer option %s: %w", k, err)
		}
	}
	lines, err := watchErrors(func() error { return s.output.WriteHeader(options) })
	if err != nil {
		return fmt.Errorf("writing the header of %s: %s", s.Path, detail(lines, err))
	}
	if s.fixedRate {
		s.beginStarts()
	}
	if s.Source != nil {
		wanted := make(map[int]bool)
		for i := range s.copies {
			wanted[i] = true
		}
		if err := s.Source.passthrough.attach(s, wanted); err != nil {
			return fmt.Errorf("opening %s: %w", s.Path, err)
		}
	}
	return nil
}

func (s *Sink) addVideo(c container) error {
	if s.stream = s.output.NewStream(nil); s.stream == nil {
		return errOutOfMemory
	}
	p := s.stream.CodecParameters()
	if err := p.FromCodecContext(s.encoder.context); err != nil {
		return err
	}
	if s.Source != nil && !s.info.maskOnly {
		if err := copyFrameSideData(p, s.Source.stream.CodecParameters()); err != nil {
			return err
		}
	}
	switch {
	case c.upright:
		dropParametersMatrix(p)
	case s.info.hasMatrix:
		if err := setParametersMatrix(p, s.info.matrix); err != nil {
			return err
		}
	}
	tagHEVC(s.output.OutputFormat(), p)
	s.stream.SetTimeBase(s.encoder.base.av())
	s.stream.SetAvgFrameRate(s.info.AverageRate.av())
	if c.bare {
		s.stream.SetAvgFrameRate(s.info.bareRate().av())
	}
	s.stream.SetRFrameRate(s.info.RealRate.av())
	s.stream.SetSampleAspectRatio(s.encoder.context.SampleAspectRatio())
	if s.Source == nil {
		return nil
	}
	if s.keepsPIDs(c) {
		s.stream.SetID(s.Source.stream.ID())
	}
	if err := copyStreamMetadata(s.stream, s.Source.stream, true); err != nil {
		return err
	}
	return s.encoder.markAlpha(s.stream)
}

// muxerOptions returns options that keep timestamps exact.
func (s *Sink) muxerOptions(c container) map[string]string {
	o := make(map[string]string)
	// max_interleave_delta is how far one stream may run ahead of another before
	// packets are written out of order. Ten seconds bound the memory. At low frame
	// rates the delta must still exceed the delay between the demuxer and the encoder's
	// output.
	interleave := 10.0
	if r := s.info.Rate(); r.Known() {
		interleave = max(interleave, 150/r.Float())
	}
	o["max_interleave_delta"] = strconv.FormatInt(int64(min(interleave, 600)*1e6), 10)
	switch c.muxer {
	case "mp4", "mov":
		if c.muxer == "mp4" {
			o["movflags"] = "+faststart"
		}
		if s.keysTags() {
			o["movflags"] += "+use_metadata_tags"
		}
		if ticks := s.trackTicks(); ticks > 0 {
			o["video_track_timescale"] = strconv.Itoa(ticks)
		}
		if scale := s.movieTimescale(); scale > 0 {
			o["movie_timescale"] = strconv.Itoa(scale)
		}
		o["write_tmcd"] = "1"
		if !timecodeFits(s.output) {
			o["write_tmcd"] = "0"
			s.addLoss(s.Source.timecodeLoss(timecodeMisfit))
		}
	case "matroska", "webm":
		// A single audio packet a few milliseconds before zero would otherwise move all
		// frames.
		o["avoid_negative_ts"] = "disabled"
	case "mpegts":
		o["mpegts_copyts"] = "1"
	}
	return o
}

// movieTimescale returns a time scale in which a file of the MP4 family can state
// exactly where its streams start and how long they are, or 0 for the usual
// millisecond.
func (s *Sink) movieTimescale() int {
	if s.Source == nil {
		return 0
	}
	scale := int64(1)
	for _, st := range s.Source.input.Streams() {
		base := fromAV(st.TimeBase())
		if st.Index() == s.Source.stream.Index() {
			if base = s.encoder.base; s.trackTicks() > 0 {
				base = Rational{1, s.trackTicks()}
			}
		} else if s.copies[st.Index()] == nil {
			continue
		}
		if !base.Known() {
			continue
		}
		if scale = lcm(scale, int64(base.Den)); scale > 1<<31-1 {
			return s.encoder.base.Den
		}
	}
	for scale < 1000 {
		scale *= 10
	}
	return int(scale)
}

func lcm(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	if x == 0 {
		return 0
	}
	return a / x * b
}

// shifted returns by how much times are shifted, in ticks of base.
func (s *Sink) shifted(base astiav.Rational) int64 {
	return rescale(s.shift, s.info.TimeBase, fromAV(base))
}

// shiftTimes shifts the times of a packet by the shift of all streams.
func (s *Sink) shiftTimes(p *astiav.Packet, base astiav.Rational) {
	ticks := s.shifted(base)
	if p.Pts() != astiav.NoPtsValue {
		p.SetPts(p.Pts() + ticks)
	}
	if p.Dts() != astiav.NoPtsValue {
		p.SetDts(p.Dts() + ticks)
	}
}

// setLastDuration makes the video as long as its source. The MP4 family adds up
// durations in decoding order. With B-frames the last packet does not hold the last
// frame, so that at a variable rate the sum would be wrong.
func (s *Sink) setLastDuration() {
	switch s.output.OutputFormat().Name() {
	case "mp4", "mov":
		if d := s.firstDTS + s.endPTS - s.startPTS - s.held.Dts(); s.hasHeld && d > 0 {
			s.held.SetDuration(d)
		}
	}
}

// closeMuxer writes the end of the container.
func (s *Sink) closeMuxer() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.endCopies(); err != nil {
		return err
	}
	s.length = fromAV(s.stream.TimeBase()).Duration(s.endPTS - max(0, s.startPTS))
	languages := s.languages()
	if err := s.output.WriteTrailer(); err != nil {
		return s.writeError("the end of ", err)
	}
	err := s.closeIO()
	// A source that still reads may deliver packets, which must not find the muxer.
	s.output.Free()
	s.output = nil
	if err == nil {
		err = writeLanguages(s.file.Path(), languages)
	}
	if err == nil {
		err = s.writeAlphaMode(s.file.Path())
	}
	if err == nil && s.fixedRate {
		err = s.starts.write(s.file.Path())
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", s.Path, err)
	}
	return nil
}
