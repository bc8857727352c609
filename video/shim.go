package video

//#cgo pkg-config: libavcodec libavformat libavutil
//#include "shim.h"
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// FFmpegVersion returns the version of the FFmpeg libraries in use, such as "7.1.5".
func FFmpegVersion() string { return C.GoString(C.av_version_info()) }

// pointer returns the C pointer that a type of the binding wraps. The binding exposes
// it only for frames and codec contexts. For the others it is the first word of the
// struct, which TestBindingLayout checks.
func pointer[T any](p *T) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(p)) }

func cFrame(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

func cParameters(p *astiav.CodecParameters) *C.AVCodecParameters {
	return (*C.AVCodecParameters)(pointer(p))
}

func cFormat(c *astiav.FormatContext) *C.AVFormatContext { return (*C.AVFormatContext)(pointer(c)) }

func check(ret C.int) error {
	if ret < 0 {
		return astiav.Error(ret)
	}
	return nil
}

// errInvalidArgument is returned by muxers for a packet that they cannot place.
const errInvalidArgument = astiav.Error(-C.EINVAL)

// errTooManyFiles means that no more file descriptors are available.
const errTooManyFiles = astiav.Error(-C.EMFILE)

// errNotPermitted is -1, which a demuxer may also return without meaning this error.
const errNotPermitted = astiav.Error(-C.EPERM)

// Codecs that the binding lacks.
const (
	codecVVC              = astiav.CodecID(C.AV_CODEC_ID_VVC)
	codecHap              = astiav.CodecID(C.AV_CODEC_ID_HAP)
	codecARIBCaption      = astiav.CodecID(C.AV_CODEC_ID_ARIB_CAPTION)
	codecHDMVTextSubtitle = astiav.CodecID(C.AV_CODEC_ID_HDMV_TEXT_SUBTITLE)
	codecSMPTE2038        = astiav.CodecID(C.AV_CODEC_ID_SMPTE_2038)
)

// keepDurations makes an encoder pass the durations of frames on to its packets.
const keepDurations = astiav.CodecContextFlag(C.AV_CODEC_FLAG_FRAME_DURATION)

// rescale converts ticks from one time base to another, rounded to the nearest.
func rescale(ticks int64, from, to Rational) int64 {
	return int64(C.av_rescale_q(C.int64_t(ticks),
		C.AVRational{num: C.int(from.Num), den: C.int(from.Den)}, C.AVRational{num: C.int(to.Num), den: C.int(to.Den)}))
}

// streamWrapBits returns how many bits a timestamp of the stream has.
func streamWrapBits(st *astiav.Stream) int { return int((*C.AVStream)(pointer(st)).pts_wrap_bits) }

// frameDamaged reports whether the decoder marked f as decoded with errors, including
// concealed ones.
func frameDamaged(f *astiav.Frame) bool {
	c := cFrame(f)
	return c.flags&C.AV_FRAME_FLAG_CORRUPT != 0 || c.decode_error_flags != 0
}

func frameInterlaced(f *astiav.Frame) (interlaced, topFirst bool) {
	flags := cFrame(f).flags
	return flags&C.AV_FRAME_FLAG_INTERLACED != 0, flags&C.AV_FRAME_FLAG_TOP_FIELD_FIRST != 0
}

// frameSetFields makes a frame interlaced if another one is, with the same field first.
func frameSetFields(f, like *astiav.Frame) {
	const fields = C.AV_FRAME_FLAG_INTERLACED | C.AV_FRAME_FLAG_TOP_FIELD_FIRST
	c := cFrame(f)
	c.flags = c.flags&^fields | cFrame(like).flags&fields
}

// frameTimestamp returns the pts, guessed from the dts if it is missing.
func frameTimestamp(f *astiav.Frame) int64 { return int64(cFrame(f).best_effort_timestamp) }

func setFrameTimestamp(f *astiav.Frame, ts int64) {
	c := cFrame(f)
	c.pts, c.best_effort_timestamp = C.int64_t(ts), C.int64_t(ts)
}

func frameDuration(f *astiav.Frame) int64 { return int64(cFrame(f).duration) }

func frameMatrix(f *astiav.Frame) (m [9]int32, ok bool) {
	ok = C.carveFrameMatrix(cFrame(f), (*C.int32_t)(&m[0])) != 0
	return m, ok
}

func frameCopyProperties(dst, src *astiav.Frame) error {
	return check(C.carveFrameCopyProps(cFrame(dst), cFrame(src)))
}

func frameForEncoder(f *astiav.Frame, pts, duration int64) {
	C.carveFrameForEncoder(cFrame(f), C.int64_t(pts), C.int64_t(duration))
}

// framePlane returns the given number of rows of plane i in memory. The stride is
// positive for every frame that Frame.Planes accepts.
func framePlane(f *astiav.Frame, i, rows int) (data []byte, stride int) {
	c := cFrame(f)
	stride = int(c.linesize[i])
	if c.data[i] == nil || stride <= 0 || rows <= 0 {
		return nil, stride
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(c.data[i])), stride*rows), stride
}

