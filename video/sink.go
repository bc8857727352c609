package video

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/carve-video/carve/internal/atomicfile"
)

// A Sink writes a file like the source's: the frames that it is given, with their
// timestamps, and copies of all other streams that the container accepts. Until Commit
// the file has a hidden name. A pipe or a device is written in place, and only in
// containers that need no seeking.
//
// Frames come from one goroutine. Packets of the copied streams come from the goroutine
// that reads the source. Neither waits for the other.
type Sink struct {
	// Path is the file to write. Its extension chooses the container.
	Path string
	// Format is one of [Formats]. It chooses the container of a path whose extension does
	// not, such as a pipe.
	Format string
	// Source provides the frames and the other streams. It is initialized and not yet
	// read from.
	Source *Source
	// Reel provides the frames if they do not come from a file. Then Source is nil, and
	// there are no streams to copy.
	Reel *Reel
	// FrameInfo describes the frames if they are made of those of the source, as by a
	// [MatteMaker]; nil means the source's own.
	FrameInfo *Info
	// VideoOnly leaves out all other streams and chapters. They are not lost then. Tags,
	// the time code and the rotation are kept.
	VideoOnly bool
	// Encoder is FFmpeg's name of the encoder; empty means the container's default.
	Encoder string
	// CRF is the constant rate factor. Smaller is better; 0 means a default.
	CRF int
	// Lossless keeps every sample, if the encoder can.
	Lossless bool
	// Preset trades speed for size, as a preset of x264 or of the encoder itself; empty
	// means "medium".
	Preset string
	// Options are further options of the encoder.
	Options map[string]string
	// Threads is the number of encoding threads; 0 lets FFmpeg choose.
	Threads int
	// Lookahead is how many frames the encoder looks ahead; 0 lets it choose.
	Lookahead int
	// Overwrite replaces an existing file.
	Overwrite bool
	// Protect lists files that the run reads, and folders of such files. They are never
	// replaced. The source's file is always protected.
	Protect []string
	// Log receives warnings about what cannot be kept; nil is silent.
	Log *slog.Logger

	info                       Info
	file                       *atomicfile.File
	undo                       *atomicfile.Undo // undoes Commit
	pipe                       bool             // the file is written in place
	ioErr                      error            // of writing in place
	encoder                    *encoder
	image                      []byte // the encoded image, if the output is one
	packet                     *astiav.Packet
	held                       *astiav.Packet // the video's latest packet, valid if hasHeld
	hasHeld                    bool
	firstDTS, startPTS, endPTS int64 // of the video, in the stream's ticks
	lastDTS                    int64
	packets                    int64         // of the video
	length                     time.Duration // of the video, set when the file is closed
	still                      bool          // the output is an image
	fixedRate                  bool          // the container numbers frames instead of timing them
	bare                       bool          // the container has no timestamps
	starts                     starts        // used if fixedRate
	boundsOffsets              bool          // the container is one of the MP4 family
	quickTime                  bool          // the container is .mov
	shift                      int64         // of all times, in ticks of the source
	frames                     atomic.Int64
	lost                       []Loss
	skewed                     bool
	alphaNoted                 bool // the loss of alpha was reported
	prepared                   bool
	done                       bool
	unchecked                  bool // set by tests that write files which cannot be read

	mu     sync.Mutex // guards the muxer, which both goroutines use
	output *astiav.FormatContext
	io     *astiav.IOContext
	stream *astiav.Stream
	copies map[int]*copied // by index in the source
	// copyErr is the error of a copied packet. The goroutine that encodes returns it.
	copyErr error
	scratch *astiav.Packet
}

