package video

import (
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// VP8 and VP9 have no alpha: WebM stores it as a second stream of frames next to each
// packet. FFmpeg's own decoders ignore it; those of libvpx read it.
var alphaDecoders = map[astiav.CodecID]string{astiav.CodecIDVp8: "libvpx", astiav.CodecIDVp9: "libvpx-vp9"}

// separateAlpha reports whether the file says that the stream has such alpha.
func separateAlpha(st *astiav.Stream) bool {
	if alphaDecoders[st.CodecParameters().CodecID()] == "" {
		return false
	}
	return tagOf(st, "alpha_mode") == "1"
}

// tagOf returns a tag of a stream, or "".
func tagOf(st *astiav.Stream, key string) string {
	if m := st.Metadata(); m != nil {
		if e := m.Get(key, nil, astiav.NewDictionaryFlags()); e != nil {
			return e.Value()
		}
	}
	return ""
}

// findDecoder finds the decoder for a stream, one that reads alpha if possible.
func findDecoder(st *astiav.Stream) *astiav.Codec {
	if separateAlpha(st) {
		if c := astiav.FindDecoderByName(alphaDecoders[st.CodecParameters().CodecID()]); c != nil {
			return c
		}
	}
	return astiav.FindDecoder(st.CodecParameters().CodecID())
}

func hasAlpha(format astiav.PixelFormat) bool {
	d, ok := describe(format)
	return ok && d.Alpha
}

// keepsAlpha reports whether c can store the alpha of an encoder for that codec. The
// separate alpha of VP8 and VP9 fits only into Matroska and WebM.
func (c container) keepsAlpha(id astiav.CodecID) bool {
	return alphaDecoders[id] == "" || c.muxer == "matroska" || c.muxer == "webm"
}

// formats lists the pixel formats that an encoder accepts and c can store.
func (c container) formats(codec *astiav.Codec) []astiav.PixelFormat {
	list := encoderFormats(codec)
	for _, name := range c.pixels {
		list = append(list, astiav.FindPixelFormatByName(name))
	}
	return slices.DeleteFunc(list, func(f astiav.PixelFormat) bool {
		switch {
		case codec.Name() == "mjpeg":
			// JPEG files are full range. The other formats of the list need a reader
			// that honours a tag.
			return !strings.HasPrefix(f.Name(), "yuvj")
		case hasAlpha(f):
			return !c.keepsAlpha(codec.ID())
		}
		return false
	})
}

// alphaEncoders lists well-known encoders that keep alpha in an output with that format
// or the extension of path.
func alphaEncoders(path, format string) (names []string) {
	c, _ := containerOf(path, format, true)
	for _, name := range EncodersFor(path, format) {
		if slices.ContainsFunc(c.formats(astiav.FindEncoderByName(name)), hasAlpha) {
			names = append(names, name)
		}
	}
	return names
}

// markAlpha sets the tag of WebM and Matroska that says that there is separate alpha,
// if there is.
func (e *encoder) markAlpha(st *astiav.Stream) error {
	if !hasAlpha(e.format) || alphaDecoders[e.codec.ID()] == "" {
		return nil
	}
	m := st.Metadata()
	if m == nil {
		m = astiav.NewDictionary()
	}
	if err := m.Set("alpha_mode", "1", astiav.NewDictionaryFlags()); err != nil {
		return err
	}
	st.SetMetadata(m)
	return nil
}

// noteAlpha reports once that the encoder drops alpha. An opaque frame loses nothing.
func (s *Sink) noteAlpha(p *astiav.Frame) {
	if s.alphaNoted || !hasAlpha(p.PixelFormat()) || hasAlpha(s.encoder.format) || isOpaque(p) {
		return
	}
	s.alphaNoted = true
	s.mu.Lock()
	defer s.mu.Unlock()
	what := "the encoder " + s.encoder.codec.Name()
	if s.bare {
		what = s.Format
	}
	s.addLoss(Loss{Stream: s.videoInfo(), Part: "alpha", Encoders: alphaEncoders(s.Path, s.Format), Reason: what + " has none"})
}

// isOpaque reports whether a frame is fully opaque. Lossy alpha may be a few steps
// below the maximum.
func isOpaque(p *astiav.Frame) bool {
	const nearly = 250
	d, ok := describe(p.PixelFormat())
	if !ok || !d.Alpha || !d.drawable() || frameUpsideDown(p) {
		return true
	}
	row := make([]byte, p.Width())
	for y := range p.Height() {
		d.sampleRow(p, len(d.Components)-1, y, row)
		for _, a := range row {
			if a < nearly {
				return false
			}
		}
	}
	return true
}
