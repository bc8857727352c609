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
	"unsafe"

	"github.com/asticode/go-astiav"
)

// encoderFormats returns the pixel formats that an encoder takes; none where it does not
// say. The binding's own method for it is called differently for FFmpeg 7 and 8.
func encoderFormats(c *astiav.Codec) (list []astiav.PixelFormat) {
	p := C.carveEncoderFormats((*C.AVCodec)(pointer(c)))
	for p != nil && *p != C.AV_PIX_FMT_NONE {
		list = append(list, astiav.PixelFormat(*p))
		p = (*C.enum_AVPixelFormat)(unsafe.Add(unsafe.Pointer(p), C.sizeof_enum_AVPixelFormat))
	}
	return list
}

// onlyDevices tells whether an encoder takes no pictures but those that lie on a device,
// which carve has none of.
func onlyDevices(c *astiav.Codec) bool {
	list := encoderFormats(c)
	return len(list) > 0 && !slices.ContainsFunc(list, func(f astiav.PixelFormat) bool {
		l, ok := describe(f)
		return ok && !l.hardware
	})
}
