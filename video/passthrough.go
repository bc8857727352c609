package video

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asticode/go-astiav"
)

// errBegun is the error of a sink that comes too late for the first packets.
var errBegun = errors.New("the source has been read from already")

// A packetSink takes the packets of the streams that are copied. It must neither change
// nor keep p, and must not wait for the video: the source delivers both. What goes wrong
// is the sink's to tell: it is no error of the source, nor of the other sinks.
type packetSink interface {
	copyPacket(p *astiav.Packet)
}

// A passthrough hands packets of the streams beside the video to the sinks that want
// them. What is read while the source is opened, before there can be a sink, is kept.
type passthrough struct {
	to         []recipient
	begun      bool
	discards   bool // a stream is skipped, so that nobody knows how far it goes
	kept       []*astiav.Packet
	bytes      int
	limit      int // of bytes; 0 means maxKept
	overflowed bool
}

// A recipient is a sink and the streams that it copies.
type recipient struct {
	sink   packetSink
	wanted map[int]bool // by the index in the source
}

// maxKept bounds, in bytes, what is kept of the other streams until the first
// frame is there.
const maxKept = 32 << 20

// maxKeptOfPipe is more: a file is read a second time instead, which a pipe cannot
// be. Tests lower it.
var maxKeptOfPipe = 256 << 20

// attach has a sink receive the packets of the streams in wanted, from the first.
func (b *passthrough) attach(sink packetSink, wanted map[int]bool) error {
	if b.begun {
		return errBegun
	}
	b.to = append(b.to, recipient{sink, wanted})
	return nil
}

// detach ends that.
func (b *passthrough) detach(sink packetSink) {
	b.to = slices.DeleteFunc(b.to, func(r recipient) bool { return r.sink == sink })
}

// copies reports whether some sink wants a stream.
func (b *passthrough) copies(stream int) bool {
	return slices.ContainsFunc(b.to, func(r recipient) bool { return r.wanted[stream] })
}

// begin delivers what was kept and lets the demuxer skip what nobody wants.
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

// pass takes one packet in file order. It leaves p to its owner.
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
	for _, r := range b.to {
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
