package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// checkInput checks a path before FFmpeg opens it, since FFmpeg's error codes say less.
func checkInput(path string) error {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &PathError{Path: path, Err: ErrNotFound}
	case err != nil:
		return &PathError{Path: path, Err: ErrUnreadable, Detail: reason(err)}
	case fi.IsDir():
		return &PathError{Path: path, Err: ErrIsDirectory}
	case fi.Mode().IsRegular() && fi.Size() == 0:
		return &PathError{Path: path, Err: ErrEmpty}
	}
	if fi.Mode().IsRegular() {
		f, err := os.Open(path)
		if err != nil {
			return &PathError{Path: path, Err: ErrUnreadable, Detail: reason(err)}
		}
		f.Close()
	}
	return nil
}

// reason strips the path from an error of the file system, since the message already
// names it.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// textDemuxers are demuxers that FFmpeg chooses by the file name. They make frames out
// of any text.
var textDemuxers = map[string]bool{"tty": true, "bin": true, "xbin": true, "adf": true, "idf": true}

// open opens the file and the decoder, and describes what is known before a frame is
// decoded.
func (s *Source) open() error {
	fail := func(what error, detail string) error {
		return &PathError{Path: s.Path, Err: what, Detail: detail}
	}
	s.lastPTS, s.lastSeen = astiav.NoPtsValue, astiav.NoPtsValue
	s.next, s.drained, s.offset = 0, false, -1
	if s.packet, s.decoded = astiav.AllocPacket(), astiav.AllocFrame(); s.packet == nil || s.decoded == nil {
		return fmt.Errorf("opening the input: %w", errOutOfMemory)
	}
	s.listener = newListener()
	var d *demuxer
	err := s.listen(func() (err error) {
		d, err = openDemuxer(s.Path, s.AllowPlaylists)
		return err
	})
	if err != nil {
		return err
	}
	s.demuxer, s.input = d, d.format
	if s.pipe.Store(d.pipe); d.pipe != nil {
		s.passthrough.limit = maxKeptOfPipe
	}
	lines, err := watchErrors(func() error {
		return s.listen(func() error { return findStreamInfo(s.input, DefaultPixels) })
	})
	if err != nil {
		return fail(ErrNotMedia, detail(lines, err))
	}
	if textDemuxers[s.input.InputFormat().Name()] {
		return fail(ErrNotMedia, "text")
	}
	if err := s.chooseStream(); err != nil {
		return err
	}

	s.keepProbed()
	s.bases, s.time = nil, continuity{}
	s.order = displayOrder{off: !slices.Contains(reorders, s.stream.CodecParameters().CodecID())}
	// In other formats a step back is a guess of the demuxer, or plain damage.
	s.restarts = s.input.InputFormat().Flags().Has(astiav.IOFormatFlagTsDiscont)
	codec := findDecoder(s.stream)
	if codec == nil {
		return fail(ErrUnsupportedCodec, s.stream.CodecParameters().CodecID().Name())
	}
	if s.decoder = astiav.AllocCodecContext(codec); s.decoder == nil {
		return fmt.Errorf("opening the decoder: %w", errOutOfMemory)
	}
	if err := s.decoder.FromCodecParameters(s.stream.CodecParameters()); err != nil {
		return fail(ErrUnsupportedCodec, err.Error())
	}
	coded := codedOf(s.stream, codec, s.still(Info{Container: s.input.InputFormat().Name()}))
	if s.grid != nil {
		coded.Width, coded.Height = s.grid.w, s.grid.h
	}
	if err := s.planMeans(coded); err != nil {
		return err
	}
	if s.grid != nil && int64(s.grid.w)*int64(s.grid.h) > s.means.Pixels {
		return fail(ErrTooLarge, fmt.Sprintf("%dx%d", s.grid.w, s.grid.h))
	}
	s.decoder.SetThreadCount(s.means.Threads)
	showFromAnywhere(s.decoder)
	setPacketTimeBase(s.decoder, s.stream.TimeBase())
	s.listener.to(s.decoder)
	bounds := astiav.NewDictionary()
	defer bounds.Free()
	if err := bounds.Set("max_pixels", strconv.FormatInt(s.means.Pixels, 10), astiav.NewDictionaryFlags()); err != nil {
		return fmt.Errorf("opening the decoder: %w", err)
	}
	lines, err = watchErrors(func() error { return s.decoder.Open(codec, bounds) })
	if err != nil {
		return fail(ErrUnsupportedCodec, codec.Name()+": "+detail(lines, err))
	}
	s.ledger.lag = codecLag(s.decoder)
	return nil
}

// detail makes one line of what FFmpeg logged and returned.
func detail(lines []string, err error) string {
	if len(lines) == 0 {
		return lowerFirst(err.Error())
	}
	return lines[len(lines)-1]
}

