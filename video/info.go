package video

import (
	"time"

	"github.com/asticode/go-astiav"
)

// Info describes an opened input. Names are FFmpeg's, as ffprobe prints them.
type Info struct {
	Path      string
	Container string // demuxer
	Playlist  bool   // the file names other files, which are read
	Codec     string

	Width, Height int    // coded size of the picture, before rotation
	PixelFormat   string // such as "yuv420p10le"
	BitDepth      int    // of one component

	TimeBase    Rational // of all timestamps
	AverageRate Rational // frames per second on average, as the container has it
	RealRate    Rational // lowest rate that can carry all timestamps, a guess
	StartPTS    int64    // of the first frame

	SampleAspect                                            Rational // of a coded pixel; Den 0: unknown
	ColourMatrix, ColourRange, ColourPrimaries, ColourCurve string
	ChromaLocation                                          string
	Orientation                                             Orientation
	Interlaced                                              bool

	Duration time.Duration // 0: unknown
	Frames   int64         // estimate, 0: unknown
	// Still is true for a single image: there will be one frame, and the output
	// is an image as well.
	Still bool

	// Cover is true for the picture that goes with a file of music: a still as well.
	Cover bool

	// Streams are the others of the file, which travel beside the video.
	Streams []StreamInfo

	format              astiav.PixelFormat
	colour              colour
	matrix              [9]int32 // display matrix, when hasMatrix
	hasMatrix, topFirst bool
	index               int // of the video stream
}

// StreamInfo describes a stream beside the video.
type StreamInfo struct {
	Index    int
	Kind     string // "audio", "subtitle", "video", "data", "attachment"
	Codec    string
	Language string // possibly empty
}

// Rate returns the frame rate to go by: the average, or else the real one.
func (i Info) Rate() Rational {
	if i.AverageRate.Known() {
		return i.AverageRate
	}
	return i.RealRate
}

// scaleMatrix names the picture's colour matrix for the scale filter. Where
// nothing is said, players take BT.709 for high definition and BT.601 below;
// FFmpeg's own default would be BT.601 always.
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
