package video

import (
	"math"
	"slices"

	"github.com/asticode/go-astiav"
)

// For each packet the MP4 family stores the offset from its decoding to its
// presentation, and the time to the next decoding. FFmpeg takes a table with a larger
// offset than maxOffset for broken and ignores it, and its muxer refuses longer steps
// than maxStep.
const (
	maxOffset = 1 << 28
	maxStep   = math.MaxInt32
)

// maxPause is the longest time between two frames in an encoder that reorders, so that
// the offsets of several such pauses still fit.
const maxPause = maxOffset / 32

// reorderRoom is more than the number of frames that an encoder holds back.
const reorderRoom = 512

// exceedsOffsets reports whether the usual distance between frames is so long that the
// offsets of an encoder that reorders might not fit.
func exceedsOffsets(info Info) bool {
	const reordered = 16
	r, tb := info.Rate(), info.TimeBase
	return r.Known() && tb.Known() && reordered*r.Den*tb.Den/r.Num/tb.Num > maxOffset
}

// planTimes decides how the encoder keeps time.
func (s *Sink) planTimes(e *encoder, c container) {
	e.noReorder = c.fixedRate || e.base != e.source // see times
	if c.fixedRate {
		e.origin = s.info.StartPTS // frames are numbered from the first
	}
	if s.boundsOffsets {
		// A frame after a longer pause becomes a key frame, so that no frame before the
		// pause waits for one after it.
		if e.pause = maxPause; exceedsOffsets(s.info) {
			e.noReorder, e.pause = true, 0
		}
	}
}

// boundOffset moves the decoding time of a packet close enough to its presentation
// time. After a pause the encoder's decoding times lag behind, because it counts in
// frames. first is the earliest presentation time of the frames still in the encoder,
// in the same ticks.
func (s *Sink) boundOffset(p *astiav.Packet, first int64) {
	dts := p.Dts()
	if p.Pts()-dts > maxOffset/2 {
		// The frames still in the encoder must be decoded later than this one, and no
		// later than they are shown.
		dts = max(dts, min(first, p.Pts())-reorderRoom)
	}
	if s.lastDTS != astiav.NoPtsValue {
		dts = max(dts, s.lastDTS+1)
	}
	s.lastDTS = dts
	p.SetDts(dts)
	p.SetPts(max(p.Pts(), dts))
}

// trackTicks returns the ticks per second of the video track in the MP4 family: those
// of the source, unless a pause might not fit into a step. 0 leaves the choice to the
// muxer.
func (s *Sink) trackTicks() int {
	den := s.encoder.base.Den
	switch {
	case den < 600:
		return 0 // the muxer multiplies it by a power of two, which is exact as well
	case s.info.Duration > 0 && s.info.Duration.Seconds()*float64(den) < maxStep, den <= 1e6:
		return den
	}
	best := 1000000
	for div := 2; den/div >= 100000; div++ {
		if den%div == 0 && den/div <= best {
			return den / div
		}
	}
	return best
}

// takeOut records that a packet has come out. It returns the earliest time of the
// frames still inside, or that of the packet if there are none.
func (e *encoder) takeOut(pts int64) int64 {
	if i := slices.Index(e.inside, pts); i >= 0 {
		e.inside = slices.Delete(e.inside, i, i+1)
	}
	if len(e.inside) == 0 {
		return pts
	}
	return slices.Min(e.inside)
}
