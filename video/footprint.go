package video

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"
)

// The size of a frame differs by a factor of a thousand between a phone video and a
// dome projection, so memory is bounded in bytes and not in frames. FFmpeg does not say
// how much memory a decoder or an encoder will need. The figures here follow from how
// they work, and are within a quarter of what was measured (docs/performance.md).

// Coded describes a video before its decoder is opened.
type Coded struct {
	Codec         string // FFmpeg's name
	Width, Height int
	PixelFormat   string // empty: not known yet
	Rate          Rational
	Still         bool

	references int  // frames that a decoder keeps for prediction
	threaded   bool // it decodes several frames at a time
	format     astiav.PixelFormat
}

// Means are the resources that a [Source] may use.
type Means struct {
	Threads int   // of the decoder; 0 lets FFmpeg choose
	Frames  int   // in flight; 0 means DefaultFrames
	Pixels  int64 // of a frame, if frames grow later; 0: DefaultPixels
}

// DefaultPixels is how many pixels a frame may have if no limit is set: 16384 × 16384.
// A file of a few bytes can claim any size.
const DefaultPixels = 1 << 28

// Pixels returns the number of pixels of a frame.
func (c Coded) Pixels() int64 { return int64(c.Width) * int64(c.Height) }

// Picture returns the number of bytes of a frame.
func (c Coded) Picture() int64 {
	planes, _ := c.bytes()
	return planes
}

// In returns the same video with frames in another pixel format.
func (c Coded) In(format string) Coded {
	c.PixelFormat, c.format = format, astiav.FindPixelFormatByName(format)
	return c
}

// bytes returns the number of bytes of all planes of a frame, and of the first
// component alone.
func (c Coded) bytes() (planes, luma int64) {
	d, ok := describe(c.format)
	if !ok || d.hardware || len(d.Components) == 0 {
		return 4 * c.Pixels(), c.Pixels()
	}
	seen := make(map[int]bool)
	for i, k := range d.Components {
		if seen[k.Plane] {
			continue
		}
		seen[k.Plane] = true
		w, h := int64(c.Width), int64(c.Height)
		if !d.RGB && (i == 1 || i == 2) && k.Plane != d.Components[0].Plane {
			w, h = -(-w >> d.ChromaX), -(-h >> d.ChromaY)
		}
		step := int64(k.Step)
		if d.Bitstream {
			step = (step + 7) / 8
		}
		planes += w * h * step
		if i == 0 {
			luma = w * h * step
		}
	}
	return planes, luma
}

// Decoder returns the number of bytes that decoding takes with so many threads,
// including the frame that is read ahead. Frames in flight are not counted, although
// the decoder may refer to them as well.
func (c Coded) Decoder(threads int) int64 {
	frames := int64(c.references) + 2
	if c.threaded {
		frames += int64(max(threads, 1) - 1)
	}
	each := c.Picture()
	if c.references > 0 {
		each += c.Pixels() * 7 / 10 // motion vectors, types and modes of all blocks
	}
	return frames * each
}

// Threaded reports whether the decoder's memory grows with its threads.
func (c Coded) Threaded() bool { return c.threaded }

// Copies returns the number of bytes of the frames that are copied to be drawn on: one
// being drawn, and two that an encoder still holds.
func (c Coded) Copies() int64 {
	if c.Still {
		return c.Picture()
	}
	return 3 * c.Picture()
}

// SideBySide describes the frames of a [SideBySide], for their encoder.
func (c Coded) SideBySide() Coded {
	c.Width *= 2
	return c
}

// references is the usual number of reference frames by codec, for codecs with more
// than a few. Frames that wait for reordering are not included.
var references = map[string]int{"h264": 4, "hevc": 5, "vvc": 5, "av1": 8, "vp9": 8, "vp8": 3, "mpeg4": 2, "mpeg2video": 2, "mpeg1video": 2, "vc1": 2, "wmv3": 2, "h263": 1}

func codedOf(st *astiav.Stream, codec *astiav.Codec, still bool) Coded {
	p := st.CodecParameters()
	c := Coded{Codec: p.CodecID().Name(), Width: p.Width(), Height: p.Height(), Still: still,
		Rate:   Info{AverageRate: fromAV(st.AvgFrameRate()), RealRate: fromAV(st.RFrameRate())}.Rate(),
		format: p.PixelFormat(), threaded: codecThreadsFrames(codec) && !still}
	if d, ok := describe(c.format); ok {
		c.PixelFormat = d.Name
	}
	c.references = references[c.Codec]
	if c.references > 0 {
		c.references += parametersDelay(p)
	}
	if still {
		c.references = 0
	}
	return c
}

// planMeans determines, once, what may be used for the video.
func (s *Source) planMeans(c Coded) error {
	if s.means.Frames > 0 {
		return nil // the file is opened a second time
	}
	s.coded, s.means = c, Means{Threads: s.Threads, Frames: s.Frames}
	if s.Afford != nil {
		var err error
		if s.means, err = s.Afford(c); err != nil {
			return err
		}
	}
	if s.means.Frames <= 0 {
		s.means.Frames = DefaultFrames
	}
	if s.means.Pixels <= 0 {
		s.means.Pixels = DefaultPixels
	}
	// Decoders round the size up and count those pixels as well.
	const block = 256
	s.means.Pixels = max(s.means.Pixels, (int64(c.Width)+block)*(int64(c.Height)+block))
	return nil
}

