package video

import (
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// How containers treat the tags of the file and time codes. FFmpeg's muxers silently
// drop what they cannot store.

const timecodeTag = "timecode"

// muxersTags describe the input file itself, not its content.
var muxersTags = []string{"encoder", "major_brand", "minor_version", "compatible_brands", "duration"}

// The tags that a muxer keeps.
var (
	transportTags = []string{"title", "service_name", "service_provider"}
	riffTagNames  = []string{"artist", "comment", "copyright", "date", "genre", "language", "title", "album", "track",
		timecodeTag, "encoded_by"}
)

// dictionary lists the entries of a dictionary, which may be nil.
func dictionary(d *astiav.Dictionary) (entries []*astiav.DictionaryEntry) {
	if d == nil {
		return nil
	}
	var e *astiav.DictionaryEntry
	for {
		if e = d.Get("", e, astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)); e == nil {
			return entries
		}
		entries = append(entries, e)
	}
}

// tagLosses lists the tags of the file that the container drops, and the time code,
// which some files store as a tag of the video.
func (c container) tagLosses(src *Source) (lost []Loss) {
	if c.tags == nil {
		return nil
	}
	var names []string
	code := tagOf(src.stream, timecodeTag) != ""
	for _, e := range dictionary(src.input.Metadata()) {
		switch key := strings.ToLower(e.Key()); {
		case key == timecodeTag:
			code = true
		case !slices.Contains(c.tags, key) && !slices.Contains(muxersTags, key):
			names = append(names, e.Key())
		}
	}
	if code && !slices.Contains(c.tags, timecodeTag) {
		lost = append(lost, src.timecodeLoss(c.muxer+" has no place for it; .mp4, .mov and .mkv have"))
	}
	if len(names) > 0 {
		what := "the tag "
		if len(names) > 1 {
			what = "the tags "
		}
		slices.Sort(names)
		lost = append(lost, Loss{Part: what + strings.Join(names, ", "), Minor: true, Reason: c.muxer + " has no place for such; .mkv has"})
	}
	return lost
}

// timecode returns the time code of the video or, if it has none, that of the file.
func (s *Source) timecode() string {
	if code := tagOf(s.stream, timecodeTag); code != "" {
		return code
	}
	for _, e := range dictionary(s.input.Metadata()) {
		if strings.EqualFold(e.Key(), timecodeTag) {
			return e.Value()
		}
	}
	return ""
}

func (s *Source) timecodeLoss(why string) Loss {
	return Loss{Stream: s.info.video(), Part: "the time code", Reason: why, Minor: true}
}

// timecodeMisfit says why a time code track cannot hold the time code of the source.
const timecodeMisfit = "a time code track cannot count that many frames a second, or the tag is no time code; .mkv takes any"

// timecodeLosses returns the loss of a time code in the MP4 family, as far as it is
// known before the output has its streams.
func (c container) timecodeLosses(src *Source) []Loss {
	if c.muxer != "mp4" && c.muxer != "mov" || timecodeFits(src.input) {
		return nil
	}
	return []Loss{src.timecodeLoss(timecodeMisfit)}
}

// placeTimecode turns the time code of the video into a tag of the file, for containers
// that can only store it there.
func (s *Sink) placeTimecode(c container) error {
	code := tagOf(s.Source.stream, timecodeTag)
	if code == "" || !slices.Contains(c.tags, timecodeTag) {
		return nil
	}
	m := s.output.Metadata()
	if m == nil {
		m = astiav.NewDictionary()
	}
	if err := m.Set(timecodeTag, code, astiav.NewDictionaryFlags(astiav.DictionaryFlagDontOverwrite)); err != nil {
		return err
	}
	s.output.SetMetadata(m)
	return nil
}
