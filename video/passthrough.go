package video

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// A packetSink takes the packets of the streams that are copied. It must not
// keep p, and must not wait for the video: the source delivers both.
type packetSink interface {
	copyPacket(p *astiav.Packet) error
}

// A passthrough hands packets of the streams beside the video to a sink. What
// is read while the source is opened, before there can be a sink, is kept.
type passthrough struct {
	to         packetSink
	copied     map[int]bool // streams that to wants
	begun      bool
	discards   bool // a stream is skipped, so that nobody knows how far it goes
	kept       []*astiav.Packet
	bytes      int
	limit      int // of bytes; 0 means maxKept
	overflowed bool
}

// maxKept bounds, in bytes, what is kept of the other streams until the first
// frame is there.
const maxKept = 32 << 20

// maxKeptOfPipe is more: a file is read a second time instead, which a pipe cannot
// be. Tests lower it.
var maxKeptOfPipe = 256 << 20

// attach makes to receive the packets of the streams in copied.
func (b *passthrough) attach(to packetSink, copied map[int]bool) {
	b.to, b.copied = to, copied
}

// begin delivers what was kept and lets the demuxer skip what nobody wants.
func (b *passthrough) begin(s *Source) error {
	if b.begun {
		return nil
	}
	b.begun = true
	for _, st := range s.input.Streams() {
		if i := st.Index(); i != s.stream.Index() && (b.to == nil || !b.copied[i]) {
			st.SetDiscard(astiav.DiscardAll)
			b.discards = b.discards || !attached(st)
		}
	}
	kept := b.kept
	b.kept = nil
	for i, p := range kept {
		err := b.deliver(p)
		p.Free()
		if err != nil {
			b.kept = kept[i+1:] // for drop
			return err
		}
	}
	return nil
}

// pass takes one packet in file order. It leaves p to its owner.
func (b *passthrough) pass(p *astiav.Packet) error {
	if b.begun {
		return b.deliver(p)
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

func (b *passthrough) deliver(p *astiav.Packet) error {
	if b.to == nil || !b.copied[p.StreamIndex()] {
		return nil
	}
	return b.to.copyPacket(p)
}

func (b *passthrough) drop() {
	for _, p := range b.kept {
		p.Free()
	}
	b.kept = nil
}
