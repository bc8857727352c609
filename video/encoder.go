package video

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// DefaultCRF is the constant rate factor for libx264 if none is given. At 18
// differences from the source are no longer visible, which footage that will be edited
// deserves.
const DefaultCRF = 18

// An encoder turns frames into packets. Its input is the source's frame, or the output
// of graph if the encoder cannot take that frame.
type encoder struct {
	codec   *astiav.Codec
	context *astiav.CodecContext
	format  astiav.PixelFormat
	colour  colour
	chain   string // filters before the encoder; empty: none
	graph   graph
	out     *astiav.Frame // output of graph
	base    Rational      // time base of its input
	w, h    int           // of its frames
	fields  bool          // it encodes fields

	lastPTS int64
	inside  []int64 // pts of the frames inside, in its time base
	pause   int64   // see planTimes
	// times holds pts and duration of the frames inside, in the source's time base, for
	// an encoder whose own time base is too coarse. Such encoders do not reorder.
	times     []span
	source    Rational
	origin    int64 // in source; zero of its own time base
	noReorder bool  // it must encode in presentation order
}

type span struct{ pts, duration int64 }

// findEncoder returns the named encoder, or the first of the container's that this
// FFmpeg has.
func (s *Sink) findEncoder(c container) (*astiav.Codec, error) {
	names := c.encoders
	if s.Encoder != "" {
		names = []string{s.Encoder}
	}
	for i, n := range names {
		codec := astiav.FindEncoderByName(n)
		if codec == nil || codec.ID().MediaType() != astiav.MediaTypeVideo {
			continue
		}
		if i > 0 {
			s.Log.Warn("encoder is missing in this FFmpeg; another one is used", "output", s.Path, "missing", names[0], "used", n)
		}
		return codec, silence(n)
	}
	return nil, &PathError{Path: s.Path, Err: ErrNoEncoder, Detail: strings.Join(names, ", ")}
}

// openEncoder opens the encoder for the frames that s.info describes.
func (s *Sink) openEncoder(c container, globalHeader bool) (err error) {
	info := s.info
	e := &encoder{lastPTS: astiav.NoPtsValue, source: info.TimeBase, out: astiav.AllocFrame()}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.out == nil {
		return fmt.Errorf("opening the encoder: %w", errOutOfMemory)
	}
	if e.codec, err = s.findEncoder(c); err != nil {
		return err
	}
	if err := s.planFormat(e, c); err != nil {
		return err
	}
	cc := astiav.AllocCodecContext(e.codec)
	if cc == nil {
		return fmt.Errorf("opening the encoder: %w", errOutOfMemory)
	}
	e.context = cc
	w, h, aspect := info.Width, info.Height, info.SampleAspect
	if c.upright && info.Orientation.Transpose {
		w, h, aspect = h, w, Rational{aspect.Den, aspect.Num}
	}
	w, h = evenSize(e.codec.Name(), e.format, w, h)
	if !aspect.Known() {
		aspect = Rational{0, 1}
	}
	e.w, e.h = w, h
	cc.SetWidth(w)
	cc.SetHeight(h)
	cc.SetPixelFormat(e.format)
	cc.SetSampleAspectRatio(aspect.av())
	setContextColour(cc, e.colour)
	if rate := info.Rate(); rate.Known() {
		cc.SetFramerate(rate.av())
	}
	e.base = encoderBase(e.codec.Name(), c, info)
	cc.SetTimeBase(e.base.av())
	if s.planTimes(e, c); e.noReorder {
		cc.SetMaxBFrames(0)
	}
	if s.Source != nil && s.Source.firstData != nil && !info.maskOnly {
		if err := setContextLight(cc, s.Source.firstData); err != nil {
			return fmt.Errorf("opening the encoder: %w", err)
		}
	}
	cc.SetThreadCount(s.Threads)
	if s.Threads == 0 && strings.HasPrefix(e.codec.Name(), "libvpx") {
		cc.SetThreadCount(min(16, runtime.NumCPU())) // libvpx does not choose itself
	}
	if c.image {
		cc.SetThreadCount(1)
	}
	flags := astiav.NewCodecContextFlags(keepDurations)
	if globalHeader {
		flags = flags.Add(astiav.CodecContextFlagGlobalHeader)
	}
	if info.Interlaced && !c.image {
		flags = s.codeFields(e, flags, h)
	}
	cc.SetFlags(flags)
	cc.SetStrictStdCompliance(astiav.StrictStdComplianceExperimental)

	if err := e.open(s.encoderOptions(e)); err != nil {
		return err
	}
	s.encoder = e
	return nil
}

