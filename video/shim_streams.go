package video

//#include "shim.h"
import "C"

import "github.com/asticode/go-astiav"

// chapterCount returns how many chapters a file has.
func chapterCount(c *astiav.FormatContext) int { return int(cFormat(c).nb_chapters) }

// tryHeader has a muxer write the header of a file that has that stream alone, to
// nowhere, and returns why it does not.
func tryHeader(of *astiav.OutputFormat, in *astiav.Stream) error {
	return check(C.carveTryHeader((*C.AVOutputFormat)(pointer(of)), (*C.AVStream)(pointer(in))))
}

// setAttachment makes a stream an attachment that holds the picture of a cover.
func setAttachment(out, cover *astiav.Stream) error {
	return check(C.carveStreamSetAttachment((*C.AVStream)(pointer(out)), (*C.AVStream)(pointer(cover))))
}

// tileGrid returns how the main picture of a file is put together, nil where it
// is not.
func tileGrid(c *astiav.FormatContext) *grid {
	p := C.carveTileGrid(cFormat(c))
	if p == nil {
		return nil
	}
	g := &grid{x: int(p.horizontal_offset), y: int(p.vertical_offset), w: int(p.width), h: int(p.height)}
	for i := range g.background {
		g.background[i] = byte(p.background[i])
	}
	for i := range int(p.nb_tiles) {
		var t [3]C.int
		if C.carveTile(cFormat(c), p, C.int(i), &t[0]) == 0 {
			return nil
		}
		g.tiles = append(g.tiles, tile{int(t[0]), int(t[1]), int(t[2])})
	}
	if len(g.tiles) == 0 || g.w <= 0 || g.h <= 0 {
		return nil
	}
	return g
}

// frameFill paints a picture in one colour, red, green, blue and alpha.
func frameFill(f *astiav.Frame, colour [4]byte) error {
	var c [4]C.uint8_t
	for i, v := range colour {
		c[i] = C.uint8_t(v)
	}
	return check(C.carveFrameFill(cFrame(f), &c[0]))
}

// frameData is a kind of what goes with a picture.
type frameData int

const (
	dataMastering   = frameData(C.AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)
	dataLightLevel  = frameData(C.AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
	dataHDR10Plus   = frameData(C.AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
	dataVivid       = frameData(C.AV_FRAME_DATA_DYNAMIC_HDR_VIVID)
	dataDolbyVision = frameData(C.AV_FRAME_DATA_DOVI_METADATA)
	dataAmbient     = frameData(C.AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT)
	dataICC         = frameData(C.AV_FRAME_DATA_ICC_PROFILE)
	dataCaptions    = frameData(C.AV_FRAME_DATA_A53_CC)
)

func frameHas(f *astiav.Frame, kind frameData) bool {
	return C.av_frame_get_side_data(cFrame(f), C.enum_AVFrameSideDataType(kind)) != nil
}

// contextLight tells an encoder what the pictures say of the display that they were
// made on and of how bright they are.
func contextLight(cc *astiav.CodecContext, f *astiav.Frame) error {
	return check(C.carveContextLight((*C.AVCodecContext)(cc.UnsafePointer()), cFrame(f)))
}

// codecViews returns how many views of each moment the decoder has found, of which
// it gives the first.
func codecViews(cc *astiav.CodecContext) int {
	return int(C.carveCodecViews((*C.AVCodecContext)(cc.UnsafePointer())))
}

// severalViews reports whether a stream is said to hold a picture for each eye that
// are not parts of one.
func severalViews(p *astiav.CodecParameters) bool { return C.carveSeveralViews(cParameters(p)) != 0 }
