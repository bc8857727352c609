package video

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"
)

// DefaultFrames is how many frames may be in flight if Source.Frames is 0: enough for
// each stage of a pipeline to work on one while another waits.
const DefaultFrames = 16

// A Source reads a file: it demuxes, decodes the video, and passes the packets of all
// other streams to a [Sink] in the order of the file. It is used by one goroutine at a
// time.
type Source struct {
	// Path is the file to read.
	Path string
	// Strict turns the first damage into an error instead of counting it.
	Strict bool
	// AllowPlaylists accepts files that name other files of this machine, and opens
	// those: an HLS playlist, an ffconcat script. Hosts that they name are never
	// contacted.
	AllowPlaylists bool
	// Threads is the number of decoding threads; 0 lets FFmpeg choose by the number of
	// processors.
	Threads int
	// Frames is how many frames may be in flight at the same time; 0 means
	// DefaultFrames. [Source.Reserve] makes room for more.
	Frames int
	// Afford, if not nil, is called with a description of the video before its decoder
	// is opened. It returns the resources that may be used, in place of Threads and
	// Frames. If the video is too large it returns an error, which Initialize returns.
	Afford func(Coded) (Means, error)
	// Log receives one warning about damage, and notes about oddities; nil is silent.
	Log *slog.Logger

	info    Info
	demuxer *demuxer
	pipe    atomic.Pointer[pipe]  // the demuxer's, for Interrupt
	input   *astiav.FormatContext // the demuxer's
	stream  *astiav.Stream
	decoder *astiav.CodecContext
	packet  *astiav.Packet
	decoded *astiav.Frame // the decoder's latest frame, valid if ready
	ready   bool
	failed  error // why no frame is ready; returned by the next Read
	drained bool  // the decoder was told that the input has ended
	ended   bool  // Read has returned io.EOF
	closed  bool
	pool    *pool
	coded   Coded // what Afford was called with
	means   Means

	next      int64         // index of the next frame
	grid      *grid         // of an image that is stored as tiles
	firstData *astiav.Frame // side data of the first frame
	views     int           // per frame, in MV-HEVC
	exif      bool          // an image has EXIF

	end      int64 // of the video in ticks, if the container states it
	lastPTS  int64 // of the last frame read, NoPtsValue before the first
	lastSeen int64 // latest pts or dts of the video, to say where something happened

	bases []Rational // time base of each stream

	native astiav.PixelFormat // of the decoder's frames, which may have to be converted

	time  continuity
	order displayOrder

	restarts bool // the container may restart its timestamps

	passthrough passthrough
	damageMu    sync.Mutex // Damage may be called while Read runs
	damage      Damage
	retimed     bool
	convert     graph     // for frames whose size or format differs from the first
	warned      bool      // about a change of size or format
	listener    *listener // collects what FFmpeg logs about this file
	ledger      ledger    // of damage
	extent      extent    // of the packets
	offset      int64     // file offset of the latest packet
}

// Initialize opens the file and decodes up to its first frame, so that every reason why
// the file cannot be processed is known before the work starts.
func (s *Source) Initialize() (err error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := checkInput(s.Path); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := s.decodeFirst(); err != nil {
		return err
	}
	if s.passthrough.overflowed && s.pipe.Load() != nil {
		return &PathError{Path: s.Path, Err: ErrUnreadable,
			Detail: fmt.Sprintf("before its first frame there are %d MB of other streams, and a pipe cannot be read twice", s.passthrough.limit>>20)}
	}
	if s.passthrough.overflowed {
		// Before its first frame the file has more packets of other streams than is
		// worth keeping in memory. On the second pass they go to the sink at once.
		s.closeInput()
		s.passthrough = passthrough{}
		s.damage, s.ledger, s.extent = Damage{}, ledger{}, extent{}
		if err := s.open(); err != nil {
			return err
		}
	}
	s.pool = newPool(s.means.Frames)
	return nil
}

// Info describes the input. It is valid after Initialize.
func (s *Source) Info() Info { return s.info }

// Damage returns the damage found so far. It may be called from any goroutine.
func (s *Source) Damage() Damage {
	s.damageMu.Lock()
	defer s.damageMu.Unlock()
	return s.damage
}

