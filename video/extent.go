package video

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// An extent is how far the packets of a file reach.
type extent struct {
	video, all time.Duration // end of the furthest packet
	step       time.Duration // longest gap between packets of the video beyond their durations
	otherStep  time.Duration // the same for the other streams
	streams    []reached
}

// A reached holds the latest packet of one stream.
type reached struct {
	at    time.Duration // its decoding time
	lasts time.Duration
	begun bool
}

// extendExtent adds a packet to the extent.
func (s *Source) extendExtent(p *astiav.Packet, video bool) {
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
	step := &e.otherStep
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

// shortfall compares the end of the packets with the length that the file states. A
// complete file may be off by two frames or one percent: headers round, and a last
// packet may have no duration.
func (s *Source) shortfall() error {
	if i := s.stream.Index(); s.info.Still || i >= len(s.extent.streams) || !s.extent.streams[i].begun {
		return nil
	} else if s.extent.step == 0 && s.extent.streams[i].lasts == 0 {
		return nil // the duration of a frame is unknown
	}
	promised, reached, whole := s.stated()
	slack := max(2*s.info.TimeBase.Duration(s.frameTicks()), 2*s.extent.step, promised/100)
	if whole {
		slack = max(slack, 2*s.extent.otherStep)
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

// stated returns where the file says that the video ends, 0 if it does not, and where
// the packets end that this is about: those of the video, or those of all streams if
// the stated length is that of the whole file.
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

// wholeLengths are the formats whose demuxers give each stream the length of the whole
// file.
var wholeLengths = []string{"asf", "asf_o", "wtv"}

// statedOfAll takes a length for that of all streams. Some writers measure it from
// zero, others from the beginning of the content. It is taken as measured from zero,
// which never gives the later end.
func (s *Source) statedOfAll(length time.Duration) (promised, reached time.Duration, whole bool) {
	if s.passthrough.discards {
		return 0, 0, false // a stream that was not read may be the longest
	}
	return length, s.extent.all, true
}

// allOnes reports whether the length is still the placeholder of a writer that could
// not seek back.
func allOnes(ticks int64) bool {
	return ticks == math.MaxInt32 || ticks == math.MaxUint32 || ticks == math.MaxInt64
}

// statedByMatroska reads the lengths that a Matroska file states: that of the whole
// file, and usually that of each track in a tag.
func (s *Source) statedByMatroska() (promised, reached time.Duration, whole bool) {
	length := time.Duration(s.input.Duration()) * time.Microsecond
	if m := s.stream.Metadata(); m != nil {
		if e := m.Get("DURATION", nil, astiav.NewDictionaryFlags()); e != nil {
			// A later tool may have left the tag as it was; then it exceeds the length
			// of the file.
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