// lowerFirst returns s with a lower-case first letter, for use within a sentence.
func lowerFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// chooseStream picks the video stream. The cover of an audio file is used only if there
// is no other video.
func (s *Source) chooseStream() error {
	best, _, err := s.input.FindBestStream(astiav.MediaTypeVideo, -1, -1)
	if err != nil {
		best = nil
	}
	area := func(st *astiav.Stream) int { return st.CodecParameters().Width() * st.CodecParameters().Height() }
	if best == nil || attached(best) {
		var other *astiav.Stream
		for _, st := range s.input.Streams() {
			if st.CodecParameters().MediaType() == astiav.MediaTypeVideo && !attached(st) &&
				(other == nil || area(st) > area(other)) {
				other = st
			}
		}
		if other != nil {
			best = other
		}
	}
	if best == nil {
		return &PathError{Path: s.Path, Err: ErrNoVideo, Detail: s.streamKinds()}
	}
	s.stream = best
	if s.grid = tileGrid(s.input); s.grid != nil {
		s.stream = s.input.Streams()[s.grid.tiles[0].stream]
	}
	return nil
}

func attached(st *astiav.Stream) bool {
	return st.DispositionFlags().Has(astiav.DispositionFlagAttachedPic)
}

// streamKinds lists the streams that the file has instead of video.
func (s *Source) streamKinds() string {
	var k []string
	for _, st := range s.input.Streams() {
		p := st.CodecParameters()
		k = append(k, p.MediaType().String()+" "+p.CodecID().Name())
	}
	if len(k) == 0 {
		return "no streams at all"
	}
	return "only " + strings.Join(k, ", ")
}

// decodeFirst decodes up to the first frame and describes the input by it.
func (s *Source) decodeFirst() error {
	var lines []string
	lines, err := watchErrors(func() error { return s.decode(context.Background()) })
	if size := sizeError(s.Path, lines); size != nil && err != nil {
		return size
	}
	if errors.Is(err, io.EOF) {
		if animatedWebP(s.Path) {
			return &PathError{Path: s.Path, Err: ErrUnsupportedCodec, Detail: "animated WebP"}
		}
		d := ""
		switch {
		case len(s.ledger.early) > 0:
			d = s.ledger.early[0].err.Error()
		case len(lines) > 0:
			d = lines[len(lines)-1]
		}
		return &PathError{Path: s.Path, Err: ErrNoFrame, Detail: d}
	}
	if errors.Is(err, ErrTiles) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	if err := s.describe(); err != nil {
		return err
	}
	return s.planMeansAgain()
}

func (s *Source) describe() error {
	f, p := s.decoded, s.stream.CodecParameters()
	desc, ok := describe(f.PixelFormat())
	if !ok || desc.hardware {
		return &PathError{Path: s.Path, Err: ErrUnsupportedCodec, Detail: "pixel format " + f.PixelFormat().Name()}
	}
	s.native = f.PixelFormat()
	format := s.native
	if !desc.drawable() {
		var err error
		if format, _, err = nearestPixelFormat(drawables, format); err != nil {
			return &PathError{Path: s.Path, Err: ErrUnsupportedCodec, Detail: err.Error()}
		}
		s.Log.Debug("frames are converted to a format that can be drawn on", "from", desc.Name, "to", format.Name())
		desc, _ = describe(format)
	}
	i := Info{
		Path: s.Path, Container: s.input.InputFormat().Name(), Playlist: slices.Contains(playlistFormats, s.input.InputFormat().Name()), Codec: p.CodecID().Name(),
		Width: f.Width(), Height: f.Height(), PixelFormat: desc.Name,
		TimeBase: fromAV(s.stream.TimeBase()), AverageRate: fromAV(s.stream.AvgFrameRate()),
		RealRate: fromAV(s.stream.RFrameRate()), StartPTS: frameTimestamp(f),
		SampleAspect: fromAV(s.input.GuessSampleAspectRatio(s.stream, f)),
		Frames:       s.stream.NbFrames(),
		format:       format, index: s.stream.Index(),
	}
	for _, c := range desc.Components {
		i.BitDepth = max(i.BitDepth, c.Depth)
	}
	if i.StartPTS == astiav.NoPtsValue {
		i.StartPTS = 0
	}
	if !i.SampleAspect.Known() {
		i.SampleAspect = Rational{0, 1}
	}
	i.Interlaced, i.topFirst = frameInterlaced(f)

	i.describeColour(f, p, format != s.native, desc)
	if !i.convertible() {
		return &PathError{Path: s.Path, Err: ErrColours, Detail: i.ColourMatrix}
	}
	s.describeTurn(&i, f)
	i.Timecode = s.timecode()
	s.end = s.describeLength(&i)
	for _, st := range s.input.Streams() {
		if st.Index() == s.stream.Index() || s.grid != nil {
			continue // the other streams are tiles as well, and smaller versions of the same image
		}
		i.Streams = append(i.Streams, streamInfo(st))
	}
	s.info = i
	if s.views = codecViews(s.decoder); severalViews(p) {
		s.views = max(s.views, 2)
	}
	s.exif = s.hasEXIF()
	if err := s.keepSideData(f); err != nil {
		return fmt.Errorf("keeping the side data of the first frame: %w", err)
	}
	return nil
}

