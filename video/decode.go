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

// decode leaves the next picture in s.decoded.
func (s *Source) decode(ctx context.Context) error {
	if s.grid != nil {
		return s.decodeGrid()
	}
	for failures := 0; ; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		err := s.listen(func() error { return s.decoder.ReceiveFrame(s.decoded) })
		if err := s.hear(); err != nil {
			return err
		}
		switch {
		case err == nil:
			return s.received()
		case errors.Is(err, astiav.ErrEof):
			return s.over()
		case errors.Is(err, astiav.ErrEagain):
			if err := s.feed(); err != nil {
				return err
			}
			failures = 0
		default:
			if err := s.damaged(refused, fmt.Errorf("decoding a frame: %w", err)); err != nil {
				return err
			}
			// A decoder that fails without taking more input would fail for ever.
			if failures++; failures > 64 {
				if s.drained {
					return s.over()
				}
				if err := s.feed(); err != nil {
					return err
				}
				failures = 0
			}
		}
	}
}

// over ends the decoding. A file without a key frame lies within a group of
// pictures from its start to its end. Where one was there and none came out,
// nothing is explained by where the file starts.
func (s *Source) over() error {
	if l := &s.ledger; !l.started {
		l.started, l.open = true, !l.keyed || l.leans
	}
	if err := s.reckon(); err != nil {
		return err
	}
	return io.EOF
}

// received takes note of the frame that the decoder gave.
func (s *Source) received() error {
	s.order.frame(s.decoded)
	if ts := frameTimestamp(s.decoded); ts != astiav.NoPtsValue {
		s.seen = ts
	}
	if frameDamaged(s.decoded) {
		if err := s.damaged(concealed, errors.New("a frame was decoded with errors")); err != nil {
			return err
		}
	}
	if err := s.frame(s.decoded); err != nil {
		return err
	}
	s.ready = true
	return nil
}

// feed gives the decoder its next packet, passing on those of other streams on
// the way, or tells it that there is no more.
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

// readPacket reads one packet and gives it to whom it belongs; video is true
// when that was the decoder.
func (s *Source) readPacket() (video bool, err error) {
	const patience = 4096 // failures in a row after which nothing more is expected
	for failures := 0; ; failures++ {
		err := s.listen(func() error { return s.input.ReadFrame(s.packet) })
		if err == nil {
			break
		}
		if errors.Is(err, astiav.ErrEof) || s.endsOddly(err) {
			return false, io.EOF
		}
		if errors.Is(err, astiav.ErrEagain) && failures < patience {
			time.Sleep(time.Millisecond)
			continue
		}
		if err := s.damaged(refused, fmt.Errorf("reading: %w", err)); err != nil {
			return false, err
		}
		if failures >= patience || !errors.Is(err, astiav.ErrInvaliddata) {
			return false, io.EOF
		}
	}
	defer s.packet.Unref()

	p := s.packet
	if s.restarts {
		s.mend(p)
	}
	video = p.StreamIndex() == s.stream.Index()
	s.reach(p, video)
	s.offset = max(s.offset, p.Pos())
	if video {
		s.ledger.packet(p, s.leans)
		s.order.packet(p)
	}
	// What was said about a gap before this packet is told of the place before.
	if err := s.hear(); err != nil {
		return false, err
	}
	if video {
		if ts := p.Pts(); ts != astiav.NoPtsValue {
			s.seen = ts
		} else if ts := p.Dts(); ts != astiav.NoPtsValue {
			s.seen = ts
		}
	}
	if p.Flags().Has(astiav.PacketFlagCorrupt) && !s.joint(p) {
		if err := s.damagedStream(p.StreamIndex(), marked, fmt.Errorf("a packet of stream %d is cut or corrupt", p.StreamIndex())); err != nil {
			return false, err
		}
	}
	if !video {
		return false, s.beside.pass(p)
	}
	if err := s.listen(func() error { return s.decoder.SendPacket(p) }); err != nil {
		if errors.Is(err, astiav.ErrEagain) {
			// Cannot be: packets are sent only once the decoder has none left.
			return false, errors.New("decoder refuses a packet while it has no frame")
		}
		if err := s.damaged(refused, fmt.Errorf("decoding a packet: %w", err)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// mend keeps the times of a format going whose clock may jump.
func (s *Source) mend(p *astiav.Packet) {
	base, st := s.base(p.StreamIndex()), s.input.Streams()[p.StreamIndex()]
	kind := st.CodecParameters().MediaType()
	leads := kind == astiav.MediaTypeVideo && !attached(st) || kind == astiav.MediaTypeAudio
	step, shift := s.time.mend(p, base, leads, counterOf(streamWrapBits(st), base))
	switch at := s.place(s.seen); {
	case step < 0:
		s.Log.Warn("timestamps start anew; from here on they are shifted to go on", "at", at, "by", shift)
	case step > 0:
		s.Log.Warn("timestamps jump ahead; from here on they are shifted to go on", "at", at, "jump", step, "by", shift)
	}
}

// endsOddly reports whether an error is how FFmpeg's demuxer of GXF says that the
// file is at its end. What is wrong it writes to the log.
func (s *Source) endsOddly(err error) bool {
	return s.input.InputFormat().Name() == "gxf" && errors.Is(err, errNotPermitted)
}

// leans reports whether a key packet of the video refers to what came before.
func (s *Source) leans(p *astiav.Packet) bool {
	c := s.stream.CodecParameters()
	return !startsAfresh(c.CodecID(), c.ExtraData(), p.Data())
}

// joint reports whether a packet is marked as corrupt only because it is the
// last of one recording to which another was joined.
func (s *Source) joint(p *astiav.Packet) bool {
	if s.input.InputFormat().Name() != "mpegts" || p.Pos() < 0 {
		return false
	}
	pid := s.input.Streams()[p.StreamIndex()].ID()
	if pipe := s.demuxer.pipe; pipe != nil {
		ok, err := structure.JointWithin(&pipe.past, pipe.past.start(), pipe.past.end, p.Pos(), pid)
		return ok || err != nil // nobody can tell any more
	}
	ok, err := structure.Joint(s.Path, p.Pos(), pid)
	return ok && err == nil
}

// base returns the time base of a stream. Some containers bring in streams as
// they go.
func (s *Source) base(stream int) Rational {
	if stream >= len(s.bases) {
		s.bases = s.bases[:0]
		for _, st := range s.input.Streams() {
			s.bases = append(s.bases, fromAV(st.TimeBase()))
		}
	}
	return s.bases[stream]
}
