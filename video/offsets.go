package video

import (
	"math"
	"slices"

	"github.com/asticode/go-astiav"
)

// The MP4 family writes, for each packet, by how much it is shown after it is
// decoded, and how long until the next is decoded. FFmpeg takes a table with a
// larger offset than this for broken and ignores all of it, and muxes no longer
// step than that.
const (
	maxOffset = 1 << 28
	maxStep   = math.MaxInt32
)

// maxPause is what may lie between two pictures of which the second is encoded
// first, with as many more of them as an encoder reorders.
const maxPause = maxOffset / 32

// reorderRoom is more than the pictures an encoder may hold back.
const reorderRoom = 512

// pausesLong reports whether the usual distance of two pictures alone brings an
// encoder that reorders them near to what an offset holds.
func pausesLong(info Info) bool {
	const reordered = 16
	r, tb := info.Rate(), info.TimeBase
	return r.Known() && tb.Known() && reordered*r.Den*tb.Den/r.Num/tb.Num > maxOffset
}

// planTimes settles how the encoder keeps time.
func (s *Sink) planTimes(e *encoder, c container) {
	e.oneOrder = c.fixedRate || e.base != e.source // no place for two: see times
	if c.fixedRate {
		e.origin = s.info.StartPTS // frames are numbered from the first
	}
	if s.boundsOffsets {
		// A frame so long after the one before is made a key frame: nothing before a
		// pause waits for what comes after it.
		if e.pause = maxPause; pausesLong(s.info) {
			e.oneOrder, e.pause = true, 0
		}
	}
}

// bound brings the time at which a packet is decoded near enough to the one at
// which it is shown. After a pause the encoder goes on with times from before it,
// since it counts in pictures. first is when the first of those that it still
// holds is shown, in the same ticks.
func (s *Sink) bound(p *astiav.Packet, first int64) {
	dts := p.Dts()
	if p.Pts()-dts > maxOffset/2 {
		// Those that are still inside must be decoded later, and no later than shown.
		dts = max(dts, min(first, p.Pts())-reorderRoom)
	}
	if s.lastDTS != astiav.NoPtsValue {
		dts = max(dts, s.lastDTS+1)
	}
	s.lastDTS = dts
	p.SetDts(dts)
	p.SetPts(max(p.Pts(), dts))
}

// trackTicks returns how many ticks a second the MP4 family counts for the video:
// the source's, unless a pause could be longer than what a step holds. 0 leaves it
// to the muxer.
func (s *Sink) trackTicks() int {
	den := s.encoder.base.Den
	switch {
	case den < 600:
		return 0 // the muxer takes a power of two times it: exact as well
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

// left takes note that a packet has come out, and returns the first time of those
// that are still inside, or its own where there are none.
func (e *encoder) left(pts int64) int64 {
	if i := slices.Index(e.inside, pts); i >= 0 {
		e.inside = slices.Delete(e.inside, i, i+1)
	}
	if len(e.inside) == 0 {
		return pts
	}
	return slices.Min(e.inside)
}
