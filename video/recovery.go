package video

//#include <libavcodec/avcodec.h>
import "C"

import "github.com/asticode/go-astiav"

// showFromAnywhere makes an H.265 decoder return frames that refer to others before the
// beginning of the stream. FFmpeg 7 returns them. FFmpeg 8 drops them unless it is told
// otherwise, and then nothing would be left of a recording with a single key frame.
func showFromAnywhere(cc *astiav.CodecContext) {
	if C.LIBAVCODEC_VERSION_MAJOR >= 62 && cc.CodecID() == astiav.CodecIDHevc {
		cc.SetFlags(cc.Flags().Add(astiav.CodecContextFlagOutputCorrupt))
	}
}
