package video

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// copyPacket writes one packet of another stream. An error is kept and returned with
// the next frame or at the end: it belongs to the output, and not to the source that
// delivers the packet.
func (s *Sink) copyPacket(p *astiav.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.copies[p.StreamIndex()]; c != nil && s.output != nil && s.copyErr == nil {
		s.copyErr = s.copyShown(c, p)
	}
}

// copyError returns the error of a copied packet, if there was one.
func (s *Sink) copyError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copyErr
}

// copyShown writes a visible packet, preceded by the hidden packets that it needs. A
// packet that the container refuses is counted and does not stop the video.
func (s *Sink) copyShown(c *copied, p *astiav.Packet) error {
	switch {
	case !c.editList || c.shown && !p.Flags().Has(astiav.PacketFlagDiscard):
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

// writeCopy writes a packet, through a filter if it needs one.
func (s *Sink) writeCopy(c *copied, p *astiav.Packet) error {
	q := s.scratch
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
	return s.writeFiltered(c)
}

// needFilter opens the filter that derives presentation times from the frames, for a
// video whose packets only have decoding times, as in AVI.
func (c *copied) needFilter(p *astiav.Packet) error {
	par := c.out.CodecParameters()
	if c.filter != nil || p.Pts() != astiav.NoPtsValue || p.Dts() == astiav.NoPtsValue ||
		par.CodecID() != astiav.CodecIDH264 || parametersDelay(par) == 0 {
		return nil
	}
	f := astiav.FindBitStreamFilterByName("dts2pts")
	if f == nil {
		return nil // then the packets are refused
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
		return fmt.Errorf("copying stream %d: finding out when its frames are shown: %w", c.info.Index, err)
	}
	c.filter = filter
	return nil
}

// writeFiltered writes the packets that the filter has ready.
func (s *Sink) writeFiltered(c *copied) error {
	q := s.scratch
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
		if err := s.muxCopy(c, c.undoDelay(q)); err != nil {
			return err
		}
	}
}

// undoDelay moves a filtered packet so that the first frame is shown at the decoding
// time that the file states. The filter takes that time for a real decoding time, and
// so shows every frame later by the reordering delay.
func (c *copied) undoDelay(p *astiav.Packet) *astiav.Packet {
	if p.Pts() == astiav.NoPtsValue || p.Dts() == astiav.NoPtsValue {
		return p
	}
	if !c.delay.known {
		c.delay.known, c.delay.ticks = true, p.Pts()-p.Dts()
	}
	p.SetPts(p.Pts() - c.delay.ticks)
	p.SetDts(p.Dts() - c.delay.ticks)
	return p
}

// endCopies writes the packets that the filters still hold.
func (s *Sink) endCopies() error {
	for _, c := range s.copies {
		if c.filter == nil {
			continue
		}
		if err := c.filter.SendPacket(nil); err != nil {
			return fmt.Errorf("copying the end of stream %d: %w", c.info.Index, err)
		}
		err := s.writeFiltered(c)
		s.scratch.Unref()
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
	s.shiftTimes(q, c.out.TimeBase())
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
	c.increaseDTS(q)
	dts := q.Dts()
	if err := s.output.WriteInterleavedFrame(q); err != nil {
		if errors.Is(err, errInvalidArgument) || errors.Is(err, astiav.ErrInvaliddata) {
			s.refuse(c, err)
			return nil
		}
		return s.writeError("", err)
	}
	if dts != astiav.NoPtsValue {
		c.lastDTS = dts
	}
	return nil
}

// increaseDTS makes decoding times increase, as the container requires. A damaged file
// may go back in time, and some writers give two packets the same time.
func (c *copied) increaseDTS(p *astiav.Packet) {
	if p.Dts() == astiav.NoPtsValue {
		if c.lastDTS == astiav.NoPtsValue && parametersDelay(c.out.CodecParameters()) > 0 {
			return // as at the start of Matroska with B-frames: the muxer derives it
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
	// A packet that went back in time is put after the one before it, not at the same
	// time: a reader of DVB subtitles takes packets with equal times for one packet.
	if least := c.lastDTS + 1; p.Dts() < least {
		p.SetDts(least)
		if p.Pts() != astiav.NoPtsValue {
			p.SetPts(max(p.Pts(), least))
		}
	}
}

// hidesPackets reports whether an edit list hides the packets of a stream that are
// marked as discarded. In fragmented files FFmpeg also marks overlapping packets.
// Careless writers produce those in audio that is complete.
func (s *Sink) hidesPackets(in *astiav.Stream) bool {
	return strings.HasPrefix(s.Source.input.InputFormat().Name(), "mov,") && in.NbFrames() > 0 && !attached(in)
}

// warmUpLength is how much hidden audio a decoder may need before the first audible
// sample: encoders put about two packets there.
const warmUpLength = 100 * time.Millisecond

// maxLead is more than the number of packets that FFmpeg returns before the first
// visible one: it seeks back by a second.
const maxLead = 1024

// hide stores a hidden packet that comes before the first visible one, and drops later
// ones, whose times are those of visible packets.
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

// warmUp returns the hidden packets before the first visible one that are written as
// well. If all of them belong to the encoder's start-up they are written. If there are
// more, because something was cut off, they are written only to a container that can
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