// Initialize checks the output, opens the encoder and writes the header. If it fails it
// leaves nothing behind.
func (s *Sink) Initialize() (err error) {
	if s.done || s.file != nil {
		return fmt.Errorf("opening %s: a sink is for one output", s.Path)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.info = s.frameInfo()
	c, err := containerOf(s.Path, s.Format, s.info.Still)
	if err == nil && !s.unchecked {
		err = CheckOutput(s.Path, s.Format, s.Encoder, s.info)
	}
	if err != nil {
		return err
	}
	s.still, s.fixedRate, s.bare = c.image, c.fixedRate, c.bare
	if err := s.createOutput(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.Abort()
		}
	}()
	s.packet, s.scratch, s.held = astiav.AllocPacket(), astiav.AllocPacket(), astiav.AllocPacket()
	if s.packet == nil || s.scratch == nil || s.held == nil {
		return fmt.Errorf("opening the output: %w", errOutOfMemory)
	}
	s.firstDTS, s.startPTS, s.endPTS = astiav.NoPtsValue, math.MaxInt64, math.MinInt64
	s.lastDTS, s.boundsOffsets = astiav.NoPtsValue, c.muxer == "mp4" || c.muxer == "mov"
	s.quickTime = c.muxer == "mov"
	if s.Source != nil {
		for _, l := range s.Source.unreadParts() {
			s.addLoss(l)
		}
	}
	if c.image {
		return s.openEncoder(c, false)
	}
	of := astiav.FindOutputFormat(c.muxer)
	if of == nil {
		return &PathError{Path: s.Path, Err: ErrUnknownContainer, Detail: "this FFmpeg has no muxer " + c.muxer}
	}
	if err := s.openEncoder(c, of.Flags().Has(astiav.IOFormatFlagGlobalheader)); err != nil {
		return err
	}
	s.noteLayout()
	return s.openMuxer(c, of)
}

// frameInfo describes the frames that are to be written.
func (s *Sink) frameInfo() Info {
	switch {
	case s.FrameInfo != nil:
		return *s.FrameInfo
	case s.Reel != nil:
		return s.Reel.Info()
	}
	return s.Source.Info()
}

// Encode writes one frame. The caller still owns the frame and may release it as soon
// as Encode returns.
func (s *Sink) Encode(ctx context.Context, f *Frame) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if s.still && s.frames.Load() > 0 {
		return &PathError{Path: s.Path, Err: ErrStillContainer}
	}
	if err := s.copyError(); err != nil {
		return err
	}
	s.noteAlpha(f.slot.frame())
	if s.bare {
		s.noteSkew(f.PTS, s.frames.Load())
	}
	if err := s.encoder.send(f, s.emit, s.packet); err != nil {
		return fmt.Errorf("frame %d: %w", f.Index, err)
	}
	s.frames.Add(1)
	return nil
}

// emit takes one packet from the encoder.
func (s *Sink) emit(p *astiav.Packet) error {
	if s.still {
		s.image = append(s.image[:0], p.Data()...)
		return nil
	}
	base, first := s.encoder.base, s.encoder.takeOut(p.Pts())
	if t, ok := s.encoder.pop(); ok {
		if s.fixedRate && !s.bare {
			s.noteSkew(t.pts, p.Pts())
		} else if !s.fixedRate {
			p.SetPts(t.pts)
			p.SetDts(t.pts)
			p.SetDuration(t.duration)
			base = s.encoder.source
		}
	}
	if s.bare { // pauses vanish
		p.SetPts(s.packets)
		p.SetDts(s.packets)
	}
	p.RescaleTs(base.av(), s.stream.TimeBase())
	s.shiftTimes(p, s.stream.TimeBase())
	if s.boundsOffsets {
		s.boundOffset(p, rescale(first, base, fromAV(s.stream.TimeBase()))+s.shifted(s.stream.TimeBase()))
	}
	if s.firstDTS == astiav.NoPtsValue {
		s.firstDTS = p.Dts()
	}
	s.startPTS, s.endPTS = min(s.startPTS, p.Pts()), max(s.endPTS, p.Pts()+p.Duration())
	if err := s.writeHeld(); err != nil {
		return err
	}
	s.held.MoveRef(p)
	s.hasHeld = true
	s.packets++
	return nil
}

// writeHeld writes the packet that emit held back. The last packet is held until the
// end, because its duration is known only then: see setLastDuration.
func (s *Sink) writeHeld() error {
	if !s.hasHeld {
		return nil
	}
	s.hasHeld = false
	defer s.held.Unref()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.SetStreamIndex(s.stream.Index())
	if err := s.output.WriteInterleavedFrame(s.held); err != nil {
		return s.writeError("", err)
	}
	return nil
}