// open opens the encoder with private options. An unknown option is an error.
func (e *encoder) open(private [][2]string) error {
	options := astiav.NewDictionary()
	defer options.Free()
	if e.codec.Name() == "libvpx" && hasAlpha(e.format) {
		// Reference-only frames have no alpha.
		private = append([][2]string{{"auto-alt-ref", "0"}}, private...)
	}
	for _, kv := range private {
		if err := options.Set(kv[0], kv[1], astiav.NewDictionaryFlags()); err != nil {
			return fmt.Errorf("setting encoder option %s: %w", kv[0], err)
		}
	}
	lines, err := watchErrors(func() error { return e.context.Open(e.codec, options) })
	if err != nil {
		return fmt.Errorf("opening encoder %s for %dx%d %s: %s", e.codec.Name(), e.w, e.h, e.format.Name(), detail(lines, err))
	}
	if unknown := options.Get("", nil, astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)); unknown != nil {
		return fmt.Errorf("encoder %s has no option %q", e.codec.Name(), unknown.Key())
	}
	return nil
}

// silence stops a library from printing on stderr, past FFmpeg's log. It is for
// libraries that can only be told through their environment.
func silence(encoder string) error {
	if encoder != "libsvtav1" || os.Getenv("SVT_LOG") != "" {
		return nil
	}
	if err := os.Setenv("SVT_LOG", "0"); err != nil { // fatal errors only
		return fmt.Errorf("opening the encoder: %w", err)
	}
	return nil
}

// encoderBase returns the time base of the encoder: that of the source if possible, so
// that no timestamp is rounded.
func encoderBase(name string, c container, info Info) Rational {
	rate := info.Rate()
	if c.bare {
		rate = info.bareRate()
	}
	switch {
	case c.fixedRate && rate.Known():
		return Rational{rate.Den, rate.Num}
	case name == "mpeg4" && info.TimeBase.Den > 65535: // its headers have 16 bits for it
		if rate.Known() && rate.Num <= 65535 {
			return Rational{rate.Den, rate.Num}
		}
		return Rational{1, 1000}
	}
	return info.TimeBase
}

// evenSize returns the size that an encoder needs for w × h: in H.26x a frame can only
// be cropped by whole chroma samples.
func evenSize(encoder string, format astiav.PixelFormat, w, h int) (int, int) {
	switch encoder {
	case "libx264", "libx265", "libopenh264":
		if d, ok := describe(format); ok {
			w += -w & (1<<d.ChromaX - 1)
			h += -h & (1<<d.ChromaY - 1)
		}
	}
	return w, h
}

