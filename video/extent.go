package video

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// An extent is how far the packets of a file go.
type extent struct {
	video, all time.Duration // where the furthest packet ends
	step       time.Duration // the longest distance of two packets of the video that the first one's duration does not tell
	beside     time.Duration // the same of the other streams
	streams    []reached
}

// A reached is the latest packet of one stream.
type reached struct {
	at    time.Duration // when it is decoded
	lasts time.Duration
	begun bool
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
	at := base.Duration(ts)
	e.all = max(e.all, at+lasts)
	step := &e.beside
	if video {
		step = &e.step
		e.video = max(e.video, at+lasts)
	}
	if dts := p.Dts(); dts != astiav.NoPtsValue {
		at = base.Duration(dts)
	}
	for p.StreamIndex() >= len(e.streams) {
		e.streams = append(e.streams, reached{})
	}
	last := &e.streams[p.StreamIndex()]
	if gap := at - last.at; last.begun && gap > 2*last.lasts {
		*step = max(*step, gap)
	}
	*last = reached{at, lasts, true}
}

// shortfall compares the end of the packets with the length that the file
// states. A whole file may be off by two frames or one percent: headers round,
// and a last packet may have no duration.
func (s *Source) shortfall() error {
	if i := s.stream.Index(); s.info.Still || i >= len(s.extent.streams) || !s.extent.streams[i].begun {
		return nil
	} else if s.extent.step == 0 && s.extent.streams[i].lasts == 0 {
		return nil // nothing tells how long a picture lasts
	}
	promised, reached, whole := s.stated()
	slack := max(2*s.info.TimeBase.Duration(s.frameTicks()), 2*s.extent.step, promised/100)
	if whole {
		slack = max(slack, 2*s.extent.beside)
	}
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
// not, and where the packets that this is about end: those of the video or, if
// it is about the whole file, those of all streams.
func (s *Source) stated() (promised, reached time.Duration, whole bool) {
	name, ticks := s.input.InputFormat().Name(), s.stream.Duration()
	switch {
	case !headerDuration(s.input):
		return 0, 0, false
	case strings.HasPrefix(name, "matroska"):
		return s.statedByMatroska()
	case ticks == astiav.NoPtsValue || ticks <= 0:
		return s.statedOfAll(time.Duration(s.input.Duration()) * time.Microsecond)
	case allOnes(ticks):
		return 0, 0, false
	case slices.Contains(wholeLengths, name):
		return s.statedOfAll(s.info.TimeBase.Duration(ticks))
	}
	start := s.stream.StartTime()
	if start == astiav.NoPtsValue {
		start = 0
	}
	return s.info.TimeBase.Duration(start + ticks), s.extent.video, false
}

// wholeLengths are the formats whose demuxers give each stream the length of the
// whole file.
var wholeLengths = []string{"asf", "asf_o", "wtv"}

// statedOfAll takes a length for that of all streams. Some writers measure it from
// zero, others from where the file begins; from zero is never the longer one.
func (s *Source) statedOfAll(length time.Duration) (promised, reached time.Duration, whole bool) {
	if s.beside.discards {
		return 0, 0, false // a stream that was not read may be the longest
	}
	return length, s.extent.all, true
}

// allOnes reports whether a writer that could not go back has left what it put
// where the length belongs.
func allOnes(ticks int64) bool {
	return ticks == math.MaxInt32 || ticks == math.MaxUint32 || ticks == math.MaxInt64
}

// statedByMatroska reads the lengths that a Matroska file states: that of the
// whole, and mostly that of each track in a tag.
func (s *Source) statedByMatroska() (promised, reached time.Duration, whole bool) {
	length := time.Duration(s.input.Duration()) * time.Microsecond
	if m := s.stream.Metadata(); m != nil {
		if e := m.Get("DURATION", nil, astiav.NewDictionaryFlags()); e != nil {
			// A tag that a later tool forgot to change can only be told by this.
			if d, ok := parseClock(e.Value()); ok && d <= length+time.Second {
				return min(d, length), s.extent.video, false
			}
		}
	}
	return s.statedOfAll(length)
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
