package video

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// reorders are the codecs whose pictures may wait for others although the
// container, as AVI does, only says when each is decoded.
var reorders = []astiav.CodecID{astiav.CodecIDH264, astiav.CodecIDHevc, codecVVC}

// maxWaiting is more than a decoder ever holds back, threads included.
const maxWaiting = 128

// A displayOrder gives pictures times where their packets have none: the first
// that is shown gets the first time at which one is decoded, and so on.
type displayOrder struct {
	waiting []int64 // times of packets whose pictures have not come out, in order
	off     bool    // the packets have times
}

// packet takes note of a packet of the video before it is decoded. It is given
// its own time to be decoded at as that to be shown at, by which its picture is
// recognised.
func (o *displayOrder) packet(p *astiav.Packet) {
	if o.off {
		return
	}
	if p.Pts() != astiav.NoPtsValue {
		*o = displayOrder{off: true}
		return
	}
	if p.Dts() == astiav.NoPtsValue {
		return
	}
	p.SetPts(p.Dts())
	i, _ := slices.BinarySearch(o.waiting, p.Dts())
	o.waiting = slices.Insert(o.waiting, i, p.Dts())
	if len(o.waiting) > maxWaiting {
		o.waiting = o.waiting[1:] // packets that hold no picture of their own
	}
}

// frame sets the time of a picture that has come out.
func (o *displayOrder) frame(f *astiav.Frame) {
	if o.off || len(o.waiting) == 0 {
		return
	}
	// What is decoded before a key frame is shown before it, or is lost.
	if own := f.Pts(); own != astiav.NoPtsValue && frameKey(f) {
		i, _ := slices.BinarySearch(o.waiting, own)
		o.waiting = o.waiting[min(i, len(o.waiting)-1):]
	}
	setFrameTimestamp(f, o.waiting[0])
	o.waiting = slices.Delete(o.waiting, 0, 1)
}
