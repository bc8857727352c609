package video

import "github.com/asticode/go-astiav"

// codeFields makes the encoder code frames of h rows as fields, if it can.
func (s *Sink) codeFields(e *encoder, flags astiav.CodecContextFlags, h int) astiav.CodecContextFlags {
	setContextFieldOrder(e.context, s.info.topFirst) // some containers store this by themselves
	if e.fields = codesFields(e.codec.Name(), e.format, h); e.fields {
		return flags.Add(astiav.CodecContextFlagInterlacedDct).Add(astiav.CodecContextFlagInterlacedMe)
	}
	s.Log.Warn("the encoder cannot code fields of such frames; at most the container states which comes first",
		"output", s.Path, "encoder", e.codec.Name(), "height", h)
	return flags
}

// fieldParams tells x264 which field comes first, followed by more. If x264 only learns
// it from the first frame, it does not put it into all headers.
func fieldParams(topFirst bool, more string) string {
	if topFirst {
		return "tff=1" + more
	}
	return "bff=1" + more
}

// codesFields reports whether an encoder can code frames of that height as fields.
func codesFields(encoder string, format astiav.PixelFormat, h int) bool {
	rows := 2
	if d, ok := describe(format); ok && encoder == "libx264" {
		rows <<= d.ChromaY // it needs whole chroma rows in each field
	}
	return interlaces[encoder] && h%rows == 0
}

var interlaces = map[string]bool{"libx264": true, "mpeg4": true, "mpeg2video": true, "prores_ks": true}
