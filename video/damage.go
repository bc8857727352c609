package video

import (
	"errors"
	"fmt"
	"time"

	"github.com/asticode/go-astiav"
)

// damaged counts one damage; a strict source returns it as an error.
func (s *Source) damaged(err error) error {
	s.damageMu.Lock()
	defer s.damageMu.Unlock()
	s.damage.Count++
	if s.damage.Count == 1 {
		s.damage.First, s.damage.Err = s.place(s.seen), err
		if !s.Strict {
			s.Log.Warn("input is damaged; what is broken is skipped or mended", "at", s.damage.First, "error", err)
		}
	}
	if s.Strict {
		return &DamageError{s.damage}
	}
	return nil
}

// place says how far into the film a timestamp is.
func (s *Source) place(ts int64) time.Duration {
	if ts == astiav.NoPtsValue || s.stream == nil {
		return 0
	}
	tb := fromAV(s.stream.TimeBase())
	start := s.stream.StartTime()
	if start == astiav.NoPtsValue {
		start = s.info.StartPTS
	}
	return max(0, tb.Duration(ts-start))
}

// reach notes how far the packets of all streams go.
func (s *Source) reach(p *astiav.Packet) {
	ts := p.Pts()
	if ts == astiav.NoPtsValue {
		ts = p.Dts()
	}
	if ts == astiav.NoPtsValue {
		return
	}
	s.furthest = max(s.furthest, s.base(p.StreamIndex()).Duration(ts+max(0, p.Duration())))
}

// shortfall is how much may miss at the end before a file counts as cut off.
// Headers round, and a last packet may have no duration.
const shortfall = time.Second

// atEnd looks, at the end of the file, for signs that it is not the end of
// what was recorded. Several demuxers take a cut for a plain end.
func (s *Source) atEnd() error {
	if err := readError(s.input); err != nil {
		return s.damaged(fmt.Errorf("reading: %w", err))
	}
	if s.info.Still || !headerDuration(s.input) {
		return nil
	}
	promised := time.Duration(s.input.Duration()) * time.Microsecond
	reached := s.furthest
	if start := s.input.StartTime(); start != astiav.NoPtsValue {
		reached -= time.Duration(start) * time.Microsecond
	}
	if s.furthest > 0 && promised-reached > shortfall && s.damage.Count == 0 {
		return s.damaged(errors.New("the file is cut off: it ends at " +
			reached.Round(time.Millisecond).String() + " of " + promised.Round(time.Millisecond).String()))
	}
	return nil
}
