package video

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// copyPacket writes one packet of another stream. An error is that of the next frame, or
// of the end: it is the output's, and not that of the source that hands out packets.
func (s *Sink) copyPacket(p *astiav.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.copies[p.StreamIndex()]; c != nil && s.output != nil && s.copyErr == nil {
		s.copyErr = s.copyShown(c, p)
	}
}

// copying is the error of a packet that was copied.
func (s *Sink) copying() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copyErr
}

// copyShown writes a packet that is shown, and of those before it what it needs. A packet
// that the container refuses is counted and does not stop the video.
func (s *Sink) copyShown(c *copied, p *astiav.Packet) error {
	switch {
	case !c.hides || c.shown && !p.Flags().Has(astiav.PacketFlagDiscard):
		return s.writeCopy(c, p)
	case p.Flags().Has(astiav.PacketFlagDiscard):
		return c.hide(p)
	}
	c.shown = true
	defer c.dropLead()
	for _, l := range c.warmUp(p, s.output.OutputFormat().Name()) {
		if err := s.writeCopy(c, l); err != nil {
			return err
		}
	}
	return s.writeCopy(c, p)
}

// writeCopy writes a packet, by way of a filter where it needs one.
func (s *Sink) writeCopy(c *copied, p *astiav.Packet) error {
	q := s.spare
	if err := q.Ref(p); err != nil {
		return fmt.Errorf("copying a packet: %w", err)
	}
	defer q.Unref()
	if err := c.needFilter(q); err != nil {
		return err
	}
	if c.filter == nil {
		return s.muxCopy(c, q)
	}
	if err := c.filter.SendPacket(q); err != nil {
		s.refuse(c, err)
		return nil
	}
	return s.filtered(c)
}

// needFilter opens the filter that tells from the pictures when they are shown,
// for a video whose packets, as in AVI, only say when they are decoded.
func (c *copied) needFilter(p *astiav.Packet) error {
	par := c.out.CodecParameters()
	if c.filter != nil || p.Pts() != astiav.NoPtsValue || p.Dts() == astiav.NoPtsValue ||
		par.CodecID() != astiav.CodecIDH264 || parametersDelay(par) == 0 {
		return nil
	}
	f := astiav.FindBitStreamFilterByName("dts2pts")
	if f == nil {
		return nil // the packets are refused
	}
	filter, err := astiav.AllocBitStreamFilterContext(f)
	if err != nil {
		return fmt.Errorf("copying stream %d: %w", c.info.Index, err)
	}
	filter.SetInputTimeBase(c.base)
	if err = par.Copy(filter.InputCodecParameters()); err == nil {
		err = filter.Initialize()
	}
	if err != nil {
		filter.Free()
		return fmt.Errorf("copying stream %d: finding out when its pictures are shown: %w", c.info.Index, err)
	}
	c.filter = filter
	return nil
}

// filtered writes what the filter has ready.
func (s *Sink) filtered(c *copied) error {
	q := s.spare
	for {
		q.Unref()
		err := c.filter.ReceivePacket(q)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case errors.Is(err, astiav.ErrInvaliddata):
			s.refuse(c, err)
			continue
		case err != nil:
			return fmt.Errorf("copying a packet: %w", err)
		}
		if err := s.muxCopy(c, c.early(q)); err != nil {
			return err
		}
	}
}

// early moves a filtered packet so that the first picture is shown when the file
// says that it is decoded. The filter takes that time for what it is, and so shows
// pictures as much later as they wait for others.
func (c *copied) early(p *astiav.Packet) *astiav.Packet {
	if p.Pts() == astiav.NoPtsValue || p.Dts() == astiav.NoPtsValue {
		return p
	}
	if !c.waits.known {
		c.waits.known, c.waits.ticks = true, p.Pts()-p.Dts()
	}
	p.SetPts(p.Pts() - c.waits.ticks)
	p.SetDts(p.Dts() - c.waits.ticks)
	return p
}

// endCopies writes what filters still hold.
func (s *Sink) endCopies() error {
	for _, c := range s.copies {
		if c.filter == nil {
			continue
		}
		if err := c.filter.SendPacket(nil); err != nil {
			return fmt.Errorf("copying the end of stream %d: %w", c.info.Index, err)
		}
		err := s.filtered(c)
		s.spare.Unref()
		if err != nil {
			return err
		}
	}
	return nil
}