// planMeansAgain repeats planMeans if the first frame is not what the file says. The
// decoder is running by then, so its number of threads stays.
func (s *Source) planMeansAgain() error {
	c := s.coded
	c.Width, c.Height, c.format, c.PixelFormat = s.info.Width, s.info.Height, s.native, s.native.Name()
	if s.Afford == nil || c == s.coded {
		return nil
	}
	threads := s.means.Threads
	s.means = Means{}
	if err := s.planMeans(c); err != nil {
		return err
	}
	s.means.Threads = threads
	return nil
}

// sizeError finds the log line by which FFmpeg refuses a frame for its size. The
// returned error code is the same as for other damage.
func sizeError(path string, lines []string) error {
	for _, l := range lines {
		if !strings.HasPrefix(l, "Picture size ") {
			continue
		}
		var w, h int64
		if n, _ := fmt.Sscanf(l, "Picture size %dx%d", &w, &h); n == 2 && (w == 0 || h == 0) {
			return &PathError{Path: path, Err: ErrNoPixels, Detail: fmt.Sprintf("%dx%d", w, h)}
		}
		return &PathError{Path: path, Err: ErrTooLarge, Detail: l}
	}
	return nil
}

// An Encoding holds what an encoder's memory depends on.
type Encoding struct {
	Encoder   string // FFmpeg's name
	Preset    string
	Threads   int // 0 means the encoder's choice
	Lookahead int // frames that the encoder looks ahead; 0 means its choice
}

// PlanEncoding returns how a [Sink] with this path, format and encoder (empty: the
// container's default) encodes on a machine with so many processors. Threads and Lookahead are what
// the encoder would choose. ok is false if no encoder is found.
func PlanEncoding(path, format, encoder, preset string, still bool, processors int) (e Encoding, ok bool) {
	c, err := containerOf(path, format, still)
	if err != nil {
		return e, false
	}
	names := c.encoders
	if encoder != "" {
		names = []string{encoder}
	}
	for _, n := range names {
		if astiav.FindEncoderByName(n) != nil {
			e.Encoder, ok = n, true
			break
		}
	}
	if preset == "" {
		preset = "medium"
	}
	e.Preset, e.Threads = preset, min(processors, 16)
	switch e.Encoder {
	case "libx264", "libx264rgb":
		e.Threads, e.Lookahead = min(max(processors*3/2, 1), 128), x264Presets[preset].lookahead
	case "libx265":
		e.Threads, e.Lookahead = min(max(1, processors/4+1), 6), 20
	case "libvpx-vp9":
		e.Lookahead = 25
	case "libvpx":
		e.Threads = 1
	}
	if c.image {
		e.Threads = 1
	}
	return e, ok
}

// lookaheadOptions returns the encoder's option for its lookahead. x265 takes it among
// its parameters instead.
func lookaheadOptions(encoder string, frames int) [][2]string {
	switch encoder {
	case "libx264", "libx264rgb":
		return [][2]string{{"rc-lookahead", strconv.Itoa(frames)}}
	case "libvpx-vp9":
		return [][2]string{{"lag-in-frames", strconv.Itoa(frames)}}
	}
	return nil
}

// LeastLookahead is the shortest lookahead in frames. A shorter one would reduce the
// quality, and not just increase the size of the file.
const LeastLookahead = 10

// x264Presets are the settings of x264's presets that its memory depends on.
var x264Presets = map[string]struct{ references, between, lookahead int }{
	"ultrafast": {1, 0, 0}, "superfast": {1, 3, 0}, "veryfast": {1, 3, 10}, "faster": {2, 3, 20}, "fast": {2, 3, 30},
	"medium": {3, 3, 40}, "slow": {5, 3, 50}, "slower": {8, 3, 60}, "veryslow": {16, 8, 60}, "placebo": {16, 16, 60},
}

// Bytes returns the number of bytes that an encoder takes for frames like those of c.
func (e Encoding) Bytes(c Coded) int64 {
	planes, luma := c.bytes()
	pixels := c.Pixels()
	threads, ahead := int64(max(e.Threads, 1)), int64(e.Lookahead)
	switch name := e.Encoder; {
	case strings.HasPrefix(name, "libx264"):
		p, ok := x264Presets[e.Preset]
		if !ok {
			p = x264Presets["medium"]
		}
		// A frame to encode comes with four versions of half its width and height, each at its own offset.
		// A finished frame has three more planes with half-pixel offsets, for every
		// component that is not subsampled.
		in := planes + luma + pixels*9/10
		out := planes + 3*luma + pixels/2
		if planes >= 3*luma {
			out = 4*planes + pixels/2
		}
		done := int64(max(p.references, 4) + 2)
		if p.references > 8 {
			done *= 2
		}
		if p.lookahead == 0 && p.between == 0 {
			return (1+threads)*in + (2+threads)*out
		}
		return (1+int64(p.between)+ahead+3*(threads-1))*in + (done+threads-1)*out
	case name == "libx265":
		return (40+2*ahead)*planes + 4*threads*planes
	case name == "libvpx-vp9":
		if hasAlpha(c.format) { // a second encoder has frames of the same kind for it
			planes = 2 * (planes - luma)
		}
		return (45+ahead*3/2)*planes + threads*planes
	case name == "libvpx":
		return 22 * planes
	case name == "ffv1":
		return 165*pixels + 6*planes // the buffer of a packet alone has 148 bytes a pixel, in every format
	}
	return (4 + 3*threads) * planes
}