// noteSkew reports once that a container which only counts frames has moved one by more
// than a millisecond.
func (s *Sink) noteSkew(pts, counted int64) {
	want, got := s.info.TimeBase.Duration(pts-s.info.StartPTS), s.encoder.base.Duration(counted)
	if d := want - got; !s.skewed && (d > 1e6 || d < -1e6) {
		s.skewed = true
		s.mu.Lock()
		defer s.mu.Unlock()
		what := "the container numbers its frames; timestamps that do not fit are moved to the nearest"
		if s.bare {
			what = "the format has no timestamps; a reader shows its frames at a fixed rate"
		}
		s.Log.Warn(what, "output", s.Path, "at", want)
		s.lost = append(s.lost, Loss{Stream: s.videoInfo(), Part: "timestamps", Reason: "the frame rate is variable, and the container has a fixed one"})
	}
}

// Lost returns what the output lacks of the source. It is complete after Finish.
func (s *Sink) Lost() []Loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := append([]Loss(nil), s.lost...)
	return append(lost, s.lostPackets()...)
}

// Frames returns how many frames the encoder was given so far. It may be called from
// any goroutine.
func (s *Sink) Frames() int64 { return s.frames.Load() }

// Prepare writes the remaining packets and the trailer, and syncs the file to disk, so
// that Commit only has to rename it. The source must not be read meanwhile. If Prepare
// fails it leaves nothing behind.
func (s *Sink) Prepare() (err error) {
	switch {
	case s.done:
		return errors.New("output is closed already")
	case s.prepared:
		return nil
	}
	defer func() {
		if err != nil {
			s.Abort()
		}
	}()
	if s.frames.Load() == 0 {
		return fmt.Errorf("finishing %s: no frame was written", s.Path)
	}
	if err := s.copyError(); err != nil {
		return err
	}
	if err := s.encoder.send(nil, s.emit, s.packet); err != nil {
		return err
	}
	if s.still {
		if _, err := s.file.Write(s.image); err != nil {
			return fmt.Errorf("writing the image: %w", err)
		}
	} else {
		s.setLastDuration()
		if err := s.writeHeld(); err != nil {
			return err
		}
		if err := s.closeMuxer(); err != nil {
			return err
		}
	}
	if !s.unchecked && !s.file.InPlace() && !s.headless() {
		if err := s.readBack(s.file.Path()); err != nil {
			return err
		}
	}
	if err := s.file.Prepare(); err != nil {
		return err
	}
	s.prepared = true
	return nil
}

// Commit calls Prepare if that was not done, and gives the file its name. If it fails
// it leaves nothing behind, and an older file of that name stays. Until Close, Abort
// undoes Commit.
func (s *Sink) Commit() error {
	if err := s.Prepare(); err != nil {
		return err
	}
	defer s.free() // the file either has its name by then, or is removed
	undo, err := s.file.CommitUndoable()
	s.undo = undo
	return outputError(err)
}

// Finish calls Prepare, Commit and Close, for a run with one output.
func (s *Sink) Finish() error {
	if err := s.Commit(); err != nil {
		return err
	}
	s.Close()
	return nil
}

// Close ends the use of the sink. A committed file can no longer be undone; an
// unfinished one is removed.
func (s *Sink) Close() {
	s.undo.Keep()
	s.free()
}

// Abort stops writing and removes the file. A committed file is removed as well, and an
// older file of that name is restored. After Close or Finish, or a second time, Abort
// does nothing.
func (s *Sink) Abort() {
	s.undo.Revert()
	s.free()
}

// free frees what the sink holds, and removes a file that was not committed.
func (s *Sink) free() {
	if s.done {
		return
	}
	s.done = true
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.closeIO() // the file is removed anyway
	if s.output != nil {
		s.output.Free()
		s.output = nil
	}
	if s.encoder != nil {
		s.encoder.close()
	}
	for _, c := range s.copies {
		c.close()
	}
	for _, p := range []*astiav.Packet{s.packet, s.held, s.scratch} {
		if p != nil {
			p.Free()
		}
	}
	if s.file != nil {
		s.file.Abort()
	}
}