// frameUpsideDown reports whether the rows of a plane are stored bottom up.
func frameUpsideDown(f *astiav.Frame) bool {
	for _, l := range cFrame(f).linesize[:4] {
		if l < 0 {
			return true
		}
	}
	return false
}

// colour holds the colour description of a frame in FFmpeg's numbers (those of ITU-T
// H.273).
type colour struct {
	matrix, colourRange, primaries, transfer, chroma int
}

func frameColour(f *astiav.Frame) colour {
	c := cFrame(f)
	return colour{int(c.colorspace), int(c.color_range), int(c.color_primaries), int(c.color_trc), int(c.chroma_location)}
}

func setFrameColour(f *astiav.Frame, k colour) {
	c := cFrame(f)
	c.colorspace, c.color_range = C.enum_AVColorSpace(k.matrix), C.enum_AVColorRange(k.colourRange)
	c.color_primaries, c.color_trc = C.enum_AVColorPrimaries(k.primaries), C.enum_AVColorTransferCharacteristic(k.transfer)
	c.chroma_location = C.enum_AVChromaLocation(k.chroma)
}

func parametersColour(p *astiav.CodecParameters) colour {
	c := cParameters(p)
	return colour{int(c.color_space), int(c.color_range), int(c.color_primaries), int(c.color_trc), int(c.chroma_location)}
}

func setContextColour(cc *astiav.CodecContext, k colour) {
	c := (*C.AVCodecContext)(cc.UnsafePointer())
	c.colorspace, c.color_range = C.enum_AVColorSpace(k.matrix), C.enum_AVColorRange(k.colourRange)
	c.color_primaries, c.color_trc = C.enum_AVColorPrimaries(k.primaries), C.enum_AVColorTransferCharacteristic(k.transfer)
	c.chroma_sample_location = C.enum_AVChromaLocation(k.chroma)
}

func setContextFieldOrder(cc *astiav.CodecContext, topFirst bool) {
	c := (*C.AVCodecContext)(cc.UnsafePointer())
	c.field_order = C.AV_FIELD_BB
	if topFirst {
		c.field_order = C.AV_FIELD_TT
	}
}

// setPacketTimeBase sets the time base of a decoder's packets. The decoder needs it to
// compute missing timestamps.
func setPacketTimeBase(cc *astiav.CodecContext, tb astiav.Rational) {
	c := (*C.AVCodecContext)(cc.UnsafePointer())
	c.pkt_timebase = C.AVRational{num: C.int(tb.Num()), den: C.int(tb.Den())}
}

// codecLag returns how many earlier packets a decoder may still be working on.
func codecLag(cc *astiav.CodecContext) int64 {
	return int64(C.carveCodecLag((*C.AVCodecContext)(cc.UnsafePointer())))
}

func frameKey(f *astiav.Frame) bool { return cFrame(f).flags&C.AV_FRAME_FLAG_KEY != 0 }

func colourName(s *C.char) string {
	if s == nil {
		return "unknown"
	}
	return C.GoString(s)
}

func (k colour) matrixName() string {
	return colourName(C.av_color_space_name(C.enum_AVColorSpace(k.matrix)))
}

func (k colour) rangeName() string {
	return colourName(C.av_color_range_name(C.enum_AVColorRange(k.colourRange)))
}

func (k colour) primariesName() string {
	return colourName(C.av_color_primaries_name(C.enum_AVColorPrimaries(k.primaries)))
}

func (k colour) transferName() string {
	return colourName(C.av_color_transfer_name(C.enum_AVColorTransferCharacteristic(k.transfer)))
}

func (k colour) chromaName() string {
	return colourName(C.av_chroma_location_name(C.enum_AVChromaLocation(k.chroma)))
}

func parametersMatrix(p *astiav.CodecParameters) (m [9]int32, ok bool) {
	ok = C.carveParametersMatrix(cParameters(p), (*C.int32_t)(&m[0])) != 0
	return m, ok
}

func setParametersMatrix(p *astiav.CodecParameters, m [9]int32) error {
	return check(C.carveParametersSetMatrix(cParameters(p), (*C.int32_t)(&m[0])))
}

func dropParametersMatrix(p *astiav.CodecParameters) { C.carveParametersDropMatrix(cParameters(p)) }

func copyParameters(dst, src *astiav.CodecParameters, of *astiav.OutputFormat) error {
	return check(C.carveParametersForCopy(cParameters(dst), cParameters(src), (*C.AVOutputFormat)(pointer(of))))
}

func copyFrameSideData(dst, src *astiav.CodecParameters) error {
	return check(C.carveParametersCopySideData(cParameters(dst), cParameters(src)))
}

// parametersDelay returns how many frames a decoder holds back for reordering.
func parametersDelay(p *astiav.CodecParameters) int { return max(0, int(cParameters(p).video_delay)) }

