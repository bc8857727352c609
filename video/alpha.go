package video

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// VP8 and VP9 have no alpha: WebM keeps it as a second stream of pictures beside
// each packet. FFmpeg's own decoders leave it out, those of libvpx read it.
var alphaDecoders = map[astiav.CodecID]string{astiav.CodecIDVp8: "libvpx", astiav.CodecIDVp9: "libvpx-vp9"}

// alphaBeside reports whether the file says that the stream has alpha that way.
func alphaBeside(st *astiav.Stream) bool {
	if alphaDecoders[st.CodecParameters().CodecID()] == "" {
		return false
	}
	return tagOf(st, "alpha_mode") == "1"
}

// tagOf returns a tag of a stream, or nothing.
func tagOf(st *astiav.Stream, key string) string {
	if m := st.Metadata(); m != nil {
		if e := m.Get(key, nil, astiav.NewDictionaryFlags()); e != nil {
			return e.Value()
		}
	}
	return ""
}

// findDecoder finds the decoder for a stream's pictures, alpha included where one
// can.
func findDecoder(st *astiav.Stream) *astiav.Codec {
	if alphaBeside(st) {
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

// keepsAlpha reports whether c can keep the alpha that an encoder of that codec
// makes: that of VP8 and VP9 lies beside the pictures, for which only Matroska and
// WebM have a place.
func (c container) keepsAlpha(id astiav.CodecID) bool {
	return alphaDecoders[id] == "" || c.muxer == "matroska" || c.muxer == "webm"
}

// formats lists the pixel formats in which an encoder can be given pictures for c.
func (c container) formats(codec *astiav.Codec) []astiav.PixelFormat {
	return slices.DeleteFunc(encoderFormats(codec), func(f astiav.PixelFormat) bool {
		switch {
		case codec.Name() == "mjpeg":
			// Files of JPEG are full range; the other formats of the list need a
			// reader that believes a tag.
			return !strings.HasPrefix(f.Name(), "yuvj")
		case hasAlpha(f):
			return !c.keepsAlpha(codec.ID())
		}
		return false
	})
}

// alphaEncoders lists well-known encoders that keep alpha in an output of that
// name.
func alphaEncoders(path string) (names []string) {
	c, _ := containerOf(path, true)
	for _, name := range EncodersFor(path) {
		if slices.ContainsFunc(c.formats(astiav.FindEncoderByName(name)), hasAlpha) {
			names = append(names, name)
		}
	}
	return names
}

// markAlpha has WebM and Matroska say that alpha lies beside the pictures, exactly
// where it does.
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

// noteAlpha tells, once, of alpha that the encoder does not keep. A picture that
// is opaque loses nothing.
func (s *Sink) noteAlpha(p *astiav.Frame) {
	if s.alphaTold || !hasAlpha(p.PixelFormat()) || hasAlpha(s.encoder.format) || isOpaque(p) {
		return
	}
	s.alphaTold = true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(Loss{Stream: s.videoInfo(), Part: "alpha", Encoders: alphaEncoders(s.Path),
		Reason: fmt.Sprintf("the encoder %s has none", s.encoder.codec.Name())})
}

// isOpaque reports whether nothing shows through a picture. Lossy alpha is a few
// steps off where it was full.
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
