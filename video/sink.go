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

// A Sink writes a file like its source's: the frames it is given, with their
// timestamps, and copies of all other streams that the container takes. Until
// Commit the file has another, hidden name. A pipe or a device has no other name:
// it is written in place, in containers that need not go back.
//
// Frames come from one goroutine; the packets of the copied streams come from
// the goroutine that reads the source. Neither waits for the other.
type Sink struct {
	// Path is the file to write; its extension names the container.
	Path string
	// Source is where the frames and the other streams come from. It is
	// initialized and not yet read from.
	Source *Source
	// Reel is where the frames come from if they come from no file; there is no
	// Source then, and nothing to copy.
	Reel *Reel
	// Encoder is FFmpeg's name for it; empty takes the container's usual one.
	Encoder string
	// CRF is the quality, smaller is better; 0 takes a default.
	CRF int
	// Lossless keeps every sample, where the encoder can.
	Lossless bool
	// Preset trades speed for size, in the words of x264 or the encoder's own; empty is
	// "medium".
	Preset string
	// Options are further options of the encoder.
	Options map[string]string
	// Threads encode; 0 lets FFmpeg choose.
	Threads int
	// Lookahead is how many frames the encoder looks at before it encodes one; 0 lets it
	// choose.
	Lookahead int
	// Overwrite replaces a file that exists.
	Overwrite bool
	// Protect names what else the run reads: files, and folders whose files, that
	// are never replaced. The source's file is protected without being named.
	Protect []string
	// Log takes warnings about what cannot be kept; nil is silent.
	Log *slog.Logger

	info                       Info
	file                       *atomicfile.File
	undo                       *atomicfile.Undo // of Commit
	pipe                       bool             // the file is written in place
	ioErr                      error            // of a write in place
	encoder                    *encoder
	image                      []byte // encoded picture, for an image
	packet                     *astiav.Packet
	held                       *astiav.Packet // the video's latest, while holds
	holds                      bool
	firstDTS, startPTS, endPTS int64 // of the video, in the stream's ticks
	lastDTS                    int64
	packets                    int64         // of the video
	length                     time.Duration // of the video, once the file is closed
	still                      bool          // the output is an image
	fixedRate                  bool          // the container numbers frames
	starts                     starts        // where it does
	boundsOffsets              bool          // the container is one of the MP4 family
	shift                      int64         // of all times, in the source\'s ticks
	frames                     atomic.Int64
	lost                       []Loss
	skewed                     bool
	alphaTold                  bool // alpha was lost, and that was said
	prepared                   bool
	done                       bool
	unchecked                  bool // by tests, which want to see what comes of it

	mu     sync.Mutex // guards the muxer, which both goroutines feed
	output *astiav.FormatContext
	io     *astiav.IOContext
	stream *astiav.Stream
	copies map[int]*copied // by the index in the source
	// copyErr is what went wrong with a packet of one of them, to be told to the
	// goroutine that encodes.
	copyErr error
	spare   *astiav.Packet
}

