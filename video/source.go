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

	"github.com/asticode/go-astiav"
)

// DefaultFrames is how many frames may be in flight when Source.Frames is 0:
// enough for each stage of a pipeline to have one at work and one waiting.
const DefaultFrames = 16

// A Source reads a file: it demuxes, decodes the video, and passes the packets
// of all other streams on to a [Sink] as they lie in the file. It is used by
// one goroutine at a time.
type Source struct {
	// Path is the file to read.
	Path string
	// Strict makes the first damage an error instead of counting it.
	Strict bool
	// AllowPlaylists lets the file be one that names other files of this machine,
	// which are opened then: an HLS playlist, an ffconcat script. Hosts that it
	// names are never called.
	AllowPlaylists bool
	// Threads decode; 0 lets FFmpeg choose by the number of processors.
	Threads int
	// Frames may be in flight at the same time; 0 means DefaultFrames. [Source.Reserve]
	// makes room for more.
	Frames int
	// Afford, if not nil, is told what the video is before its decoder is opened, and
	// says what may be used for it, in place of Threads and Frames. Its error, for a
	// video that is too large, is that of Initialize.
	Afford func(Coded) (Means, error)
	// Log takes one warning for damage and notes about oddities; nil is silent.
	Log *slog.Logger

	info    Info
	demuxer *demuxer
	pipe    atomic.Pointer[pipe]  // the demuxer's, for Interrupt
	input   *astiav.FormatContext // the demuxer's
	stream  *astiav.Stream
	decoder *astiav.CodecContext
	packet  *astiav.Packet
	decoded *astiav.Frame // what the decoder gave last, when ready
	ready   bool
	failed  error // why there is none, to be told when it is asked for
	drained bool  // the decoder knows that there is no more
	ended   bool  // Read has returned io.EOF
	closed  bool
	pool    *pool
	coded   Coded // what Afford was told
	means   Means

	next  int64         // index
	grid  *grid         // of a picture that is stored in tiles
	head  *astiav.Frame // what goes with the first picture
	views int           // of each moment, in MV-HEVC
	exif  bool          // an image has it

	end     int64 // of the video, where the container states it in ticks
	lastPTS int64 // of the last frame read, NoPtsValue before the first
	seen    int64 // latest pts or dts of the video, for naming places

	bases []Rational // time base of each stream

	native astiav.PixelFormat // the decoder's; the frames' too, unless it cannot be drawn on

	time  continuity
	order displayOrder

	restarts bool // the container may start its times anew

	beside   passthrough
	damageMu sync.Mutex // Damage may be asked for while Read runs
	damage   Damage
	retimed  bool
	convert  graph     // for pictures whose shape differs from the first one's
	warned   bool      // about a change of shape
	heard    *listener // of what FFmpeg says about this file
	ledger   ledger    // of damage
	extent   extent    // of the packets
	offset   int64     // in the file, of the latest packet
}

// Initialize opens the file and decodes up to its first frame, so that every
// reason for which nothing could be done is known before work starts.
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
	if err := s.first(); err != nil {
		return err
	}
	if s.beside.overflowed && s.pipe.Load() != nil {
		return &PathError{Path: s.Path, Err: ErrUnreadable,
			Detail: fmt.Sprintf("before its first picture there are %d MB of other streams, and a pipe cannot be read twice", s.beside.limit>>20)}
	}
	if s.beside.overflowed {
		// The file starts with more of its other streams than is worth keeping
		// in memory; the second reading will find the sink in place.
		s.closeInput()
		s.beside = passthrough{}
		s.damage, s.ledger, s.extent = Damage{}, ledger{}, extent{}
		if err := s.open(); err != nil {
			return err
		}
	}
	s.pool = newPool(s.means.Frames)
	return nil
}

// Info describes the input, after Initialize.
func (s *Source) Info() Info { return s.info }

// Damage returns what was broken so far. It may be called from any goroutine.
func (s *Source) Damage() Damage {
	s.damageMu.Lock()
	defer s.damageMu.Unlock()
	return s.damage
}

