package video

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// reorders are the codecs whose frames may be reordered although the container, such as
// AVI, only states decoding times.
var reorders = []astiav.CodecID{astiav.CodecIDH264, astiav.CodecIDHevc, codecVVC}

// maxWaiting is more than any decoder holds back, including its threads.
const maxWaiting = 128

// A displayOrder gives frames times if their packets only have decoding times: the
// first frame shown gets the first decoding time, and so on.
type displayOrder struct {
	waiting []int64 // sorted times of packets whose frames have not come out
	off     bool    // the packets have presentation times
}

// packet records a packet of the video before it is decoded. It sets the packet's pts
// to its dts, to identify the frame later.
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
		o.waiting = o.waiting[1:] // packets that hold no frame of their own
	}
}

// frame sets the time of a decoded frame.
func (o *displayOrder) frame(f *astiav.Frame) {
	if o.off || len(o.waiting) == 0 {
		return
	}
	// Frames decoded before a key frame are shown before it, or are lost.
	if own := f.Pts(); own != astiav.NoPtsValue && frameKey(f) {
		i, _ := slices.BinarySearch(o.waiting, own)
		o.waiting = o.waiting[min(i, len(o.waiting)-1):]
	}
	setFrameTimestamp(f, o.waiting[0])
	o.waiting = slices.Delete(o.waiting, 0, 1)
}