// Begun reports whether frames have been read and more may come. A reader that starts
// now misses the first frames and the packets of other streams before them.
func (s *Source) Begun() bool { return s.next > 0 && !s.ended }

// Reserve makes room for at least the given number of frames in flight. A caller that
// holds back n frames before it releases the first needs n+1. Reserve ignores the limit
// that Afford set.
func (s *Source) Reserve(frames int) {
	if s.pool != nil {
		s.pool.reserve(frames)
	}
}

// Read returns the next frame in display order, and io.EOF after the last. It fails
// with [ErrFramesInUse] if all frames are in flight, because a lone goroutine would
// wait for ever.
func (s *Source) Read(ctx context.Context) (*Frame, error) { return s.readNext(ctx, false) }

// Next is Read for pipelines, where other goroutines release frames: if all frames are
// in flight it waits for one.
func (s *Source) Next(ctx context.Context) (*Frame, error) { return s.readNext(ctx, true) }

// SkipCopies leaves out the packets of sound and other timed streams that end before a
// time. A run that goes on in the middle calls it before the first frame is read, so
// that its outputs begin with the frames that it writes.
func (s *Source) SkipCopies(until time.Duration) {
	s.passthrough.over = func(p *astiav.Packet) bool {
		st := s.input.Streams()[p.StreamIndex()]
		at := p.Pts()
		if at == astiav.NoPtsValue {
			at = p.Dts()
		}
		return at != astiav.NoPtsValue && !attached(st) && s.base(p.StreamIndex()).Duration(at+p.Duration()) < until
	}
}

func (s *Source) readNext(ctx context.Context, wait bool) (*Frame, error) {
	if s.pool == nil || s.closed {
		return nil, fmt.Errorf("reading a frame of %s: the source is not open", s.Path)
	}
	if s.ended {
		return nil, io.EOF
	}
	s.passthrough.begin(s)
	if err := s.countEarly(); err != nil {
		return nil, err
	}
	// A caller that holds all frames back until the end has to see the end although no
	// frame is free.
	if last, err := s.atLast(); last || err != nil {
		s.ended = last
		return nil, cmp.Or(err, io.EOF)
	}
	slot, err := s.pool.get(ctx, wait)
	if err != nil {
		return nil, err
	}
	f, err := s.read(ctx, slot)
	if err != nil {
		s.pool.put(slot)
		if errors.Is(err, io.EOF) {
			s.ended = true
		}
		return nil, err
	}
	return f, nil
}

