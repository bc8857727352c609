package video

//#include "shim.h"
import "C"

import "github.com/asticode/go-astiav"

// chapterCount returns how many chapters a file has.
func chapterCount(c *astiav.FormatContext) int { return int(cFormat(c).nb_chapters) }

// tryHeader makes a muxer write the header of a file with that stream alone, without
// output, and returns the error if it fails.
func tryHeader(of *astiav.OutputFormat, in *astiav.Stream) error {
	return check(C.carveTryHeader((*C.AVOutputFormat)(pointer(of)), (*C.AVStream)(pointer(in))))
}

// setAttachment makes a stream an attachment that holds a cover.
func setAttachment(out, cover *astiav.Stream) error {
	return check(C.carveStreamSetAttachment((*C.AVStream)(pointer(out)), (*C.AVStream)(pointer(cover))))
}

// tileGrid returns how the main image of a file is assembled from tiles, nil if it is
// not.
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

// frameFill fills a frame with one colour, given as RGBA.
func frameFill(f *astiav.Frame, colour [4]byte) error {
	var c [4]C.uint8_t
	for i, v := range colour {
		c[i] = C.uint8_t(v)
	}
	return check(C.carveFrameFill(cFrame(f), &c[0]))
}

// frameData is a kind of side data of a frame.
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

// setContextLight passes the mastering display, light level and viewing environment of
// the frames on to an encoder.
func setContextLight(cc *astiav.CodecContext, f *astiav.Frame) error {
	return check(C.carveContextLight((*C.AVCodecContext)(cc.UnsafePointer()), cFrame(f)))
}

// codecViews returns how many views per frame the decoder has found. It decodes only
// the first.
func codecViews(cc *astiav.CodecContext) int {
	return int(C.carveCodecViews((*C.AVCodecContext)(cc.UnsafePointer())))
}

// severalViews reports whether a stream states that it has separate frames for each
// eye, which are not packed into one.
func severalViews(p *astiav.CodecParameters) bool { return C.carveSeveralViews(cParameters(p)) != 0 }
