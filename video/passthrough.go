package video

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asticode/go-astiav"
)

// errBegun is the error of a sink that is attached after the first packets were read.
var errBegun = errors.New("the source has been read from already")

// A packetSink takes the packets of the streams that are copied. It must not change or
// keep p, and must not wait for the video, because the source delivers both. The sink
// reports its own errors: they are not errors of the source or of other sinks.
type packetSink interface {
	copyPacket(p *astiav.Packet)
}

// A passthrough hands the packets of all streams except the video to the sinks that
// want them. Packets that are read while the source is opened, before there is a sink,
// are stored.
type passthrough struct {
	recipients []recipient
	begun      bool
	over       func(p *astiav.Packet) bool // reports packets that no sink gets; nil: none
	discards   bool                        // a stream is skipped, so its length is unknown
	kept       []*astiav.Packet
	bytes      int
	limit      int // in bytes; 0 means maxKept
	overflowed bool
}

// A recipient is a sink and the streams that it copies.
type recipient struct {
	sink   packetSink
	wanted map[int]bool // by index in the source
}

// maxKept bounds, in bytes, the packets of other streams that are stored before the
// first frame.
const maxKept = 32 << 20

// maxKeptOfPipe is larger, because a pipe, unlike a file, cannot be read a second time.
// Tests lower it.
var maxKeptOfPipe = 256 << 20

// attach makes a sink receive all packets of the streams in wanted.
func (b *passthrough) attach(sink packetSink, wanted map[int]bool) error {
	if b.begun {
		return errBegun
	}
	b.recipients = append(b.recipients, recipient{sink, wanted})
	return nil
}

// detach undoes attach.
func (b *passthrough) detach(sink packetSink) {
	b.recipients = slices.DeleteFunc(b.recipients, func(r recipient) bool { return r.sink == sink })
}

// copies reports whether any sink wants the stream.
func (b *passthrough) copies(stream int) bool {
	return slices.ContainsFunc(b.recipients, func(r recipient) bool { return r.wanted[stream] })
}

// begin delivers the stored packets and lets the demuxer skip the streams that no sink
// wants.
func (b *passthrough) begin(s *Source) {
	if b.begun {
		return
	}
	b.begun = true
	for _, st := range s.input.Streams() {
		if i := st.Index(); i != s.stream.Index() && !b.copies(i) {
			st.SetDiscard(astiav.DiscardAll)
			b.discards = b.discards || !attached(st)
		}
	}
	kept := b.kept
	b.kept = nil
	for _, p := range kept {
		b.deliver(p)
		p.Free()
	}
}

// pass takes one packet in file order. The caller still owns p.
func (b *passthrough) pass(p *astiav.Packet) error {
	if b.begun {
		b.deliver(p)
		return nil
	}
	if b.overflowed {
		return nil
	}
	limit := b.limit
	if limit == 0 {
		limit = maxKept
	}
	if b.bytes += p.Size(); b.bytes > limit {
		b.drop()
		b.overflowed = true
		return nil
	}
	c := p.Clone()
	if c == nil {
		return fmt.Errorf("keeping a packet of %d bytes: out of memory", p.Size())
	}
	b.kept = append(b.kept, c)
	return nil
}

func (b *passthrough) deliver(p *astiav.Packet) {
	if b.over != nil && b.over(p) {
		return
	}
	for _, r := range b.recipients {
		if r.wanted[p.StreamIndex()] {
			r.sink.copyPacket(p)
		}
	}
}

func (b *passthrough) drop() {
	for _, p := range b.kept {
		p.Free()
	}
	b.kept = nil
}
