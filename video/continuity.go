package video

import (
	"time"

	"github.com/asticode/go-astiav"
)

// backwards is how far a stream must step back to count as a jump of the file's clock.
// Smaller steps are jitter of a container.
const backwards = time.Second

// A counter describes how a format counts the times of a stream.
type counter struct {
	wrap  time.Duration // the period after which it starts again; 0: never
	reach time.Duration // the longest gap in a stream that is no jump of the clock
}

// counterOf returns the counter of timestamps with that many bits. MPEG, which has 33,
// states its clock every tenth of a second. Other formats may show one frame for long.
func counterOf(bits int, base Rational) counter {
	c := counter{reach: time.Hour}
	if bits == 33 {
		c.reach = 10 * time.Second
	}
	if bits < 60 {
		c.wrap = base.Duration(1 << bits)
	}
	return c
}

// overlap is how far the joint may run into the audio or video of a stream before that
// stream is moved on.
const overlap = 100 * time.Millisecond

// A clock is one run of a file's times without a jump.
type clock struct {
	shift time.Duration // added to the times of the file
}

// A pace is the current position of a stream.
type pace struct {
	clock *clock
	wraps time.Duration // added because the stream's counter has wrapped around
	at    time.Duration // of the latest packet, shifted
	end   time.Duration // end of the latest packet
}

// A continuity makes times continue where a file's clock jumps in either direction:
// recordings that were joined byte by byte, a camera that was switched off and on, a
// counter that wraps around. All streams get the same shift, so that audio and video
// stay in sync. Each stream gets it at its own jump, because around a joint the packets
// of both sides may be in any order.
type continuity struct {
	streams map[int]*pace
	latest  *clock // the one that began last
	before  *clock // the one before it
}

// adjust shifts the packet's times. If the clock jumps here it returns by how much,
// with the sign of the jump. Only audio and video never pause for long and so can
// reveal a jump; leads is true for them.
func (c *continuity) adjust(p *astiav.Packet, base Rational, leads bool, ctr counter) (step, shift time.Duration) {
	ts := p.Dts()
	if ts == astiav.NoPtsValue {
		ts = p.Pts()
	}
	if ts == astiav.NoPtsValue || !base.Known() {
		return 0, 0
	}
	if c.streams == nil {
		c.streams, c.latest = make(map[int]*pace), &clock{}
	}
	at := base.Duration(ts)
	s, known := c.streams[p.StreamIndex()]
	switch {
	case known:
		step = c.follow(s, at, ctr)
	case leads:
		s = c.join(at, ctr)
		c.streams[p.StreamIndex()] = s
	default:
		s = c.nearest(at, ctr)
	}
	shift = s.clock.shift + s.wraps
	s.at = at + shift
	s.end = max(s.end, s.at+base.Duration(max(0, p.Duration())))
	if shift != 0 {
		ticks := rescale(int64(shift), Rational{1, int(time.Second)}, base)
		if p.Dts() != astiav.NoPtsValue {
			p.SetDts(p.Dts() + ticks)
		}
		if p.Pts() != astiav.NoPtsValue {
			p.SetPts(p.Pts() + ticks)
		}
	}
	return step, shift
}

// follow finds the clock with which a stream continues, and returns how far the file's
// clock jumps here.
func (c *continuity) follow(s *pace, at time.Duration, ctr counter) (step time.Duration) {
	turns := nearestTurns(s.at-(at+s.clock.shift), ctr.wrap)
	here := at + s.clock.shift + turns
	if step = here - s.at; -backwards <= step && step <= ctr.reach || step > 0 && c.accompanied(s, here, ctr.reach) {
		s.wraps = turns // no jump, or a gap in this stream only
		return 0
	}
	if s.clock != c.latest {
		// Another stream may have jumped before this one.
		turns := nearestTurns(c.now()-(at+c.latest.shift), ctr.wrap)
		if here := at + c.latest.shift + turns; distance(here, c.now()) <= ctr.reach {
			s.clock, s.wraps = c.latest, turns
			if into := s.end - here; into > overlap {
				c.latest.shift += into
			}
			return 0
		}
	}
	c.before, c.latest = c.latest, &clock{shift: c.now() - at}
	s.clock, s.wraps = c.latest, 0
	return step
}

// join adds a stream of audio or video. If it is far from the others it has its own
// clock, as another programme of a broadcast does.
func (c *continuity) join(at time.Duration, ctr counter) *pace {
	s := c.nearest(at, ctr)
	if now := c.now(); len(c.streams) > 0 && distance(s.at, now) > ctr.reach {
		s.clock, s.wraps = &clock{shift: now - at}, 0
		s.at = now
	}
	s.end = s.at
	return s
}

// nearest chooses the known clock that brings the time nearest to the other streams.
func (c *continuity) nearest(at time.Duration, ctr counter) *pace {
	now := c.now()
	best := &pace{}
	for _, k := range []*clock{c.latest, c.before} {
		if k == nil {
			continue
		}
		s := &pace{clock: k}
		if len(c.streams) > 0 {
			s.wraps = nearestTurns(now-(at+k.shift), ctr.wrap)
		}
		s.at = at + k.shift + s.wraps
		if best.clock == nil || distance(s.at, now) < distance(best.at, now) {
			best = s
		}
	}
	return best
}

// nearestTurns returns the multiple of wrap that is nearest to difference.
func nearestTurns(difference, wrap time.Duration) time.Duration {
	if wrap <= 0 {
		return 0
	}
	return difference.Round(wrap)
}

// accompanied reports whether another stream with the clock of s has reached that time.
func (c *continuity) accompanied(s *pace, at, reach time.Duration) bool {
	for _, o := range c.streams {
		if o != s && o.clock == s.clock && distance(at, o.at) <= reach {
			return true
		}
	}
	return false
}

// now returns the end of the furthest stream. After a jump all streams continue from
// there.
func (c *continuity) now() (end time.Duration) {
	first := true
	for _, s := range c.streams {
		if first || s.end > end {
			first, end = false, s.end
		}
	}
	return end
}

func distance(a, b time.Duration) time.Duration { return (a - b).Abs() }