// atLast reports whether it is known that no frame follows. For a still it first checks
// what the file holds after the image.
func (s *Source) atLast() (bool, error) {
	if !s.info.Still || s.next == 0 {
		return !s.ready && errors.Is(s.failed, io.EOF), nil
	}
	if !s.drained && !attached(s.stream) {
		s.drained = true
		if err := s.atEnd(); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *Source) read(ctx context.Context, slot *slot) (*Frame, error) {
	if !s.ready {
		if s.failed != nil {
			return nil, s.failed
		}
		if err := s.decode(ctx); err != nil {
			return nil, err
		}
	}
	s.ready = false
	f := &Frame{Index: s.next, PTS: s.timestamp(s.decoded), TimeBase: s.info.TimeBase, slot: slot}
	own := frameDuration(s.decoded)
	if err := s.storeDecoded(slot); err != nil {
		return nil, err
	}
	step := int64(0) // ticks since the frame before
	if s.lastPTS != astiav.NoPtsValue {
		step = f.PTS - s.lastPTS
	}
	s.next++
	s.lastPTS = f.PTS

	// The exact duration of a frame is known once the next frame is decoded.
	if !s.info.Still {
		s.failed = s.decode(ctx)
	}
	switch next := frameTimestamp(s.decoded); {
	case s.ready && next != astiav.NoPtsValue && next > f.PTS:
		f.Duration = next - f.PTS
	case !s.ready && s.end > f.PTS && s.end-f.PTS <= 10*max(own, s.frameTicks()):
		f.Duration = s.end - f.PTS
	case own > 0:
		f.Duration = own
	default:
		f.Duration = s.guessDuration(step)
	}
	if err := ctx.Err(); err != nil && errors.Is(s.failed, context.Cause(ctx)) {
		s.failed = nil // the caller cancelled; the file is not at fault
	}
	return f, nil
}

// timestamp returns the frame's pts, increased if necessary: some files have two frames
// at one time, which a container cannot hold.
func (s *Source) timestamp(f *astiav.Frame) int64 {
	pts := frameTimestamp(f)
	first := s.lastPTS == astiav.NoPtsValue
	switch {
	case pts == astiav.NoPtsValue && first:
		return 0
	case pts == astiav.NoPtsValue:
		return s.lastPTS + max(1, s.frameTicks())
	case !first && pts <= s.lastPTS:
		if !s.retimed {
			s.retimed = true
			s.Log.Warn("timestamps do not increase; such frames are put one tick after the one before",
				"at", s.position(pts))
		}
		return s.lastPTS + 1
	}
	return pts
}

// frameTicks returns the usual distance between two frames in ticks, at least 0.
func (s *Source) frameTicks() int64 {
	r, tb := s.info.Rate(), s.info.TimeBase
	if !r.Known() || !tb.Known() {
		return 0
	}
	return int64(float64(tb.Den)*float64(r.Den)/(float64(tb.Num)*float64(r.Num)) + 0.5)
}

// guessDuration returns how long a frame lasts if nothing states it: step, the distance
// from the frame before, if it is much shorter than usual, as FFmpeg does it; else the
// usual distance. A long gap before the last frame does not make that frame last as
// long, but it makes the average longer.
func (s *Source) guessDuration(step int64) int64 {
	usual := s.frameTicks()
	if step > 0 && step < usual/2 {
		return step
	}
	return usual
}

// storeDecoded moves the decoded frame into the slot. If its size or format differs
// from the first frame it is converted, because an encoder cannot change them.
func (s *Source) storeDecoded(slot *slot) error {
	d := s.decoded
	if d.Width() == s.info.Width && d.Height() == s.info.Height && d.PixelFormat() == s.info.format {
		slot.decoded.MoveRef(d)
		return nil
	}
	same := d.Width() == s.info.Width && d.Height() == s.info.Height && d.PixelFormat() == s.native
	if !same && !s.warned {
		s.warned = true
		s.Log.Warn("frames change their size or pixel format; they are converted to those of the first frame",
			"at", s.position(frameTimestamp(d)),
			"from", fmt.Sprintf("%dx%d %s", s.info.Width, s.info.Height, s.info.PixelFormat),
			"to", fmt.Sprintf("%dx%d %s", d.Width(), d.Height(), d.PixelFormat().Name()))
	}
	chain := fmt.Sprintf("scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int,format=%s",
		s.info.Width, s.info.Height, s.info.PixelFormat)
	if err := s.convert.fit(shapeOf(d), chain); err != nil {
		return err
	}
	if err := s.convert.run(d, slot.decoded); err != nil {
		return err
	}
	if err := frameCopyProperties(slot.decoded, d); err != nil {
		return fmt.Errorf("copying a frame's properties: %w", err)
	}
	setFrameColour(slot.decoded, s.info.colour)
	slot.decoded.SetSampleAspectRatio(s.info.SampleAspect.av())
	d.Unref()
	return nil
}

// Close frees everything but the frames in flight, which live until they are released.
func (s *Source) Close() {
	s.closed = true
	s.closeInput()
	if s.firstData != nil {
		s.firstData.Free()
		s.firstData = nil
	}
	s.convert.close()
	s.passthrough.drop()
	if s.pool != nil {
		s.pool.close()
	}
}

func (s *Source) closeInput() {
	if s.decoder != nil {
		s.decoder.Free()
		s.decoder = nil
	}
	s.pipe.Store(nil)
	if s.demuxer != nil {
		s.demuxer.close()
		s.demuxer, s.input = nil, nil
	}
	if s.listener != nil {
		s.listener.close()
		s.listener = nil
	}
	if s.packet != nil {
		s.packet.Free()
		s.packet = nil
	}
	if s.decoded != nil {
		s.decoded.Free()
		s.decoded = nil
	}
	s.stream = nil
	s.ready, s.failed = false, nil
}
