package video

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/asticode/go-astiav"
)

// streamFormats are the containers of outputs whose name does not say one, such as
// standard output.
var streamFormats = map[string]container{
	"matroska":     containers[".mkv"],
	"nut":          containers[".nut"],
	"rawvideo":     bareContainer("rawvideo", nil),
	"yuv4mpegpipe": bareContainer("yuv4mpegpipe", yuv4mpegPixels),
}

// bareContainer describes a container of nothing but uncompressed frames.
func bareContainer(muxer string, pixels []string) container {
	return container{muxer: muxer, encoders: []string{"rawvideo"}, takes: map[astiav.CodecID]bool{astiav.CodecIDRawvideo: true},
		bare: true, pixels: pixels, upright: true, streams: true, fixedRate: true, tags: []string{}}
}

// yuv4mpegPixels lists what YUV4MPEG2 can hold in FFmpeg. TestBareFormats writes and reads
// each.
var yuv4mpegPixels = []string{
	"gray", "gray9le", "gray10le", "gray12le", "gray16le", "yuv411p",
	"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p",
	"yuv420p9le", "yuv422p9le", "yuv444p9le", "yuv420p10le", "yuv422p10le", "yuv444p10le",
	"yuv420p12le", "yuv422p12le", "yuv444p12le", "yuv420p14le", "yuv422p14le", "yuv444p14le",
	"yuv420p16le", "yuv422p16le", "yuv444p16le",
}

// Formats lists what [Sink.Format] can be.
func Formats() []string { return slices.Sorted(maps.Keys(streamFormats)) }

// Bare reports whether a format holds uncompressed frames and nothing else.
func Bare(format string) bool { return streamFormats[format].bare }

// streamContainer returns the container of a format. named is that of the path's
// extension, if known.
func streamContainer(path, format string, named container, known bool) (container, error) {
	c, ok := streamFormats[format]
	switch {
	case !ok:
		return c, &PathError{Path: path, Format: format, Err: ErrUnknownContainer, Detail: format}
	case known && named.muxer != c.muxer:
		return c, &PathError{Path: path, Format: format, Err: ErrFormat, Detail: fmt.Sprintf("%s, not %s", filepath.Ext(path), format)}
	}
	return c, nil
}

// bareRate returns the rate of a format without timestamps. The average of a few frames is
// wrong if an edit list hides one, so that the usual distance counts, unless the rate really
// varies.
func (i Info) bareRate() Rational {
	rate := i.Rate()
	if rate.Known() && i.RealRate.Known() && math.Abs(i.RealRate.Float()/rate.Float()-1) < 0.05 {
		return i.RealRate
	}
	return rate
}

// headless reports whether nothing in the output says what it is, so that it cannot be
// read back.
func (s *Sink) headless() bool { return s.bare && s.Format == "rawvideo" }

// noteLayout says how to read an output that does not say so itself.
func (s *Sink) noteLayout() {
	if s.headless() {
		s.Log.Info("the format has no header; a reader has to be told", "output", s.Path, "size", fmt.Sprintf("%dx%d", s.encoder.w, s.encoder.h),
			"pixel_format", s.encoder.format.Name(), "rate", s.info.bareRate().String())
	}
}

// holders names the formats that can hold a stream which a bare one cannot.
func holders(in *astiav.Stream) string {
	if streamFormats["nut"].refusal(in) == "" {
		return "; matroska and nut can hold it"
	}
	if streamFormats["matroska"].refusal(in) == "" {
		return "; matroska can hold it"
	}
	return ""
}
