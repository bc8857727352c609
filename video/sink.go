package video

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
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
	// Preset trades speed for size, in the encoder's words; empty is "medium".
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
	pipe                       bool  // the file is written in place
	ioErr                      error // of a write in place
	encoder                    *encoder
	image                      []byte // encoded picture, for an image
	packet                     *astiav.Packet
	held                       *astiav.Packet // the video's latest, while holds
	holds                      bool
	firstDTS, startPTS, endPTS int64         // of the video, in the stream's ticks
	packets                    int64         // of the video
	length                     time.Duration // of the video, once the file is closed
	still                      bool          // the output is an image
	fixedRate                  bool          // the container numbers frames
	shift                      int64         // of all times, in the source\'s ticks
	frames                     atomic.Int64
	lost                       []Loss
	skewed                     bool
	prepared                   bool
	done                       bool
	unchecked                  bool // by tests, which want to see what comes of it

	mu     sync.Mutex // guards the muxer, which both goroutines feed
	output *astiav.FormatContext
	io     *astiav.IOContext
	stream *astiav.Stream
	copies map[int]*copied // by the index in the source
	spare  *astiav.Packet
}

// A Loss is something of the source that the output does not have.
type Loss struct {
	Stream StreamInfo
	Reason string
}

// Initialize checks the output, opens the encoder and writes the header. It
// leaves nothing behind when it fails.
func (s *Sink) Initialize() (err error) {
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

func (s *Sink) openMuxer(c container, of *astiav.OutputFormat) (err error) {
	if s.output, err = astiav.AllocOutputFormatContext(of, c.muxer, "file:"+s.file.Path()); err != nil {
		return fmt.Errorf("opening the container: %w", err)
	}
	s.output.SetStrictStdCompliance(astiav.StrictStdComplianceExperimental)
	if err := s.addVideo(c); err != nil {
		return fmt.Errorf("adding the video stream: %w", err)
	}
	if s.Source != nil {
		if err := s.addCopies(of); err != nil {
			return err
		}
		if err := copyFormatMetadata(s.output, s.Source.input); err != nil {
			return fmt.Errorf("copying metadata: %w", err)
		}
		if err := copyChapters(s.output, s.Source.input); err != nil {
			return fmt.Errorf("copying chapters: %w", err)
		}
	}
	if c.muxer == "mp4" || c.muxer == "mov" {
		// Players leave out what lies before zero, as after the clock of a transport
		// stream has started anew.
		s.shift = max(0, -s.info.StartPTS)
	}
	if err := s.openIO(c); err != nil {
		return err
	}
	s.output.SetPb(s.io)
	options := astiav.NewDictionary()
	defer options.Free()
	for k, v := range s.muxerOptions(c) {
		if err := options.Set(k, v, astiav.NewDictionaryFlags()); err != nil {
			return fmt.Errorf("setting muxer option %s: %w", k, err)
		}
	}
	lines, err := watchErrors(func() error { return s.output.WriteHeader(options) })
	if err != nil {
		return fmt.Errorf("writing the header of %s: %s", s.Path, detail(lines, err))
	}
	if s.Source != nil {
		wanted := make(map[int]bool)
		for i := range s.copies {
			wanted[i] = true
		}
		s.Source.beside.attach(s, wanted)
	}
	return nil
}

func (s *Sink) addVideo(c container) error {
	if s.stream = s.output.NewStream(nil); s.stream == nil {
		return errOutOfMemory
	}
	p := s.stream.CodecParameters()
	if err := p.FromCodecContext(s.encoder.context); err != nil {
		return err
	}
	if s.Source != nil {
		if err := copyPictureSideData(p, s.Source.stream.CodecParameters()); err != nil {
			return err
		}
	}
	switch {
	case c.upright:
		dropParametersMatrix(p)
	case s.info.hasMatrix:
		if err := setParametersMatrix(p, s.info.matrix); err != nil {
			return err
		}
	}
	s.stream.SetTimeBase(s.encoder.base.av())
	s.stream.SetAvgFrameRate(s.info.AverageRate.av())
	s.stream.SetRFrameRate(s.info.RealRate.av())
	s.stream.SetSampleAspectRatio(s.encoder.context.SampleAspectRatio())
	if s.Source == nil {
		return nil
	}
	s.stream.SetID(s.Source.stream.ID())
	return copyStreamMetadata(s.stream, s.Source.stream, true)
}

// muxerOptions sees to it that timestamps survive.
func (s *Sink) muxerOptions(c container) map[string]string {
	o := make(map[string]string)
	// How far one stream may run ahead of another before they are written out
	// of order. Ten seconds bound the memory; where frames are rare it must
	// still be longer than what is between the demuxer and the encoder's end.
	interleave := 10.0
	if r := s.info.Rate(); r.Known() {
		interleave = max(interleave, 150/r.Float())
	}
	o["max_interleave_delta"] = strconv.FormatInt(int64(min(interleave, 600)*1e6), 10)
	switch c.muxer {
	case "mp4", "mov":
		if c.muxer == "mp4" {
			o["movflags"] = "+faststart"
		}
		// Ticks of the source. Small bases are left to the muxer, which takes a
		// power of two times them: exact as well.
		if den := s.encoder.base.Den; den >= 600 {
			o["video_track_timescale"] = strconv.Itoa(den)
		}
		if scale := s.movieTimescale(); scale > 0 {
			o["movie_timescale"] = strconv.Itoa(scale)
		}
		o["write_tmcd"] = "1"
	case "matroska", "webm":
		// Shifting everything because one audio packet lies a few milliseconds
		// before zero would move the pictures.
		o["avoid_negative_ts"] = "disabled"
	case "mpegts":
		o["mpegts_copyts"] = "1"
	}
	return o
}

// movieTimescale returns a unit in which a file of the MP4 family can state
// exactly where its streams start and how long they are, or 0 to leave it at
// the usual millisecond.
func (s *Sink) movieTimescale() int {
	if s.Source == nil {
		return 0
	}
	scale := int64(1)
	for _, st := range s.Source.input.Streams() {
		base := fromAV(st.TimeBase())
		if st.Index() == s.Source.stream.Index() {
			base = s.encoder.base
		} else if s.copies[st.Index()] == nil {
			continue
		}
		if !base.Known() {
			continue
		}
		if scale = lcm(scale, int64(base.Den)); scale > 1<<31-1 {
			return s.encoder.base.Den
		}
	}
	for scale < 1000 {
		scale *= 10
	}
	return int(scale)
}

func lcm(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	if x == 0 {
		return 0
	}
	return a / x * b
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
	base := s.encoder.base
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

// move shifts a packet's times by as much as all others'.
func (s *Sink) move(p *astiav.Packet, base astiav.Rational) {
	if s.shift == 0 {
		return
	}
	ticks := rescale(s.shift, s.info.TimeBase, fromAV(base))
	if p.Pts() != astiav.NoPtsValue {
		p.SetPts(p.Pts() + ticks)
	}
	if p.Dts() != astiav.NoPtsValue {
		p.SetDts(p.Dts() + ticks)
	}
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

// lastDuration makes the film as long as it was. The MP4 family adds up
// durations in decoding order, where the last packet is not the last picture
// once there are B-frames; with a variable rate the sum would come out wrong.
func (s *Sink) lastDuration() {
	switch s.output.OutputFormat().Name() {
	case "mp4", "mov":
		if d := s.firstDTS + s.endPTS - s.startPTS - s.held.Dts(); s.holds && d > 0 {
			s.held.SetDuration(d)
		}
	}
}

// noteSkew reports, once, that a container which only counts frames has moved
// one by more than a millisecond.
func (s *Sink) noteSkew(pts, counted int64) {
	want, got := s.info.TimeBase.Duration(pts), s.encoder.base.Duration(counted)
	if d := want - got; !s.skewed && (d > 1e6 || d < -1e6) {
		s.skewed = true
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Log.Warn("the container numbers its frames; timestamps that do not fit are moved to the nearest", "at", want)
		s.lost = append(s.lost, Loss{StreamInfo{Index: s.info.index, Kind: "video", Codec: s.info.Codec}, "timestamps of a variable rate"})
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
// it fails nothing is left behind, and what had the name before still has it.
func (s *Sink) Commit() error {
	if err := s.Prepare(); err != nil {
		return err
	}
	defer s.Abort() // frees; the file has its name by then, or must go
	return outputError(s.file.Commit())
}

// Finish is Prepare and Commit, for a run with one output.
func (s *Sink) Finish() error { return s.Commit() }

func (s *Sink) closeMuxer() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.length = fromAV(s.stream.TimeBase()).Duration(s.endPTS - max(0, s.startPTS))
	if err := s.output.WriteTrailer(); err != nil {
		return s.writing("the end of ", err)
	}
	err := s.closeIO()
	// Gone, so that a packet of a source that still reads finds no muxer.
	s.output.Free()
	s.output = nil
	if err != nil {
		return fmt.Errorf("closing %s: %w", s.Path, err)
	}
	return nil
}

// Abort stops writing and removes the unfinished file. After Finish, or a
// second time, it does nothing.
func (s *Sink) Abort() {
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
	for _, p := range []*astiav.Packet{s.packet, s.held, s.spare} {
		if p != nil {
			p.Free()
		}
	}
	if s.file != nil {
		s.file.Abort()
	}
}
