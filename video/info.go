package video

import (
	"time"

	"github.com/asticode/go-astiav"
)

// Info describes an opened input. Names are those of FFmpeg, as ffprobe prints them.
type Info struct {
	Path      string
	Container string // FFmpeg's name of the demuxer
	Playlist  bool   // the file names other files, and they are read
	Codec     string

	Width, Height int    // coded size of a frame, before rotation
	PixelFormat   string // such as "yuv420p10le"
	BitDepth      int    // of one component

	TimeBase    Rational // of all timestamps
	AverageRate Rational // average frames per second, as the container states it
	RealRate    Rational // lowest rate that can represent all timestamps, a guess
	StartPTS    int64    // of the first frame

	SampleAspect                                            Rational // of a coded pixel; Den 0: unknown
	ColourMatrix, ColourRange, ColourPrimaries, ColourCurve string
	ChromaLocation                                          string
	Orientation                                             Orientation
	Interlaced                                              bool

	// Timecode is the time code of the first frame as FFmpeg writes it, hh:mm:ss:ff, or
	// hh:mm:ss;ff if it drops frames. It is empty if the file has none.
	Timecode string

	Duration time.Duration // 0: unknown
	Frames   int64         // estimate, 0: unknown
	// Still is true for a single image: there is one frame, and the output is an image
	// as well.
	Still bool

	// Cover is true for the cover of an audio file, which is a still as well.
	Cover bool

	// Streams are the other streams of the file, which are copied.
	Streams []StreamInfo

	format              astiav.PixelFormat
	colour              colour
	matrix              [9]int32 // display matrix, when hasMatrix
	hasMatrix, topFirst bool
	index               int // of the video stream

	maskOnly  bool   // the frames show a mask, and nothing of the source
	alphaMode string // Straight or Premultiplied, if that is known
}

// StreamInfo describes a stream other than the video.
type StreamInfo struct {
	Index    int
	Kind     string // "audio", "subtitle", "video", "data", "attachment"
	Codec    string
	Language string // possibly empty
}

// Rate returns the frame rate to use: the average rate, or else RealRate.
func (i Info) Rate() Rational {
	if i.AverageRate.Known() {
		return i.AverageRate
	}
	return i.RealRate
}

// scaleMatrix names the colour matrix of the frames for the scale filter. If the file
// does not say, players assume BT.709 for high definition and BT.601 below; FFmpeg
// would always assume BT.601.
func (i Info) scaleMatrix() string {
	switch astiav.ColorSpace(i.colour.matrix) {
	case astiav.ColorSpaceUnspecified:
		if i.Height >= 720 || i.Width >= 1280 {
			return "bt709"
		}
		return "bt601"
	default:
		return "auto"
	}
}

// convertible reports whether FFmpeg's scaler can make RGB of the frames. It knows neither
// ICtCp nor YCgCo, nor the constant luminance of BT.2020.
func (i Info) convertible() bool {
	switch astiav.ColorSpace(i.colour.matrix) {
	case astiav.ColorSpaceBt709, astiav.ColorSpaceUnspecified, astiav.ColorSpaceFcc, astiav.ColorSpaceBt470Bg,
		astiav.ColorSpaceSmpte170M, astiav.ColorSpaceSmpte240M, astiav.ColorSpaceBt2020Ncl:
		return true
	}
	var g graph
	defer g.close()
	_, err := watchTrial(func() error {
		return g.fit(shape{16, 16, i.format, astiav.ColorSpace(i.colour.matrix), astiav.ColorRange(i.colour.colourRange)}, "scale,format=rgb24")
	})
	return err == nil
}