// planFormat chooses the pixel format and the filters before the encoder.
func (s *Sink) planFormat(e *encoder, c container) error {
	info := s.info
	list := c.formats(e.codec)
	shown := s.shownFormats(e.codec, list)
	if len(shown) > 0 {
		list = shown
	}
	e.format, e.colour = info.format, info.colour
	var chain []string
	if c.upright {
		chain = append(chain, info.Orientation.filters()...)
	}
	if len(list) > 0 && !slices.Contains(list, info.format) {
		best, lossy, err := nearestPixelFormat(list, info.format)
		if err != nil {
			return fmt.Errorf("encoder %s: %w", e.codec.Name(), err)
		}
		e.format = best
		scale := "scale=flags=bicubic+accurate_rnd+full_chroma_int:in_color_matrix=" + info.scaleMatrix()
		from, _ := describe(info.format)
		to, _ := describe(best)
		const bt709, limited, full, rgb = 1, 1, 2, 0 // ITU-T H.273; FFmpeg's ranges
		switch {
		case from.RGB && !to.RGB:
			e.colour.matrix, e.colour.colourRange = bt709, limited
			if strings.HasPrefix(best.Name(), "yuvj") {
				const bt601 = 6 // prescribed by JFIF
				e.colour.matrix, e.colour.colourRange = bt601, full
				const centre = 2 // prescribed as well
				scale += ":out_color_matrix=bt601:out_range=pc" + chromaPlaces("out", to, centre)
			} else {
				e.colour.chroma = chromaLeft
				scale += ":out_color_matrix=bt709:out_range=tv" + chromaPlaces("out", to, chromaLeft)
			}
		case to.RGB:
			e.colour.matrix, e.colour.colourRange, e.colour.chroma = rgb, full, 0
			scale += ":out_range=pc" + chromaPlaces("in", from, info.colour.chroma)
		case strings.HasPrefix(best.Name(), "yuvj"):
			e.colour.colourRange = full
			scale += ":out_range=pc"
		}
		chain = append(chain, scale, "format="+best.Name())
		if len(shown) > 0 {
			s.Log.Warn("RGB is encoded with half the resolution of colours, as players need it; a lossless encoding keeps all of it",
				"output", s.Path, "encoder", e.codec.Name(), "from", info.PixelFormat, "to", best.Name())
		} else if lossy && !(c.image && keepsDepth(to, from)) {
			s.Log.Warn("encoder does not take the pixel format; the nearest is used",
				"output", s.Path, "encoder", e.codec.Name(), "from", info.PixelFormat, "to", best.Name())
		} else {
			s.Log.Debug("pixel format is converted without loss", "from", info.PixelFormat, "to", best.Name())
		}
	}
	w, h := info.Width, info.Height
	if c.upright {
		w, h = info.Orientation.Upright(w, h)
	}
	if ew, eh := evenSize(e.codec.Name(), e.format, w, h); ew != w || eh != h {
		chain = append(chain, fmt.Sprintf("pad=%d:%d:0:0,fillborders=right=%d:bottom=%d:mode=smear", ew, eh, ew-w, eh-h))
		s.Log.Warn("encoder takes even sizes only with this pixel format; the last column or row is doubled",
			"output", s.Path, "encoder", e.codec.Name(), "from", fmt.Sprintf("%dx%d", w, h), "to", fmt.Sprintf("%dx%d", ew, eh))
	}
	e.chain = strings.Join(chain, ",")
	return nil
}

// keepsDepth reports whether a format has at least the depth and the alpha of another.
// Everything else that the format of an image changes, such as the chroma of JPEG, was
// asked for with the extension.
func keepsDepth(format, of Layout) bool {
	depth := func(l Layout) (bits int) {
		for _, c := range l.Components {
			bits = max(bits, c.Depth)
		}
		return bits
	}
	return depth(format) >= depth(of) && (format.Alpha || !of.Alpha)
}

// send gives one frame to the encoder; nil ends the input. emit is called with each
// packet that comes out, in the encoder's time base.
func (e *encoder) send(f *Frame, emit func(*astiav.Packet) error, pkt *astiav.Packet) error {
	var in *astiav.Frame
	if f != nil {
		in = f.slot.frame()
		pts, duration := f.PTS, f.Duration
		if e.base != e.source || e.origin != 0 {
			e.times = append(e.times, span{pts, duration})
			pts, duration = rescale(pts-e.origin, e.source, e.base), rescale(duration, e.source, e.base)
		}
		key := e.pause > 0 && e.lastPTS != astiav.NoPtsValue && pts-e.lastPTS > e.pause
		if e.lastPTS != astiav.NoPtsValue && pts <= e.lastPTS {
			pts = e.lastPTS + 1
		}
		e.lastPTS = pts
		e.inside = append(e.inside, pts)
		if e.chain != "" {
			if err := e.graph.fit(shapeOf(in), e.chain); err != nil {
				return err
			}
			if err := e.graph.run(in, e.out); err != nil {
				return err
			}
			in = e.out
			setFrameColour(in, e.colour)
		}
		frameForEncoder(in, pts, duration)
		if key {
			in.SetPictureType(astiav.PictureTypeI)
		}
	}
	if err := e.context.SendFrame(in); err != nil && !errors.Is(err, astiav.ErrEof) {
		return fmt.Errorf("encoding: %w", err)
	}
	for {
		err := e.context.ReceivePacket(pkt)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
		err = emit(pkt)
		pkt.Unref()
		if err != nil {
			return err
		}
	}
}

// pop returns the times, in the source's time base, of the frame in the next packet; ok
// is false if the encoder itself uses that base.
func (e *encoder) pop() (t span, ok bool) {
	if len(e.times) == 0 {
		return span{}, false
	}
	t = e.times[0]
	e.times = e.times[:copy(e.times, e.times[1:])]
	return t, true
}

func (e *encoder) close() {
	e.graph.close()
	if e.out != nil {
		e.out.Free()
	}
	if e.context != nil {
		e.context.Free()
	}
}
