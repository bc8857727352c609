package video

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/structure"
)

// A sign is a way in which damage shows. One broken packet often shows several signs,
// which count as one damage.
type sign uint8

const (
	remarked  sign = 1 << iota // FFmpeg logged it
	refused                    // a call to FFmpeg returned an error
	marked                     // the demuxer marked a packet as corrupt
	concealed                  // the decoder marked a frame as partly concealed
	short                      // the file ends too early
)

// A spot is a packet of the video at which damage was counted, and the signs seen
// there.
type spot struct {
	packet int64
	signs  sign
}

// reordering is how many packets a frame may wait in a decoder for frames that are
// shown earlier.
const reordering = 16

// A ledger counts damage.
type ledger struct {
	sent   int64  // packets of the video sent to the decoder so far
	lag    int64  // of the decoder, see codecLag
	recent []spot // newest last

	// Before the first key frame comes out it is unknown whether missing data was ever
	// there, because a file may start within an open group of pictures. And before the
	// first frame is read it is unknown which streams are copied. Until then findings
	// wait in early.
	started    bool
	open       bool  // the file starts within an open group of pictures
	keyed      bool  // a key packet was seen
	keyTime    int64 // its pts
	refersBack bool  // it refers to earlier frames, see resetsDecoder
	early      []finding

	// Probing reads ahead. What FFmpeg logs meanwhile waits for the packet that it is
	// about.
	ahead   []remark
	counted int // how many of ahead are counted
}

// A finding is damage that is not counted yet.
type finding struct {
	sign     sign
	err      error
	at       time.Duration
	decoding bool // about decoding, which an open start explains
	stream   int
	packet   int64 // the latest packet of the video at that time
}

// maxEarly bounds the findings that wait for the first key frame.
const maxEarly = 64

// reportDamage reports one sign of damage to the video. A strict source returns it as
// an error.
func (s *Source) reportDamage(sg sign, err error) error {
	return s.reportStreamDamage(s.stream.Index(), sg, err)
}

func (s *Source) reportStreamDamage(stream int, sg sign, err error) error {
	return s.countFinding(finding{sg, err, s.position(s.lastSeen), sg == refused || sg == concealed || sg == marked, stream, s.ledger.sent})
}

func (s *Source) countFinding(f finding) error {
	if !s.ledger.started || !s.passthrough.begun {
		if len(s.ledger.early) < maxEarly {
			s.ledger.early = append(s.ledger.early, f)
		}
		return nil
	}
	if f.stream != s.stream.Index() && !s.passthrough.copies(f.stream) {
		return nil // the stream is not copied
	}
	if !s.ledger.isNew(f.sign, f.packet) {
		return nil
	}
	s.damageMu.Lock()
	defer s.damageMu.Unlock()
	s.damage.Count++
	if s.damage.Count == 1 {
		s.damage.First, s.damage.Err = f.at, f.err
		if !s.Strict {
			s.Log.Warn("input is damaged; broken parts are skipped or concealed", "at", f.at, "error", f.err)
		}
	}
	if s.Strict {
		return &DamageError{s.damage}
	}
	return nil
}

// isNew reports whether a sign means damage that was not counted yet.
func (l *ledger) isNew(sg sign, packet int64) bool {
	window := l.lag
	if sg == concealed {
		window += reordering
	}
	for i := range l.recent {
		p := &l.recent[i]
		// Log lines, and marked packets of other streams, may come in any number for
		// one damage. Of the other signs each is one damage.
		many := sg == remarked || sg == short || sg == marked && packet == p.packet
		if packet-p.packet <= window && (many || p.signs&sg == 0) {
			p.signs |= sg
			return false
		}
	}
	if len(l.recent) >= 2*maxEarly {
		l.recent = append(l.recent[:0], l.recent[maxEarly:]...)
	}
	l.recent = append(l.recent, spot{packet, sg})
	return true
}

// packet records a packet of the video. refersBack reports whether a key packet refers
// to earlier frames.
func (l *ledger) packet(p *astiav.Packet, refersBack func(*astiav.Packet) bool) {
	l.sent++
	if l.started {
		return
	}
	switch key, pts := p.Flags().Has(astiav.PacketFlagKey), p.Pts(); {
	case l.keyed:
		// Shown before the key frame, although it follows in the file.
		l.open = l.open || pts != astiav.NoPtsValue && pts < l.keyTime
	case key:
		l.keyed, l.keyTime, l.refersBack = true, math.MinInt64, refersBack(p)
		l.open = l.open || l.refersBack
		if pts != astiav.NoPtsValue {
			l.keyTime = pts
		}
	default:
		l.open = true
	}
}

