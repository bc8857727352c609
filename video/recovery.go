package video

//#include <libavcodec/avcodec.h>
import "C"

import "github.com/asticode/go-astiav"

// showFromAnywhere has a decoder give the pictures of H.265 that refer to others before
// the beginning of the stream. FFmpeg 7 gives them; FFmpeg 8 keeps them back unless it is
// told, and of a recording without a second key frame nothing would be left.
func showFromAnywhere(cc *astiav.CodecContext) {
	if C.LIBAVCODEC_VERSION_MAJOR >= 62 && cc.CodecID() == astiav.CodecIDHevc {
		cc.SetFlags(cc.Flags().Add(astiav.CodecContextFlagOutputCorrupt))
	}
}
