package video

//#include <libavcodec/avcodec.h>
//
// // carveEncoderFormats gives the list of formats that ends with AV_PIX_FMT_NONE, or NULL.
// static const enum AVPixelFormat *carveEncoderFormats(const AVCodec *codec) {
//     const void *list = NULL;
// #if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
//     if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &list, NULL) < 0)
//         return NULL;
// #else
//     list = codec->pix_fmts;
// #endif
//     return list;
// }
import "C"

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// encoderFormats returns the pixel formats that an encoder accepts, none if it does not
// say. The binding's own method has different signatures for FFmpeg 7 and 8.
func encoderFormats(c *astiav.Codec) (list []astiav.PixelFormat) {
	p := C.carveEncoderFormats((*C.AVCodec)(pointer(c)))
	for p != nil && *p != C.AV_PIX_FMT_NONE {
		list = append(list, astiav.PixelFormat(*p))
		p = (*C.enum_AVPixelFormat)(unsafe.Add(unsafe.Pointer(p), C.sizeof_enum_AVPixelFormat))
	}
	return list
}

// onlyDevices reports whether an encoder accepts only frames in the memory of a device,
// which carve does not use.
func onlyDevices(c *astiav.Codec) bool {
	list := encoderFormats(c)
	return len(list) > 0 && !slices.ContainsFunc(list, func(f astiav.PixelFormat) bool {
		l, ok := describe(f)
		return ok && !l.hardware
	})
}

// shownFormats returns those of an encoder's formats in which RGB becomes an H.264 or
// H.265 file that players and editors can show: few can decode 4:4:4, which would lose
// least. It is empty for other sources, for lossless output, where every sample is
// kept, and for an encoder of RGB itself.
func (s *Sink) shownFormats(codec *astiav.Codec, list []astiav.PixelFormat) (shown []astiav.PixelFormat) {
	from, ok := describe(s.info.format)
	if id := codec.ID(); !ok || !from.RGB || s.Lossless || id != astiav.CodecIDH264 && id != astiav.CodecIDHevc {
		return nil
	}
	for _, f := range list {
		to, ok := describe(f)
		if ok && to.ChromaX == 1 && to.ChromaY == 1 && !strings.HasPrefix(to.Name, "yuvj") {
			shown = append(shown, f)
		}
	}
	return shown
}