// Initialize checks the output, opens the encoder and writes the header. It
// leaves nothing behind when it fails.
func (s *Sink) Initialize() (err error) {
	if s.done || s.file != nil {
		return fmt.Errorf("opening %s: a sink is for one output", s.Path)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Reel != nil {
		s.info = s.Reel.Info()
	} else {
		s.info = s.Source.Info()
	}
	c, err := containerOf(s.Path, s.info.Still)
	if err == nil && !s.unchecked {
		err = CheckOutput(s.Path, s.Encoder, s.info)
	}
	if err != nil {
		return err
	}
	s.still, s.fixedRate = c.image, c.fixedRate
	if err := s.createOutput(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.Abort()
		}
	}()
	s.packet, s.spare, s.held = astiav.AllocPacket(), astiav.AllocPacket(), astiav.AllocPacket()
	if s.packet == nil || s.spare == nil || s.held == nil {
		return fmt.Errorf("opening the output: %w", errOutOfMemory)
	}
	s.firstDTS, s.startPTS, s.endPTS = astiav.NoPtsValue, math.MaxInt64, math.MinInt64
	s.lastDTS, s.boundsOffsets = astiav.NoPtsValue, c.muxer == "mp4" || c.muxer == "mov"
	if s.Source != nil {
		for _, l := range s.Source.unread() {
			s.lose(l)
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
	return s.openMuxer(c, of)
}

// Encode writes one frame. The frame stays the caller's, who may release it as
// soon as Encode returns.
func (s *Sink) Encode(ctx context.Context, f *Frame) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if s.still && s.frames.Load() > 0 {
		return &PathError{Path: s.Path, Err: ErrStillContainer}
	}
	if err := s.copying(); err != nil {
		return err
	}
	s.noteAlpha(f.slot.picture())
	if err := s.encoder.send(f, s.emit, s.packet); err != nil {
		return fmt.Errorf("frame %d: %w", f.Index, err)
	}
	s.frames.Add(1)
	return nil
}

// emit takes one packet of the encoder.
func (s *Sink) emit(p *astiav.Packet) error {
	if s.still {
		s.image = append(s.image[:0], p.Data()...)
		return nil
	}
	base, first := s.encoder.base, s.encoder.left(p.Pts())
	if t, ok := s.encoder.pop(); ok {
		if s.fixedRate {
			s.noteSkew(t.pts, p.Pts())
		} else {
			p.SetPts(t.pts)
			p.SetDts(t.pts)
			p.SetDuration(t.duration)
			base = s.encoder.source
		}
	}
	p.RescaleTs(base.av(), s.stream.TimeBase())
	s.move(p, s.stream.TimeBase())
	if s.boundsOffsets {
		s.bound(p, rescale(first, base, fromAV(s.stream.TimeBase()))+s.shifted(s.stream.TimeBase()))
	}
	if s.firstDTS == astiav.NoPtsValue {
		s.firstDTS = p.Dts()
	}
	s.startPTS, s.endPTS = min(s.startPTS, p.Pts()), max(s.endPTS, p.Pts()+p.Duration())
	if err := s.writeHeld(); err != nil {
		return err
	}
	s.held.MoveRef(p)
	s.holds = true
	s.packets++
	return nil
}

// writeHeld writes the packet that emit kept back. The last one is kept until
// the end because only then is its duration known: see lastDuration.
func (s *Sink) writeHeld() error {
	if !s.holds {
		return nil
	}
	s.holds = false
	defer s.held.Unref()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.SetStreamIndex(s.stream.Index())
	if err := s.output.WriteInterleavedFrame(s.held); err != nil {
		return s.writing("", err)
	}
	return nil
}

// noteSkew reports, once, that a container which only counts frames has moved
// one by more than a millisecond.
func (s *Sink) noteSkew(pts, counted int64) {
	want, got := s.info.TimeBase.Duration(pts-s.info.StartPTS), s.encoder.base.Duration(counted)
	if d := want - got; !s.skewed && (d > 1e6 || d < -1e6) {
		s.skewed = true
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Log.Warn("the container numbers its frames; timestamps that do not fit are moved to the nearest", "at", want)
		s.lost = append(s.lost, Loss{Stream: s.videoInfo(), Part: "timestamps", Reason: "they are of a variable rate"})
	}
}

// Lost returns what of the source is missing in the output. It is complete
// after Finish.
func (s *Sink) Lost() []Loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := append([]Loss(nil), s.lost...)
	return append(lost, s.lostPackets()...)
}

// Frames returns how many frames were given to the encoder so far. It may be
// called from any goroutine.
func (s *Sink) Frames() int64 { return s.frames.Load() }

// Prepare writes what the encoder still holds and the trailer, and brings the
// file to the disk. After it, Commit has only a name left to give. The source must
// not be read from meanwhile. When it fails nothing is left behind.
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
	if err := s.copying(); err != nil {
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
		s.lastDuration()
		if err := s.writeHeld(); err != nil {
			return err
		}
		if err := s.closeMuxer(); err != nil {
			return err
		}
	}
	if !s.unchecked && !s.file.InPlace() {
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

// Commit prepares the file if that is not done yet, and gives it its name. When
// it fails nothing is left behind, and what had the name before still has it. Until
// Close, Abort takes it back.
func (s *Sink) Commit() error {
	if err := s.Prepare(); err != nil {
		return err
	}
	defer s.free() // the file has its name by then, or must go
	undo, err := s.file.CommitUndoable()
	s.undo = undo
	return outputError(err)
}

// Finish is Prepare, Commit and Close, for a run with one output.
func (s *Sink) Finish() error {
	if err := s.Commit(); err != nil {
		return err
	}
	s.Close()
	return nil
}

// Close ends the use of the sink. A file that has its name keeps it for good; what is
// not finished is removed.
func (s *Sink) Close() {
	s.undo.Keep()
	s.free()
}

// Abort stops writing and removes the file, also one that has its name already: then
// what had the name before has it again. After Close or Finish, or a second time, it
// does nothing.
func (s *Sink) Abort() {
	s.undo.Revert()
	s.free()
}

// free gives back what the sink holds, and removes a file without a name.
func (s *Sink) free() {
	if s.done {
		return
	}
	s.done = true
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.closeIO() // the file goes anyway
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
	for _, p := range []*astiav.Packet{s.packet, s.held, s.spare} {
		if p != nil {
			p.Free()
		}
	}
	if s.file != nil {
		s.file.Abort()
	}
}