// Begun reports whether frames have been read and more may come. Who reads on from there
// has neither the first ones nor what lies beside them.
func (s *Source) Begun() bool { return s.next > 0 && !s.ended }

// Reserve makes room for at least so many frames in flight: one more than are held
// back before the first of them is released. It does not heed what Afford said.
func (s *Source) Reserve(frames int) {
	if s.pool != nil {
		s.pool.reserve(frames)
	}
}

// Read returns the next frame in display order, and io.EOF after the last. It fails
// with [ErrFramesInUse] when all are in flight: a lone goroutine would wait for ever.
func (s *Source) Read(ctx context.Context) (*Frame, error) { return s.obtain(ctx, false) }

// Next is Read for pipelines, where other goroutines release frames: when all are in
// flight it waits for one.
func (s *Source) Next(ctx context.Context) (*Frame, error) { return s.obtain(ctx, true) }

func (s *Source) obtain(ctx context.Context, wait bool) (*Frame, error) {
	if s.pool == nil || s.closed {
		return nil, fmt.Errorf("reading a frame of %s: the source is not open", s.Path)
	}
	if s.ended {
		return nil, io.EOF
	}
	s.beside.begin(s)
	if err := s.reckon(); err != nil {
		return nil, err
	}
	// A run that holds all frames back until the end must be told of the end while
	// none of them is free.
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

// atLast reports whether it is known that no frame follows. What is behind the
// picture of a still is looked at first.
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
	if err := s.settle(slot); err != nil {
		return nil, err
	}
	step := int64(0) // from the frame before
	if s.lastPTS != astiav.NoPtsValue {
		step = f.PTS - s.lastPTS
	}
	s.next++
	s.lastPTS = f.PTS

	// How long a frame lasts is known for sure once the next is there.
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
		f.Duration = s.likely(step)
	}
	if err := ctx.Err(); err != nil && errors.Is(s.failed, context.Cause(ctx)) {
		s.failed = nil // the caller's doing, not the file's
	}
	return f, nil
}

// timestamp returns the frame's pts, made to increase: a container cannot hold
// two pictures at one time, and some files have such.
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
				"at", s.place(pts))
		}
		return s.lastPTS + 1
	}
	return pts
}

// frameTicks returns the usual distance of two frames in ticks, at least 0.
func (s *Source) frameTicks() int64 {
	r, tb := s.info.Rate(), s.info.TimeBase
	if !r.Known() || !tb.Known() {
		return 0
	}
	return int64(float64(tb.Den)*float64(r.Den)/(float64(tb.Num)*float64(r.Num)) + 0.5)
}

// likely is how long a frame lasts of which nothing says so: as long as the one before it,
// which FFmpeg takes, where that is much less than usual. A gap before the last frame does
// not make that one last as long, but it makes the average long.
func (s *Source) likely(step int64) int64 {
	usual := s.frameTicks()
	if step > 0 && step < usual/2 {
		return step
	}
	return usual
}

// settle moves the decoded picture into the slot, brought to the shape of the
// first one where it differs: an encoder cannot change horses.
func (s *Source) settle(slot *slot) error {
	d := s.decoded
	if d.Width() == s.info.Width && d.Height() == s.info.Height && d.PixelFormat() == s.info.format {
		slot.decoded.MoveRef(d)
		return nil
	}
	same := d.Width() == s.info.Width && d.Height() == s.info.Height && d.PixelFormat() == s.native
	if !same && !s.warned {
		s.warned = true
		s.Log.Warn("the picture changes its size or pixel format; it is converted to the first one's",
			"at", s.place(frameTimestamp(d)),
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
		return fmt.Errorf("copying a picture's properties: %w", err)
	}
	setFrameColour(slot.decoded, s.info.colour)
	slot.decoded.SetSampleAspectRatio(s.info.SampleAspect.av())
	d.Unref()
	return nil
}

// Close frees everything but the frames in flight, which live until they are
// released.
func (s *Source) Close() {
	s.closed = true
	s.closeInput()
	if s.head != nil {
		s.head.Free()
		s.head = nil
	}
	s.convert.close()
	s.beside.drop()
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
	if s.heard != nil {
		s.heard.close()
		s.heard = nil
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
