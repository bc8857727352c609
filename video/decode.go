package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/structure"
)

// decode leaves the next frame in s.decoded.
func (s *Source) decode(ctx context.Context) error {
	if s.grid != nil {
		return s.decodeGrid()
	}
	for failures := 0; ; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		err := s.listen(func() error { return s.decoder.ReceiveFrame(s.decoded) })
		if err := s.countRemarks(); err != nil {
			return err
		}
		switch {
		case err == nil:
			return s.acceptFrame()
		case errors.Is(err, astiav.ErrEof):
			return s.endOfInput()
		case errors.Is(err, astiav.ErrEagain):
			if err := s.feed(); err != nil {
				return err
			}
			failures = 0
		default:
			if err := s.reportDamage(refused, fmt.Errorf("decoding a frame: %w", err)); err != nil {
				return err
			}
			// A decoder that fails without taking more input would fail for ever.
			if failures++; failures > 64 {
				if s.drained {
					return s.endOfInput()
				}
				if err := s.feed(); err != nil {
					return err
				}
				failures = 0
			}
		}
	}
}

// endOfInput ends the decoding. A file without a key frame lies entirely within a group
// of pictures. But if a key frame was there and did not come out, an open start does
// not explain the damage.
func (s *Source) endOfInput() error {
	if l := &s.ledger; !l.started {
		l.started, l.open = true, !l.keyed || l.refersBack
	}
	if err := s.countEarly(); err != nil {
		return err
	}
	return io.EOF
}

// acceptFrame records the frame that the decoder returned.
func (s *Source) acceptFrame() error {
	s.order.frame(s.decoded)
	if ts := frameTimestamp(s.decoded); ts != astiav.NoPtsValue {
		s.lastSeen = ts
	}
	if frameDamaged(s.decoded) {
		if err := s.reportDamage(concealed, errors.New("a frame was decoded with errors")); err != nil {
			return err
		}
	}
	if err := s.frame(s.decoded); err != nil {
		return err
	}
	s.ready = true
	return nil
}

// feed sends the decoder its next packet, and passes on packets of other streams before
// it. At the end of the file it flushes the decoder.
func (s *Source) feed() error {
	if s.drained {
		return nil
	}
	for {
		video, err := s.readPacket()
		if errors.Is(err, io.EOF) {
			s.drained = true
			if err := s.atEnd(); err != nil {
				return err
			}
			if err := s.listen(func() error { return s.decoder.SendPacket(nil) }); err != nil && !errors.Is(err, astiav.ErrEof) {
				return fmt.Errorf("ending the decoder: %w", err)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if video {
			return nil
		}
	}
}

// readPacket reads one packet and delivers it; video is true if it went to the decoder.
func (s *Source) readPacket() (video bool, err error) {
	const maxFailures = 4096 // failures in a row after which the file is given up
	for failures := 0; ; failures++ {
		err := s.listen(func() error { return s.input.ReadFrame(s.packet) })
		if err == nil {
			break
		}
		if errors.Is(err, astiav.ErrEof) || s.isGXFEnd(err) {
			return false, io.EOF
		}
		if errors.Is(err, astiav.ErrEagain) && failures < maxFailures {
			time.Sleep(time.Millisecond)
			continue
		}
		if err := s.reportDamage(refused, fmt.Errorf("reading: %w", err)); err != nil {
			return false, err
		}
		if failures >= maxFailures || !errors.Is(err, astiav.ErrInvaliddata) {
			return false, io.EOF
		}
	}
	defer s.packet.Unref()

	p := s.packet
	if s.restarts {
		s.adjustTimes(p)
	}
	video = p.StreamIndex() == s.stream.Index()
	s.extendExtent(p, video)
	s.offset = max(s.offset, p.Pos())
	if video {
		s.ledger.packet(p, s.refersBack)
		s.order.packet(p)
	}
	// What was logged about a gap before this packet counts at the place before it.
	if err := s.countRemarks(); err != nil {
		return false, err
	}
	if video {
		if ts := p.Pts(); ts != astiav.NoPtsValue {
			s.lastSeen = ts
		} else if ts := p.Dts(); ts != astiav.NoPtsValue {
			s.lastSeen = ts
		}
	}
	if p.Flags().Has(astiav.PacketFlagCorrupt) && !s.atJoint(p) {
		if err := s.reportStreamDamage(p.StreamIndex(), marked, fmt.Errorf("a packet of stream %d is cut or corrupt", p.StreamIndex())); err != nil {
			return false, err
		}
	}
	if !video {
		return false, s.passthrough.pass(p)
	}
	if err := s.listen(func() error { return s.decoder.SendPacket(p) }); err != nil {
		if errors.Is(err, astiav.ErrEagain) {
			// Unreachable: packets are sent only when the decoder has no frame left.
			return false, errors.New("decoder refuses a packet while it has no frame")
		}
		if err := s.reportDamage(refused, fmt.Errorf("decoding a packet: %w", err)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// adjustTimes makes timestamps continue, for a format whose clock may jump.
func (s *Source) adjustTimes(p *astiav.Packet) {
	base, st := s.base(p.StreamIndex()), s.input.Streams()[p.StreamIndex()]
	kind := st.CodecParameters().MediaType()
	leads := kind == astiav.MediaTypeVideo && !attached(st) || kind == astiav.MediaTypeAudio
	step, shift := s.time.adjust(p, base, leads, counterOf(streamWrapBits(st), base))
	switch at := s.position(s.lastSeen); {
	case step < 0:
		s.Log.Warn("timestamps restart; from here on they are shifted to continue", "at", at, "by", shift)
	case step > 0:
		s.Log.Warn("timestamps jump ahead; from here on they are shifted to continue", "at", at, "jump", step, "by", shift)
	}
}

// isGXFEnd reports whether FFmpeg's GXF demuxer means the end of the file with this
// error. Real errors go to its log.
func (s *Source) isGXFEnd(err error) bool {
	return s.input.InputFormat().Name() == "gxf" && errors.Is(err, errNotPermitted)
}

// refersBack reports whether a key packet of the video refers to earlier frames.
func (s *Source) refersBack(p *astiav.Packet) bool {
	c := s.stream.CodecParameters()
	return !resetsDecoder(c.CodecID(), c.ExtraData(), p.Data())
}

// atJoint reports whether a packet is marked as corrupt only because it is the last of
// a recording to which another was joined.
func (s *Source) atJoint(p *astiav.Packet) bool {
	if s.input.InputFormat().Name() != "mpegts" || p.Pos() < 0 {
		return false
	}
	pid := s.input.Streams()[p.StreamIndex()].ID()
	if pipe := s.demuxer.pipe; pipe != nil {
		ok, err := structure.JointWithin(&pipe.history, pipe.history.start(), pipe.history.end, p.Pos(), pid)
		return ok || err != nil // it can no longer be determined
	}
	ok, err := structure.Joint(s.Path, p.Pos(), pid)
	return ok && err == nil
}

// base returns the time base of a stream. Some containers add streams while they are
// read.
func (s *Source) base(stream int) Rational {
	if stream >= len(s.bases) {
		s.bases = s.bases[:0]
		for _, st := range s.input.Streams() {
			s.bases = append(s.bases, fromAV(st.TimeBase()))
		}
	}
	return s.bases[stream]
}
