package video

import (
	"fmt"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// An extent is how far the packets of a file go.
type extent struct {
	video, all time.Duration // where the furthest packet ends
	step       time.Duration // the longest distance of two packets of the video that the first one's duration does not tell
	last       time.Duration // when the last one is decoded
	lasts      time.Duration // and its duration
	begun      bool
}

// reach notes a packet.
func (s *Source) reach(p *astiav.Packet, video bool) {
	ts := p.Pts()
	if ts == astiav.NoPtsValue {
		ts = p.Dts()
	}
	if ts == astiav.NoPtsValue {
		return
	}
	e := &s.extent
	base := s.base(p.StreamIndex())
	lasts := base.Duration(max(0, p.Duration()))
	end := base.Duration(ts) + lasts
	e.all = max(e.all, end)
	if !video {
		return
	}
	e.video = max(e.video, end)
	at := base.Duration(ts)
	if dts := p.Dts(); dts != astiav.NoPtsValue {
		at = base.Duration(dts)
	}
	if gap := at - e.last; e.begun && gap > 2*e.lasts {
		e.step = max(e.step, gap)
	}
	e.last, e.lasts, e.begun = at, lasts, true
}

// shortfall compares the end of the packets with the length that the file
// states. A whole file may be off by two frames or one percent: headers round,
// and a last packet may have no duration.
func (s *Source) shortfall() error {
	if s.info.Still || !s.extent.begun {
		return nil
	}
	promised, reached := s.stated()
	slack := max(2*s.info.TimeBase.Duration(s.frameTicks()), 2*s.extent.step, promised/100)
	if promised <= 0 || promised-reached <= slack {
		return nil
	}
	start := s.stream.TimeBase()
	begin := time.Duration(0)
	if ts := s.stream.StartTime(); ts != astiav.NoPtsValue {
		begin = fromAV(start).Duration(ts)
	}
	round := func(d time.Duration) time.Duration { return max(0, d-begin).Round(time.Millisecond) }
	return fmt.Errorf("the file is cut off: it ends at %v of %v", round(reached), round(promised))
}

// stated returns where the video ends by what the file states, 0 where it does
// not, and where the packets that this is about end.
func (s *Source) stated() (promised, reached time.Duration) {
	tb := s.info.TimeBase
	switch name := s.input.InputFormat().Name(); {
	case strings.HasPrefix(name, "matroska"):
		return s.statedByMatroska()
	case s.stream.Duration() != astiav.NoPtsValue && s.stream.Duration() > 0 && headerDuration(s.input):
		start := s.stream.StartTime()
		if start == astiav.NoPtsValue {
			start = 0
		}
		return tb.Duration(start + s.stream.Duration()), s.extent.video
	case !headerDuration(s.input) || s.beside.discards:
		return 0, 0
	}
	// The length of all streams, from where they begin.
	promised = time.Duration(s.input.Duration()) * time.Microsecond
	if start := s.input.StartTime(); start != astiav.NoPtsValue {
		promised += time.Duration(start) * time.Microsecond
	}
	return promised, s.extent.all
}

// statedByMatroska reads the lengths that a Matroska file states: that of the
// whole, and mostly that of each track in a tag. Some writers measure them from
// zero, others from where the file begins; from zero is never the longer one.
func (s *Source) statedByMatroska() (promised, reached time.Duration) {
	if !headerDuration(s.input) {
		return 0, 0
	}
	whole := time.Duration(s.input.Duration()) * time.Microsecond
	if m := s.stream.Metadata(); m != nil {
		if e := m.Get("DURATION", nil, astiav.NewDictionaryFlags()); e != nil {
			// A tag that a later tool forgot to change can only be told by this.
			if d, ok := parseClock(e.Value()); ok && d <= whole+time.Second {
				return min(d, whole), s.extent.video
			}
		}
	}
	if s.beside.discards {
		return 0, 0 // a stream that was not read may be the longest
	}
	return whole, s.extent.all
}

// parseClock reads "00:00:01.040000000".
func parseClock(text string) (time.Duration, bool) {
	var h, m int
	var sec float64
	if n, err := fmt.Sscanf(text, "%d:%d:%f", &h, &m, &sec); n != 3 || err != nil || h < 0 || m < 0 || sec < 0 || h > 1<<20 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec*float64(time.Second)), true
}
