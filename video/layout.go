package video

import "github.com/asticode/go-astiav"

// A Layout says how the samples of a pixel format are stored in its planes. It is
// FFmpeg's description of the format (libavutil/pixdesc.h) in Go types, for code that
// draws into [Frame.Planes] without knowing FFmpeg.
type Layout struct {
	Name string
	// Components are luma and the two chroma, or red, green, blue; alpha is last. A
	// single component is luma.
	Components []Component
	// ChromaX and ChromaY are the base-2 logarithms of the horizontal and vertical
	// chroma subsampling.
	ChromaX, ChromaY int

	RGB       bool // red, green, blue instead of luma and chroma
	Alpha     bool // the last component is alpha
	BigEndian bool // samples of more than one byte
	Float     bool // samples are floating point numbers
	Palette   bool // samples are indices into plane 1
	Bitstream bool // samples are not aligned to bytes

	bayer, hardware bool
}

// A Component says where one component of the pixels is found. A sample is
// (v >> Shift) & (1<<Depth - 1) of the one or two bytes that hold it.
type Component struct {
	Plane  int
	Step   int // bytes from one sample to the next in a row
	Offset int // bytes before the first sample of a row
	Shift  int // bits below the sample
	Depth  int // bits of the sample
}

// drawable reports whether the samples can be drawn on one by one.
func (l Layout) drawable() bool {
	for _, c := range l.Components {
		if c.Depth > 16 || c.Shift+c.Depth > 16 {
			return false
		}
	}
	return len(l.Components) > 0 && !l.Palette && !l.Bitstream && !l.Float && !l.bayer && !l.hardware
}

// drawables are the formats that a frame is converted to if its own cannot be drawn on:
// palettes, single bits, floating point.
var drawables = []astiav.PixelFormat{
	astiav.PixelFormatGray8, astiav.PixelFormatGray16Le, astiav.PixelFormatRgb24, astiav.PixelFormatRgba,
	astiav.PixelFormatRgb48Le, astiav.PixelFormatRgba64Le,
}

// Layout returns how the samples of the frames are stored.
func (i Info) Layout() Layout {
	l, _ := describe(i.format)
	return l
}