// muxCopy gives a packet to the muxer.
func (s *Sink) muxCopy(c *copied, q *astiav.Packet) error {
	q.SetStreamIndex(c.out.Index())
	q.SetPos(-1)
	q.RescaleTs(c.base, c.out.TimeBase())
	s.move(q, c.out.TimeBase())
	if c.cover && q.Dts() == astiav.NoPtsValue {
		q.SetPts(0)
		q.SetDts(0)
	}
	if q.Pts() == astiav.NoPtsValue && (q.Dts() == astiav.NoPtsValue || parametersDelay(c.out.CodecParameters()) > 0) {
		s.refuse(c, errors.New("it has no timestamp"))
		return nil
	}
	if s.fixedRate {
		s.starts.fromZero(q, c.out)
	}
	c.increase(q)
	dts := q.Dts()
	if err := s.output.WriteInterleavedFrame(q); err != nil {
		if errors.Is(err, errInvalidArgument) || errors.Is(err, astiav.ErrInvaliddata) {
			s.refuse(c, err)
			return nil
		}
		return s.writing("", err)
	}
	if dts != astiav.NoPtsValue {
		c.lastDTS = dts
	}
	return nil
}

// increase makes decoding times increase as the container wants them. A damaged
// file may go back in time, and some writers give two packets one time.
func (c *copied) increase(p *astiav.Packet) {
	if p.Dts() == astiav.NoPtsValue {
		if c.lastDTS == astiav.NoPtsValue && parametersDelay(c.out.CodecParameters()) > 0 {
			return // as at the start of Matroska with B-frames: the muxer counts back
		}
		p.SetDts(p.Pts())
	}
	if c.lastDTS == astiav.NoPtsValue {
		return
	}
	kind := c.out.CodecParameters().MediaType()
	mayEqual := !c.strict || kind == astiav.MediaTypeSubtitle || kind == astiav.MediaTypeData
	if p.Dts() == c.lastDTS && mayEqual {
		return
	}
	// What went back comes after the one before it, and not with it: a reader of DVB
	// subtitles takes packets of one time for one.
	if least := c.lastDTS + 1; p.Dts() < least {
		p.SetDts(least)
		if p.Pts() != astiav.NoPtsValue {
			p.SetPts(max(p.Pts(), least))
		}
	}
}

// hidesPackets reports whether packets of a stream that are marked as not to be
// shown are hidden by an edit list. In a file of fragments FFmpeg marks those that
// overlap, which is what careless writers make of sound that is whole.
func (s *Sink) hidesPackets(in *astiav.Stream) bool {
	return strings.HasPrefix(s.Source.input.InputFormat().Name(), "mov,") && in.NbFrames() > 0 && !attached(in)
}

// warmUpLength is how much hidden sound before the first that is heard a decoder
// may need: encoders put two packets there, or the like.
const warmUpLength = 100 * time.Millisecond

// maxLead is how many packets FFmpeg hands out before the first that is shown, and
// more: it goes back by a second.
const maxLead = 1024

// hide keeps a hidden packet before the first that is shown, and drops the others.
// Their times are those of what is shown.
func (c *copied) hide(p *astiav.Packet) error {
	if c.shown || len(c.lead) == maxLead {
		return nil
	}
	q := p.Clone()
	if q == nil {
		return fmt.Errorf("keeping a packet of %d bytes: %w", p.Size(), errOutOfMemory)
	}
	c.lead = append(c.lead, q)
	return nil
}

// warmUp returns the hidden packets that go into the output all the same, before
// the first one that is shown. Where all of them are what the encoder has put there
// they do; of more, which somebody has cut off, they do in a container that can
// hide them again.
func (c *copied) warmUp(first *astiav.Packet, container string) []*astiav.Packet {
	base := fromAV(c.base)
	i := slices.IndexFunc(c.lead, func(p *astiav.Packet) bool {
		return first.Dts() == astiav.NoPtsValue || p.Dts() == astiav.NoPtsValue || base.Duration(first.Dts()-p.Dts()) <= warmUpLength
	})
	if i < 0 || i > 0 && container != "mp4" && container != "mov" {
		return nil
	}
	return c.lead[i:]
}

func (c *copied) close() {
	c.dropLead()
	if c.filter != nil {
		c.filter.Free()
		c.filter = nil
	}
}

func (c *copied) dropLead() {
	for _, p := range c.lead {
		p.Free()
	}
	c.lead = nil
}
