package video

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"
)

// What a picture costs differs by a factor of a thousand between a film for a phone
// and one for a dome, so memory is bounded in bytes and not in frames. FFmpeg does not
// say what a decoder or an encoder will take: the figures here come from how they work
// and are held to what was measured (docs/performance.md), within a quarter.

// Coded is what is known of a video before its decoder is opened.
type Coded struct {
	Codec         string // FFmpeg's name
	Width, Height int
	PixelFormat   string // empty: not known yet
	Rate          Rational
	Still         bool

	references int  // pictures that a decoder keeps to predict others from
	threaded   bool // it decodes several pictures at a time
	format     astiav.PixelFormat
}

// Means are what a [Source] may use.
type Means struct {
	Threads int   // of the decoder; 0 lets FFmpeg choose
	Frames  int   // in flight; 0 means DefaultFrames
	Pixels  int64 // of a picture, should they grow on the way; 0: DefaultPixels
}

// DefaultPixels is how many pixels a picture may have when nobody says: those of 16384
// by 16384. A file of a few bytes can claim any number.
const DefaultPixels = 1 << 28

// Pixels is how many a picture has.
func (c Coded) Pixels() int64 { return int64(c.Width) * int64(c.Height) }

// Picture is how many bytes one takes.
func (c Coded) Picture() int64 {
	planes, _ := c.bytes()
	return planes
}

// bytes returns those of all planes of a picture, and of the first component alone.
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

// Decoder is how many bytes decoding takes on so many threads, the picture that is
// read ahead with it. Pictures that are in flight are not counted, though the decoder
// may be looking at them as well.
func (c Coded) Decoder(threads int) int64 {
	pictures := int64(c.references) + 2
	if c.threaded {
		pictures += int64(max(threads, 1) - 1)
	}
	each := c.Picture()
	if c.references > 0 {
		each += c.Pixels() * 7 / 10 // motion, types and modes of all blocks
	}
	return pictures * each
}

// Threaded tells whether the decoder's memory grows with its threads.
func (c Coded) Threaded() bool { return c.threaded }

// Copies is how many bytes the pictures take that were drawn on, which are copies: the
// one at work, and two that an encoder still looks at.
func (c Coded) Copies() int64 {
	if c.Still {
		return c.Picture()
	}
	return 3 * c.Picture()
}

// references by codec, where they are not few: as many as a stream usually has, the
// ones that wait to be shown in their turn not counted.
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

// afford finds out what may be used for the video, once.
func (s *Source) afford(c Coded) error {
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
	// Decoders count the pixels that they round up to.
	const block = 256
	s.means.Pixels = max(s.means.Pixels, (int64(c.Width)+block)*(int64(c.Height)+block))
	return nil
}

// affordFirst asks again if the first picture is not what the file says. The decoder
// is at work by then, on as many threads as it was given.
func (s *Source) affordFirst() error {
	c := s.coded
	c.Width, c.Height, c.format, c.PixelFormat = s.info.Width, s.info.Height, s.native, s.native.Name()
	if s.Afford == nil || c == s.coded {
		return nil
	}
	threads := s.means.Threads
	s.means = Means{}
	if err := s.afford(c); err != nil {
		return err
	}
	s.means.Threads = threads
	return nil
}

// sizeError finds the line by which FFmpeg refuses a picture for its size: what it returns
// is the same as for any other damage.
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

// An Encoding is what an encoder's memory depends on.
type Encoding struct {
	Encoder   string // FFmpeg's name
	Preset    string
	Threads   int // 0 lets it choose
	Lookahead int // frames that it looks at before it encodes one; 0 lets it choose
}

// PlanEncoding is how a [Sink] of this path, with this encoder (empty: the
// container's usual one), will encode on a machine with so many processors. Its
// Threads and Lookahead are what the encoder chooses by itself; ok is false where no
// encoder would be found.
func PlanEncoding(path, encoder, preset string, still bool, processors int) (e Encoding, ok bool) {
	c, err := containerOf(path, still)
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

// lookaheadOptions says to an encoder how far it shall look ahead, by its own option.
// That of x265 stands among its parameters.
func lookaheadOptions(encoder string, frames int) [][2]string {
	switch encoder {
	case "libx264", "libx264rgb":
		return [][2]string{{"rc-lookahead", strconv.Itoa(frames)}}
	case "libvpx-vp9":
		return [][2]string{{"lag-in-frames", strconv.Itoa(frames)}}
	}
	return nil
}

// LeastLookahead is how far an encoder looks ahead at least: below it the pictures
// themselves would suffer, and not just the size of the file.
const LeastLookahead = 10

// x264Presets are those of x264 whose memory differs.
var x264Presets = map[string]struct{ references, between, lookahead int }{
	"ultrafast": {1, 0, 0}, "superfast": {1, 3, 0}, "veryfast": {1, 3, 10}, "faster": {2, 3, 20}, "fast": {2, 3, 30},
	"medium": {3, 3, 40}, "slow": {5, 3, 50}, "slower": {8, 3, 60}, "veryslow": {16, 8, 60}, "placebo": {16, 16, 60},
}

// Bytes is how many an encoder takes for pictures like those of c.
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
		// A picture to encode comes with one of a quarter of its size in four
		// positions; one that is done with three more of half a pixel between the
		// samples, of every component that is not smaller.
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
		return (45+ahead*3/2)*planes + threads*planes
	case name == "libvpx":
		return 22 * planes
	case name == "ffv1":
		return 36 * planes
	}
	return (4 + 3*threads) * planes
}
