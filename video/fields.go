package video

import "github.com/asticode/go-astiav"

// codeFields has the encoder code pictures of h rows by fields, where it can.
func (s *Sink) codeFields(e *encoder, flags astiav.CodecContextFlags, h int) astiav.CodecContextFlags {
	setContextFieldOrder(e.context, s.info.topFirst) // which some containers tell by themselves
	if e.fields = codesFields(e.codec.Name(), e.format, h); e.fields {
		return flags.Add(astiav.CodecContextFlagInterlacedDct).Add(astiav.CodecContextFlagInterlacedMe)
	}
	s.Log.Warn("the encoder does not code fields of such pictures; at most the container tells which comes first",
		"encoder", e.codec.Name(), "height", h)
	return flags
}

// fieldParams says in x264's words which field comes first, and what more there is.
// What it learns later, from the first picture, it does not put into all headers.
func fieldParams(topFirst bool, more string) string {
	if topFirst {
		return "tff=1" + more
	}
	return "bff=1" + more
}

// codesFields reports whether an encoder codes pictures of that height by fields.
func codesFields(encoder string, format astiav.PixelFormat, h int) bool {
	rows := 2
	if d, ok := describe(format); ok && encoder == "libx264" {
		rows <<= d.ChromaY // it takes fields of whole chroma rows only
	}
	return interlaces[encoder] && h%rows == 0
}

var interlaces = map[string]bool{"libx264": true, "mpeg4": true, "mpeg2video": true, "prores_ks": true}
