package video

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// This file finds out which streams of a source a container accepts. FFmpeg's muxers
// are tested by writing a header, because their own statements are not reliable.

// Lists of the codecs, other than those of video, that a reader of MPEG-TS recognises.
// FFmpeg writes all other codecs too, as private data that no reader can identify.
// TestCarries writes and reads them.
var (
	otherTransportCodecs = []astiav.CodecID{
		astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAac, astiav.CodecIDAacLatm, astiav.CodecIDAc3, astiav.CodecIDEac3,
		astiav.CodecIDDts, astiav.CodecIDOpus, astiav.CodecIDS302M,
		astiav.CodecIDDvbSubtitle, astiav.CodecIDDvbTeletext, codecARIBCaption,
		astiav.CodecIDTimedId3, astiav.CodecIDSmpteKlv, codecSMPTE2038,
	}
	otherBluRayCodecs = []astiav.CodecID{
		astiav.CodecIDAc3, astiav.CodecIDEac3, astiav.CodecIDDts, astiav.CodecIDTruehd, astiav.CodecIDPcmBluray,
		astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAac, astiav.CodecIDOpus, // not in the standard, but recognised by their content
		astiav.CodecIDHdmvPgsSubtitle, codecHDMVTextSubtitle,
	}
)

// coverCodecs are the codecs of covers.
var coverCodecs = []astiav.CodecID{astiav.CodecIDMjpeg, astiav.CodecIDPng, astiav.CodecIDBmp, astiav.CodecIDGif, astiav.CodecIDTiff}

// refusal returns why c cannot hold a stream of another file, or "" if it can.
func (c container) refusal(in *astiav.Stream) string {
	p := in.CodecParameters()
	codec := p.CodecID().Name()
	of := astiav.FindOutputFormat(c.muxer)
	switch {
	case c.bare:
		return c.muxer + " holds frames and nothing else"
	case of == nil:
		return "this FFmpeg cannot write " + c.muxer
	case p.MediaType() == astiav.MediaTypeAttachment:
		if c.muxer != "matroska" {
			return c.muxer + " has no attachments"
		}
		return ""
	case p.CodecID() == astiav.CodecIDNone, p.CodecID() == astiav.CodecIDBinData && p.CodecTag() != fourCC("gpmd"):
		// The MP4 muxer would declare unnamed data to be the telemetry of a GoPro.
		return "FFmpeg does not know what it is"
	case p.MediaType() == astiav.MediaTypeAudio && p.SampleRate() <= 0:
		return "it is damaged: its sample rate is unknown" // one such stream spoils the header
	case attached(in):
		// Only as a cover: otherwise it would become a video of one frame.
		switch {
		case c.muxer == "matroska" && slices.Contains(coverCodecs, p.CodecID()):
			return ""
		case c.muxer != "mp4": // the mov muxer silently drops covers
			return c.muxer + " has no covers"
		}
	case c.takes != nil:
		if !c.takes[p.CodecID()] && !slices.Contains(c.otherCodecs, p.CodecID()) {
			return fmt.Sprintf("a reader of %s would not recognise %s", c.muxer, codec)
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

// suggested are the extensions that are suggested for a stream, the most common first.
var suggested = []string{".mp4", ".mov", ".mkv", ".m2ts"}

// alternatives names containers that accept a stream which another one refuses.
func alternatives(in *astiav.Stream) string {
	var can []string
	for _, ext := range suggested {
		if containers[ext].refusal(in) == "" {
			can = append(can, ext)
		}
	}
	if len(can) == 0 {
		return ""
	}
	return "; " + strings.Join(can, ", ") + " can hold it"
}

// Losses lists what an output with that format or the extension of path will lack of an
// opened source, as far as it is known before the work starts. [Sink.Lost] lists all of it.
func Losses(path, format string, src *Source) []Loss {
	c, err := containerOf(path, format, src.info.Still)
	if err != nil {
		return nil
	}
	return slices.Concat(src.unreadParts(), c.losses(src), c.timecodeLosses(src))
}

// losses lists the losses of other streams, chapters and tags. An image is expected to
// hold nothing but the image, so it has none.
func (c container) losses(src *Source) (lost []Loss) {
	if c.image {
		return nil
	}
	for _, in := range src.otherStreams() {
		if why := c.refusal(in); why != "" {
			si := streamInfo(in)
			if c.bare {
				why += holders(in)
			} else {
				why += alternatives(in)
			}
			lost = append(lost, Loss{Stream: si, Reason: why, Minor: si.Kind == "data"})
		}
	}
	if n := chapterCount(src.input); n > 0 && !c.chapters {
		lost = append(lost, Loss{Part: "chapters", Reason: fmt.Sprintf("%s has no place for them; .mp4, .mov and .mkv have", c.muxer)})
	}
	return append(lost, c.tagLosses(src)...)
}

// otherStreams lists the streams other than the video. Streams that the demuxer itself
// skips are left out: they hold chapters, for example, which were read already.
func (s *Source) otherStreams() (list []*astiav.Stream) {
	for _, st := range s.input.Streams() {
		if s.grid == nil && st.Index() != s.stream.Index() && st.Discard() != astiav.DiscardAll && !muxerMakes(st, s.stream) {
			list = append(list, st)
		}
	}
	return list
}

// muxerMakes reports whether the muxer makes the stream itself, as it does with time
// codes, from the tag of the video.
func muxerMakes(in, video *astiav.Stream) bool {
	if in.CodecParameters().MediaType() != astiav.MediaTypeData {
		return false
	}
	code := tagOf(in, "timecode")
	return code != "" && code == tagOf(video, "timecode")
}
