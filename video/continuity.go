package video

import (
	"time"

	"github.com/asticode/go-astiav"
)

// backwards is how far a stream must fall back to count as starting anew.
// Smaller steps are jitter of a container.
const backwards = time.Second

// A continuity keeps time going where a file starts anew: recordings that were
// joined byte by byte, or a camera that was switched off and on. The same shift
// goes to all streams, in file order, so that sound and picture stay together.
type continuity struct {
	shift  time.Duration
	latest map[int]time.Duration // end of each stream's last packet, shifted
	last   map[int]time.Duration // its time
}

// mend shifts the packet's times; restarted is true where the file starts anew.
func (c *continuity) mend(p *astiav.Packet, base Rational) (restarted bool) {
	ts := p.Dts()
	if ts == astiav.NoPtsValue {
		ts = p.Pts()
	}
	if ts == astiav.NoPtsValue || !base.Known() {
		return false
	}
	if c.last == nil {
		c.last, c.latest = make(map[int]time.Duration), make(map[int]time.Duration)
	}
	i := p.StreamIndex()
	at := base.Duration(ts) + c.shift
	if last, ok := c.last[i]; ok && last-at > backwards {
		// All streams go on after the furthest of them.
		var end time.Duration
		for _, e := range c.latest {
			end = max(end, e)
		}
		c.shift += end - at
		at, restarted = end, true
		clear(c.last)
	}
	c.last[i] = at
	c.latest[i] = max(c.latest[i], at+base.Duration(max(0, p.Duration())))
	if c.shift != 0 {
		ticks := rescale(int64(c.shift), Rational{1, int(time.Second)}, base)
		if p.Dts() != astiav.NoPtsValue {
			p.SetDts(p.Dts() + ticks)
		}
		if p.Pts() != astiav.NoPtsValue {
			p.SetPts(p.Pts() + ticks)
		}
	}
	return restarted
}
