package video

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// What a container holds beside the video that was encoded. FFmpeg's muxers are
// asked by having them write a header: what they say of themselves is not what
// they do.

// beside lists, for MPEG-TS, the codecs beside the usual ones of video that a
// reader knows again. FFmpeg writes any others too, as private data that nobody
// can tell. TestCarries writes and reads them.
var (
	besideTransport = []astiav.CodecID{
		astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAac, astiav.CodecIDAacLatm, astiav.CodecIDAc3, astiav.CodecIDEac3,
		astiav.CodecIDDts, astiav.CodecIDOpus, astiav.CodecIDS302M,
		astiav.CodecIDDvbSubtitle, astiav.CodecIDDvbTeletext, codecARIBCaption,
		astiav.CodecIDTimedId3, astiav.CodecIDSmpteKlv, codecSMPTE2038,
	}
	besideBluRay = []astiav.CodecID{
		astiav.CodecIDAc3, astiav.CodecIDEac3, astiav.CodecIDDts, astiav.CodecIDTruehd, astiav.CodecIDPcmBluray,
		astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAac, astiav.CodecIDOpus, // no part of it, but told by what they hold
		astiav.CodecIDHdmvPgsSubtitle, codecHDMVTextSubtitle,
	}
)

// coverCodecs are those of a picture that goes with a file.
var coverCodecs = []astiav.CodecID{astiav.CodecIDMjpeg, astiav.CodecIDPng, astiav.CodecIDBmp, astiav.CodecIDGif, astiav.CodecIDTiff}

// refuses says why a file of c cannot have a stream of another file, or is empty
// where it can.
func (c container) refuses(in *astiav.Stream) string {
	p := in.CodecParameters()
	codec := p.CodecID().Name()
	of := astiav.FindOutputFormat(c.muxer)
	switch {
	case of == nil:
		return "this FFmpeg cannot write " + c.muxer
	case p.MediaType() == astiav.MediaTypeAttachment:
		if c.muxer != "matroska" {
			return c.muxer + " has no attachments"
		}
		return ""
	case p.CodecID() == astiav.CodecIDNone, p.CodecID() == astiav.CodecIDBinData && p.CodecTag() != fourCC("gpmd"):
		// Of data without a name the muxer of MP4 would make the records of a GoPro.
		return "FFmpeg does not know what it is"
	case p.MediaType() == astiav.MediaTypeAudio && p.SampleRate() <= 0:
		return "it is damaged: its sample rate cannot be told" // one such stream spoils the header
	case attached(in):
		// As a cover, that is: elsewhere it would become a video of one frame.
		switch {
		case c.muxer == "matroska" && slices.Contains(coverCodecs, p.CodecID()):
			return ""
		case c.muxer != "mp4": // that of mov leaves them out and says nothing
			return c.muxer + " has no covers"
		}
	case c.takes != nil:
		if !c.takes[p.CodecID()] && !slices.Contains(c.beside, p.CodecID()) {
			return fmt.Sprintf("a reader of %s would not know %s again", c.muxer, codec)
		}
	}
	switch canStore(of, p.CodecID()) {
	case refuses:
		return fmt.Sprintf("FFmpeg does not write %s into %s", codec, c.muxer)
	case unsure:
		if p.MediaType() != astiav.MediaTypeAudio && c.takes == nil {
			return fmt.Sprintf("FFmpeg does not write %s into %s", codec, c.muxer)
		}
	}
	lines, err := watchTrial(func() error { return tryHeader(of, in) })
	if err != nil {
		return fmt.Sprintf("FFmpeg does not write %s into %s: %s", codec, c.muxer, strings.TrimSuffix(detail(lines, err), "."))
	}
	return ""
}

// holders are the containers that are proposed for a stream, the most usual first.
var holders = []string{".mp4", ".mov", ".mkv", ".m2ts"}

// elsewhere names containers that take a stream which another one does not.
func elsewhere(in *astiav.Stream) string {
	var can []string
	for _, ext := range holders {
		if containers[ext].refuses(in) == "" {
			can = append(can, ext)
		}
	}
	if len(can) == 0 {
		return ""
	}
	return "; " + strings.Join(can, ", ") + " can hold it"
}

// Losses lists what of an opened source an output of that name will not have, as
// far as it is known before work starts. [Sink.Lost] tells the rest.
func Losses(path string, src *Source) []Loss {
	c, err := containerOf(path, src.info.Still)
	if err != nil {
		return nil
	}
	return slices.Concat(src.unread(), c.losses(src), c.misfits(src))
}

// losses are those of the streams beside the video, of the chapters and of tags. In an
// image, which is asked for one picture, nothing else is expected.
func (c container) losses(src *Source) (lost []Loss) {
	if c.image {
		return nil
	}
	for _, in := range src.others() {
		if why := c.refuses(in); why != "" {
			si := streamInfo(in)
			lost = append(lost, Loss{Stream: si, Reason: why + elsewhere(in), Minor: si.Kind == "data"})
		}
	}
	if n := chapterCount(src.input); n > 0 && !c.chapters {
		lost = append(lost, Loss{Part: "chapters", Reason: fmt.Sprintf("%s has no place for them; .mp4, .mov and .mkv have", c.muxer)})
	}
	return append(lost, c.tagLosses(src)...)
}

// others lists the streams that travel beside the video. What the demuxer itself
// skips holds chapters, say, read already.
func (s *Source) others() (list []*astiav.Stream) {
	for _, st := range s.input.Streams() {
		if s.grid == nil && st.Index() != s.stream.Index() && st.Discard() != astiav.DiscardAll && !remade(st, s.stream) {
			list = append(list, st)
		}
	}
	return list
}

// remade reports whether the muxer makes the stream itself: time codes, from
// the tag of the video.
func remade(in, video *astiav.Stream) bool {
	if in.CodecParameters().MediaType() != astiav.MediaTypeData {
		return false
	}
	code := tagOf(in, "timecode")
	return code != "" && code == tagOf(video, "timecode")
}
