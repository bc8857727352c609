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

// A sign is a way in which damage shows. One broken packet often shows in
// several, and is one damage all the same.
type sign uint8

const (
	remarked  sign = 1 << iota // FFmpeg's log says so
	refused                    // a call of FFmpeg's returned an error
	marked                     // the demuxer marked a packet as corrupt
	concealed                  // the decoder marked a frame as made up in part
	short                      // the file ends too early
)

// A spot is a packet of the video near which damage was counted, and the signs
// of it that were seen.
type spot struct {
	packet int64
	signs  sign
}

// reordering is how many packets a frame may wait in a decoder for those that
// are shown before it.
const reordering = 16

// A ledger keeps count of damage.
type ledger struct {
	sent   int64  // packets of the video so far
	lag    int64  // of the decoder, see codecLag
	recent []spot // newest last

	// Until the first key frame is out nobody knows whether what is missing
	// was ever there: a file may start within an open group of pictures. And
	// until the first frame is asked for nobody knows which streams are copied.
	started bool
	open    bool  // it does
	keyed   bool  // a key packet was there
	keyTime int64 // its pts
	leans   bool  // it refers to what came before, see startsAfresh
	early   []finding

	// What was said while the file was probed, which reads ahead, waits for
	// the packet that it is about.
	ahead []remark
	told  int // so many of them are counted
}

// A finding is damage that is not counted yet.
type finding struct {
	sign    sign
	err     error
	at      time.Duration
	picture bool // it is about decoding, which an open start explains
	stream  int
	packet  int64 // of the video, the latest one then
}

// maxEarly bounds what is kept before the first key frame.
const maxEarly = 64

// damaged takes note of one sign of damage to the video. A strict source returns
// it as an error.
func (s *Source) damaged(sg sign, err error) error { return s.damagedStream(s.stream.Index(), sg, err) }

func (s *Source) damagedStream(stream int, sg sign, err error) error {
	return s.find(finding{sg, err, s.place(s.seen), sg == refused || sg == concealed || sg == marked, stream, s.ledger.sent})
}

func (s *Source) find(f finding) error {
	if !s.ledger.started || !s.beside.begun {
		if len(s.ledger.early) < maxEarly {
			s.ledger.early = append(s.ledger.early, f)
		}
		return nil
	}
	if f.stream != s.stream.Index() && !s.beside.copies(f.stream) {
		return nil // nobody wants it
	}
	if !s.ledger.fresh(f.sign, f.packet) {
		return nil
	}
	s.damageMu.Lock()
	defer s.damageMu.Unlock()
	s.damage.Count++
	if s.damage.Count == 1 {
		s.damage.First, s.damage.Err = f.at, f.err
		if !s.Strict {
			s.Log.Warn("input is damaged; what is broken is skipped or mended", "at", f.at, "error", f.err)
		}
	}
	if s.Strict {
		return &DamageError{s.damage}
	}
	return nil
}