// describeColour fills in the colour description of the samples. The frame has
// precedence; the container fills in what the frame leaves open. Converted samples are
// full range.
func (i *Info) describeColour(f *astiav.Frame, p *astiav.CodecParameters, converted bool, desc Layout) {
	i.colour = frameColour(f)
	says := parametersColour(p)
	for _, k := range []struct{ is, says *int }{
		{&i.colour.colourRange, &says.colourRange}, {&i.colour.chroma, &says.chroma},
	} {
		if *k.is == 0 {
			*k.is = *k.says
		}
	}
	const unspecified = 2 // ITU-T H.273, for matrix, primaries and transfer
	for _, k := range []struct{ is, says *int }{
		{&i.colour.matrix, &says.matrix}, {&i.colour.primaries, &says.primaries}, {&i.colour.transfer, &says.transfer},
	} {
		if *k.is == unspecified {
			*k.is = *k.says
		}
	}
	if converted {
		const rgb, full = 0, 2
		i.colour.colourRange = full
		if desc.RGB {
			i.colour.matrix = rgb
		}
	}
	i.ColourMatrix, i.ColourRange = i.colour.matrixName(), i.colour.rangeName()
	i.ColourPrimaries, i.ColourCurve = i.colour.primariesName(), i.colour.transferName()
	i.ChromaLocation = i.colour.chromaName()
}

// describeTurn fills in how a frame is turned to be shown.
func (s *Source) describeTurn(i *Info, f *astiav.Frame) {
	if i.matrix, i.hasMatrix = frameMatrix(f); !i.hasMatrix {
		i.matrix, i.hasMatrix = parametersMatrix(s.stream.CodecParameters())
	}
	if strings.HasPrefix(i.Container, "mov,") && s.still(*i) && !i.hasMatrix {
		if o, ok := heifOrientation(s.Path); ok {
			i.matrix, i.hasMatrix = o.displayMatrix(), true
		}
	}
	if i.hasMatrix {
		var exact bool
		if i.Orientation, exact = orientationOf(i.matrix); !exact {
			s.Log.Warn("the rotation is no multiple of 90 degrees; the nearest one is used")
		}
	}
}

// describeLength fills in the length of the video. end is the end that the container
// states, in ticks; math.MinInt64 if it states none.
func (s *Source) describeLength(i *Info) (end int64) {
	end = math.MinInt64
	if d := s.stream.Duration(); d != astiav.NoPtsValue && d > 0 {
		i.Duration = i.TimeBase.Duration(d)
		if start := s.stream.StartTime(); start != astiav.NoPtsValue && strings.HasPrefix(i.Container, "mov,") {
			end = start + d
		}
	} else if d := s.input.Duration(); d != astiav.NoPtsValue && d > 0 {
		i.Duration = time.Duration(d) * time.Microsecond
	}
	if i.Frames <= 0 && i.Rate().Known() {
		i.Frames = int64(i.Duration.Seconds()*i.Rate().Float() + 0.5)
	}
	i.Still, i.Cover = s.still(*i), attached(s.stream)
	if i.Still {
		i.Frames, i.Duration = 1, 0
	}
	return end
}

func streamInfo(st *astiav.Stream) StreamInfo {
	p := st.CodecParameters()
	si := StreamInfo{Index: st.Index(), Kind: p.MediaType().String(), Codec: p.CodecID().Name()}
	if m := st.Metadata(); m != nil {
		if e := m.Get("language", nil, astiav.NewDictionaryFlags()); e != nil && e.Value() != "und" {
			si.Language = e.Value()
		}
	}
	return si
}

// still reports whether the input is one image: by its demuxer, or by its brand for the
// image formats that are stored as a video of one frame.
func (s *Source) still(i Info) bool {
	switch {
	case attached(s.stream), s.grid != nil:
		return true
	case i.Container == "image2" || i.Container == "ico" || strings.HasSuffix(i.Container, "_pipe"):
		return true
	case s.stream.NbFrames() == 1:
		m := s.input.Metadata()
		if m == nil {
			return false
		}
		if e := m.Get("major_brand", nil, astiav.NewDictionaryFlags()); e != nil {
			switch e.Value() {
			case "avif", "heic", "heix", "mif1":
				return true
			}
		}
	}
	return false
}