// frame records a decoded frame. Damage counts from the first frame that is a key frame
// or is shown after one.
func (s *Source) frame(f *astiav.Frame) error {
	l := &s.ledger
	if l.started || !l.keyed && !frameKey(f) {
		return nil
	}
	ts := frameTimestamp(f)
	if ts != astiav.NoPtsValue && ts < l.keyTime {
		return nil
	}
	// Without timestamps, or if the key frame does not replace what is missing, only
	// the frame's own flag is reliable.
	if (l.refersBack || l.keyTime == math.MinInt64) && !frameKey(f) {
		return nil
	}
	l.started = true
	return s.countEarly()
}

// countEarly counts the findings that had to wait until it was known whether they
// matter.
func (s *Source) countEarly() error {
	l := &s.ledger
	if !l.started || !s.passthrough.begun || len(l.early) == 0 {
		return nil
	}
	early := l.early
	l.early = nil
	for _, f := range early {
		if l.open && f.decoding {
			continue
		}
		if err := s.countFinding(f); err != nil {
			return err
		}
	}
	return nil
}

// listen runs a call to FFmpeg and collects what it logs about the file.
func (s *Source) listen(call func() error) error { return s.listener.during(call) }

// countRemarks counts what FFmpeg logged since the last call.
func (s *Source) countRemarks() error {
	l := &s.ledger
	var remarks []remark
	for _, r := range s.listener.take() {
		// Probing may have read this part of the file already.
		if r.pos < 0 || !slices.Contains(l.ahead, r) {
			remarks = append(remarks, r)
		}
	}
	for ; l.counted < len(l.ahead) && l.ahead[l.counted].pos <= s.offset; l.counted++ {
		remarks = append(remarks, l.ahead[l.counted])
	}
	for _, r := range remarks {
		if err := s.countRemark(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) countRemark(r remark) error {
	if r.voice == gapVoice {
		return s.countGap(r)
	}
	// Remarks of demuxers are about the file, wherever it starts.
	decoding := r.voice != demuxerVoice && r.voice != otherVoice
	return s.countFinding(finding{remarked, errors.New(r.text), s.position(s.lastSeen), decoding, s.stream.Index(), s.ledger.sent})
}

// countGap counts a jump of a packet counter. At the joint of two recordings nothing is
// missing.
func (s *Source) countGap(r remark) error {
	var pid int
	if _, err := fmt.Sscanf(r.text, "Continuity check failed for pid %d", &pid); err != nil {
		return nil
	}
	for _, st := range s.input.Streams() {
		if st.ID() != pid {
			continue
		}
		pos := r.pos - structure.PacketTS
		joint, err := false, error(nil)
		if p := s.demuxer.pipe; p != nil {
			joint, err = structure.JointAtWithin(&p.history, p.history.start(), p.history.end, pos, pid)
			joint = joint || err != nil // it can no longer be determined
		} else if joint, err = structure.JointAt(s.Path, pos, pid); err != nil {
			joint = false
		}
		if joint {
			return nil
		}
		err = fmt.Errorf("packets of stream %d are missing", st.Index())
		return s.countFinding(finding{remarked, err, s.position(s.lastSeen), true, st.Index(), s.ledger.sent})
	}
	return nil // a table, which is repeated
}

// keepProbed stores what was logged while the file was opened and probed, in file
// order. Probing uses its own decoders, so their remarks are dropped.
func (s *Source) keepProbed() {
	l := &s.ledger
	for _, r := range s.listener.take() {
		if r.voice == innerVoice || slices.Contains(l.ahead, r) {
			continue
		}
		if r.pos < 0 {
			r.pos = math.MaxInt64
		}
		l.ahead = append(l.ahead, r)
	}
	slices.SortStableFunc(l.ahead, func(a, b remark) int { return cmp.Compare(a.pos, b.pos) })
}

// position returns the time of a timestamp from the start of the video.
func (s *Source) position(ts int64) time.Duration {
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

// atEnd checks, at the end of the file, whether the recording was longer. Several
// demuxers take a truncated file for a complete one.
func (s *Source) atEnd() error {
	if s.interrupted() {
		return nil // the user ended it
	}
	s.offset = math.MaxInt64
	if err := s.countRemarks(); err != nil {
		return err
	}
	if err := readError(s.input); err != nil {
		if err := s.reportDamage(refused, fmt.Errorf("reading: %w", err)); err != nil {
			return err
		}
	}
	switch err := structure.CheckFile(s.Path); {
	case errors.Is(err, structure.ErrUnstated):
		return nil
	case errors.Is(err, structure.ErrBroken):
		if err := s.reportDamage(short, err); err != nil {
			return err
		}
	}
	if err := s.shortfall(); err != nil {
		return s.reportDamage(short, err)
	}
	return nil
}
