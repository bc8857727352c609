package video

import (
	"time"

	"github.com/asticode/go-astiav"
)

// backwards is how far a stream must fall back to count as a jump of the file's
// clock. Smaller steps are jitter of a container.
const backwards = time.Second

// A counter is how a format keeps the times of a stream.
type counter struct {
	wrap  time.Duration // what it counts to before it begins anew; 0: it does not
	reach time.Duration // what a stream may leave out without a jump of the clock
}

// counterOf is that of times of so many bits. MPEG's, which has 33, states its
// clock every tenth of a second; other formats may show one picture for long.
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

// overlap is how much of a stream's sound or picture the joint may run into
// before it is moved on.
const overlap = 100 * time.Millisecond

// A clock is one run of a file's times without a jump.
type clock struct {
	shift time.Duration // to be added to what the file says
}

// A pace is how far a stream has come.
type pace struct {
	clock *clock
	wraps time.Duration // to be added because the stream's counter has wrapped around
	at    time.Duration // of the latest packet, shifted
	end   time.Duration // of it
}

// A continuity keeps time going where a file's clock jumps, to either side:
// recordings that were joined byte by byte, a camera that was switched off and
// on, a counter that wraps around. The same shift goes to all streams, so that
// sound and picture stay together; each takes it on where it jumps itself, since
// around the joint packets of both sides may lie in any order.
type continuity struct {
	streams map[int]*pace
	latest  *clock // the one that began last
	before  *clock // and the one before
}

// mend shifts the packet's times, and returns by how much and which way the clock
// jumps, where it does. Only sound and picture, which never pause for long, tell
// that: leads.
func (c *continuity) mend(p *astiav.Packet, base Rational, leads bool, kept counter) (step, shift time.Duration) {
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
		step = c.follow(s, at, kept)
	case leads:
		s = c.join(at, kept)
		c.streams[p.StreamIndex()] = s
	default:
		s = c.nearest(at, kept)
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

// follow finds the clock by which a stream goes on, and returns how far that of
// the file jumps here.
func (c *continuity) follow(s *pace, at time.Duration, kept counter) (step time.Duration) {
	turns := nearestTurns(s.at-(at+s.clock.shift), kept.wrap)
	here := at + s.clock.shift + turns
	if step = here - s.at; -backwards <= step && step <= kept.reach || step > 0 && c.accompanied(s, here, kept.reach) {
		s.wraps = turns // or it is a gap in this stream only
		return 0
	}
	if s.clock != c.latest {
		// Another stream may have jumped before this one.
		turns := nearestTurns(c.now()-(at+c.latest.shift), kept.wrap)
		if here := at + c.latest.shift + turns; apart(here, c.now()) <= kept.reach {
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

// join takes in a stream of sound or picture. One that is far from the others
// has a clock of its own, as another programme of a broadcast does.
func (c *continuity) join(at time.Duration, kept counter) *pace {
	s := c.nearest(at, kept)
	if now := c.now(); len(c.streams) > 0 && apart(s.at, now) > kept.reach {
		s.clock, s.wraps = &clock{shift: now - at}, 0
		s.at = now
	}
	s.end = s.at
	return s
}

// nearest takes the known clock that brings a time nearest to where the streams
// are.
func (c *continuity) nearest(at time.Duration, kept counter) *pace {
	now := c.now()
	best := &pace{}
	for _, k := range []*clock{c.latest, c.before} {
		if k == nil {
			continue
		}
		s := &pace{clock: k}
		if len(c.streams) > 0 {
			s.wraps = nearestTurns(now-(at+k.shift), kept.wrap)
		}
		s.at = at + k.shift + s.wraps
		if best.clock == nil || apart(s.at, now) < apart(best.at, now) {
			best = s
		}
	}
	return best
}

// nearestTurns returns what a counter that counts to wrap must have gone round to
// have made most of a difference.
func nearestTurns(difference, wrap time.Duration) time.Duration {
	if wrap <= 0 {
		return 0
	}
	return difference.Round(wrap)
}

// accompanied reports whether another stream with the clock of s has come to
// that time.
func (c *continuity) accompanied(s *pace, at, reach time.Duration) bool {
	for _, o := range c.streams {
		if o != s && o.clock == s.clock && apart(at, o.at) <= reach {
			return true
		}
	}
	return false
}

// now is the end of what is there: all streams go on after the furthest.
func (c *continuity) now() (end time.Duration) {
	first := true
	for _, s := range c.streams {
		if first || s.end > end {
			first, end = false, s.end
		}
	}
	return end
}

func apart(a, b time.Duration) time.Duration { return (a - b).Abs() }