// codecThreadsFrames reports whether a decoder works on several frames at a time.
func codecThreadsFrames(c *astiav.Codec) bool {
	return (*C.AVCodec)(pointer(c)).capabilities&(C.AV_CODEC_CAP_FRAME_THREADS|C.AV_CODEC_CAP_OTHER_THREADS) != 0
}

// findStreamInfo probes the streams. No frame may have more than the given number of
// pixels.
func findStreamInfo(c *astiav.FormatContext, pixels int64) error {
	return check(C.carveFindStreamInfo(cFormat(c), C.int64_t(pixels)))
}

// storage says whether a container accepts a codec.
type storage int

const (
	refuses storage = iota
	takes
	unsure // the container does not say; it has to be tried
)

func canStore(of *astiav.OutputFormat, id astiav.CodecID) storage {
	switch ret := C.carveCanStore((*C.AVOutputFormat)(pointer(of)), C.int(id)); {
	case ret > 0:
		return takes
	case ret == 0:
		return refuses
	default:
		return unsure
	}
}

// The codec tags of AVI and QuickTime, which other containers use as well.
var (
	riffTags      = C.avformat_get_riff_video_tags()
	quickTimeTags = C.avformat_get_mov_video_tags()
)

func hasTag(table *C.struct_AVCodecTag, id astiav.CodecID) bool {
	return C.carveHasTag(table, C.int(id)) != 0
}

// nearestPixelFormat returns the format of list that loses least of src, and whether it
// loses anything.
func nearestPixelFormat(list []astiav.PixelFormat, src astiav.PixelFormat) (best astiav.PixelFormat, lossy bool, err error) {
	c := make([]C.int, 0, len(list)+1)
	for _, f := range list {
		c = append(c, C.int(f))
	}
	c = append(c, C.int(C.AV_PIX_FMT_NONE))
	var loss C.int
	got := C.carveBestPixelFormat(&c[0], C.int(len(list)), C.int(src), &loss)
	if got == C.AV_PIX_FMT_NONE {
		return 0, false, fmt.Errorf("no pixel format near %s", src.Name())
	}
	return astiav.PixelFormat(got), loss != 0, nil
}

// copyStreamMetadata copies tags and dispositions. For an encoded stream, tags that
// describe the old bit stream are left out.
func copyStreamMetadata(dst, src *astiav.Stream, encoded bool) error {
	e := C.int(0)
	if encoded {
		e = 1
	}
	return check(C.carveStreamCopyMetadata((*C.AVStream)(pointer(dst)), (*C.AVStream)(pointer(src)), e))
}

func copyFormatMetadata(dst, src *astiav.FormatContext) error {
	return check(C.carveFormatCopyMetadata(cFormat(dst), cFormat(src)))
}

func copyChapters(dst, src *astiav.FormatContext) error {
	return check(C.carveFormatCopyChapters(cFormat(dst), cFormat(src)))
}

// timecodeFits reports whether the muxer of the MP4 family can make tracks of the time
// codes in the tags.
func timecodeFits(c *astiav.FormatContext) bool { return C.carveTimecodeFits(cFormat(c)) != 0 }

// headerDuration reports whether the file states its duration, which is otherwise
// guessed from its size or its last timestamps.
func headerDuration(c *astiav.FormatContext) bool { return C.carveHeaderDuration(cFormat(c)) != 0 }

// readError returns the error that stopped reading, if one did.
func readError(c *astiav.FormatContext) error { return check(C.carveReadError(cFormat(c))) }

// described caches the results of describe, which is called for every frame.
var described sync.Map // from astiav.PixelFormat to Layout

func describe(pf astiav.PixelFormat) (Layout, bool) {
	if p, ok := described.Load(pf); ok {
		return p.(Layout), true
	}
	d := C.av_pix_fmt_desc_get(C.enum_AVPixelFormat(pf))
	if d == nil {
		return Layout{}, false
	}
	has := func(flag C.uint64_t) bool { return d.flags&flag != 0 }
	p := Layout{
		Name:    C.GoString(d.name),
		ChromaX: int(d.log2_chroma_w), ChromaY: int(d.log2_chroma_h),
		RGB: has(C.AV_PIX_FMT_FLAG_RGB), Alpha: has(C.AV_PIX_FMT_FLAG_ALPHA),
		BigEndian: has(C.AV_PIX_FMT_FLAG_BE), Float: has(C.AV_PIX_FMT_FLAG_FLOAT),
		Palette: has(C.AV_PIX_FMT_FLAG_PAL), Bitstream: has(C.AV_PIX_FMT_FLAG_BITSTREAM),
		bayer: has(C.AV_PIX_FMT_FLAG_BAYER), hardware: has(C.AV_PIX_FMT_FLAG_HWACCEL),
	}
	for i := range int(d.nb_components) {
		c := d.comp[i]
		p.Components = append(p.Components, Component{int(c.plane), int(c.step), int(c.offset), int(c.shift), int(c.depth)})
	}
	described.Store(pf, p)
	return p, true
}