// fresh reports whether a sign tells of damage that was not counted yet.
func (l *ledger) fresh(sg sign, packet int64) bool {
	window := l.lag
	if sg == concealed {
		window += reordering
	}
	for i := range l.recent {
		p := &l.recent[i]
		// Lines of the log come in any number, and so do marked packets of other
		// streams; of the rest each is one.
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

// packet tells the ledger of a packet of the video, and how to know whether a key
// packet leans on what came before.
func (l *ledger) packet(p *astiav.Packet, leans func(*astiav.Packet) bool) {
	l.sent++
	if l.started {
		return
	}
	switch key, pts := p.Flags().Has(astiav.PacketFlagKey), p.Pts(); {
	case l.keyed:
		// Shown before the key frame, though it comes after it.
		l.open = l.open || pts != astiav.NoPtsValue && pts < l.keyTime
	case key:
		l.keyed, l.keyTime, l.leans = true, math.MinInt64, leans(p)
		l.open = l.open || l.leans
		if pts != astiav.NoPtsValue {
			l.keyTime = pts
		}
	default:
		l.open = true
	}
}

// frame tells the ledger of a frame; from the first that is a key frame or
// shown after one damage counts.
func (s *Source) frame(f *astiav.Frame) error {
	l := &s.ledger
	if l.started || !l.keyed && !frameKey(f) {
		return nil
	}
	ts := frameTimestamp(f)
	if ts != astiav.NoPtsValue && ts < l.keyTime {
		return nil
	}
	// Without times, and where the key frame does not make good what is missing,
	// only the frame itself tells.
	if (l.leans || l.keyTime == math.MinInt64) && !frameKey(f) {
		return nil
	}
	l.started = true
	return s.reckon()
}

// reckon counts what was found before it could be known whether it matters.
func (s *Source) reckon() error {
	l := &s.ledger
	if !l.started || !s.beside.begun || len(l.early) == 0 {
		return nil
	}
	early := l.early
	l.early = nil
	for _, f := range early {
		if l.open && f.picture {
			continue
		}
		if err := s.find(f); err != nil {
			return err
		}
	}
	return nil
}

// listen runs a call of FFmpeg and returns its error.
func (s *Source) listen(call func() error) error { return s.heard.during(call) }

// hear counts what FFmpeg said since it was called last.
func (s *Source) hear() error {
	l := &s.ledger
	var remarks []remark
	for _, r := range s.heard.take() {
		// Probing may have read this part of the file before.
		if r.pos < 0 || !slices.Contains(l.ahead, r) {
			remarks = append(remarks, r)
		}
	}
	for ; l.told < len(l.ahead) && l.ahead[l.told].pos <= s.offset; l.told++ {
		remarks = append(remarks, l.ahead[l.told])
	}
	for _, r := range remarks {
		if err := s.remark(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) remark(r remark) error {
	if r.voice == gapVoice {
		return s.gap(r)
	}
	// Demuxers speak of the file, whatever it starts with.
	picture := r.voice != demuxerVoice && r.voice != otherVoice
	return s.find(finding{remarked, errors.New(r.text), s.place(s.seen), picture, s.stream.Index(), s.ledger.sent})
}

// gap takes note of a counter of packets that jumps. Where two recordings were
// joined nothing is missing.
func (s *Source) gap(r remark) error {
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
			joint, err = structure.JointAtWithin(&p.past, p.past.start(), p.past.end, pos, pid)
			joint = joint || err != nil // nobody can tell any more
		} else if joint, err = structure.JointAt(s.Path, pos, pid); err != nil {
			joint = false
		}
		if joint {
			return nil
		}
		err = fmt.Errorf("packets of stream %d are missing", st.Index())
		return s.find(finding{remarked, err, s.place(s.seen), true, st.Index(), s.ledger.sent})
	}
	return nil // a table, which comes again
}

// probed keeps what was said while the file was opened and read ahead, in the
// order of the file. The decoders that probing tries are not those that will
// decode.
func (s *Source) probed() {
	l := &s.ledger
	for _, r := range s.heard.take() {
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

// atEnd looks, at the end of the file, for signs that it is not the end of
// what was recorded. Several demuxers take a cut for a plain end.
func (s *Source) atEnd() error {
	if s.interrupted() {
		return nil // it was the user who cut it off
	}
	s.offset = math.MaxInt64
	if err := s.hear(); err != nil {
		return err
	}
	if err := readError(s.input); err != nil {
		if err := s.damaged(refused, fmt.Errorf("reading: %w", err)); err != nil {
			return err
		}
	}
	switch err := structure.CheckFile(s.Path); {
	case errors.Is(err, structure.ErrUnstated):
		return nil
	case errors.Is(err, structure.ErrBroken):
		if err := s.damaged(short, err); err != nil {
			return err
		}
	}
	if err := s.shortfall(); err != nil {
		return s.damaged(short, err)
	}
	return nil
}
