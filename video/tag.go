package video

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// tagHEVC gives H.265 in files of the MP4 family the only one of its names that
// players of Apple take. It says that the parameter sets are in the header.
func tagHEVC(of *astiav.OutputFormat, p *astiav.CodecParameters) {
	if n := of.Name(); p.CodecID() != astiav.CodecIDHevc || n != "mp4" && n != "mov" {
		return
	}
	if t := p.CodecTag(); t != 0 && t != fourCC("hev1") {
		return // a name of another kind, as Dolby Vision has
	}
	const arrays = 22 // where hvcC counts its lists of parameter sets
	if b := p.ExtraData(); len(b) > 0 && (b[0] != 1 || len(b) > arrays && b[arrays] > 0) {
		p.SetCodecTag(fourCC("hvc1"))
	}
}

func fourCC(name string) astiav.CodecTag {
	return astiav.CodecTag(binary.LittleEndian.Uint32([]byte(name)))
}

// reverseNames are how the keys begin that cameras of Apple and with Android write
// when and where they filmed under.
var reverseNames = []string{"com.apple.", "com.android."}

// keyedTags reports whether a file has tags whose keys are such names, for which
// files of the MP4 family have a box of their own.
func keyedTags(c *astiav.FormatContext) bool {
	return slices.ContainsFunc(dictionary(c.Metadata()), func(e *astiav.DictionaryEntry) bool {
		key := strings.ToLower(e.Key())
		return slices.ContainsFunc(reverseNames, func(p string) bool { return strings.HasPrefix(key, p) })
	})
}

// keysTags reports whether the output has that box. It takes the place of the one
// in which a cover lies.
func (s *Sink) keysTags() bool {
	if !keyedTags(s.output) {
		return false
	}
	for _, c := range s.copies {
		if c.cover {
			s.lose(Loss{Part: "what the camera wrote of place and time", Minor: true, Reason: "MP4 cannot have it beside a cover; .mkv can"})
			return false
		}
	}
	return true
}

// numberCopy gives a copied stream its number. FFmpeg numbers one video of a Blu-ray
// stream by itself: the others get numbers of secondary videos.
func (s *Sink) numberCopy(c container, out, in *astiav.Stream) {
	const secondary = 0x1b00
	switch {
	case s.keepsPIDs(c):
		out.SetID(in.ID())
	case s.isBluRay() && in.CodecParameters().MediaType() == astiav.MediaTypeVideo:
		out.SetID(secondary + out.Index())
	}
}

func (s *Sink) isBluRay() bool { return strings.EqualFold(filepath.Ext(s.Path), ".m2ts") }

// keepsPIDs reports whether the streams can have the numbers that they have in the
// source. In MPEG-TS these are packet identifiers, some of which the muxer needs.
func (s *Sink) keepsPIDs(c container) bool {
	if c.muxer != "mpegts" {
		return true
	}
	if s.info.Container != "mpegts" {
		return false
	}
	const first, last = 0x20, 0x1ffe // the others are those of tables, and of nothing
	tables := []int{0x1000}
	if s.isBluRay() {
		tables = []int{0x100, 0x1f}
	}
	seen := make(map[int]bool)
	for _, st := range s.Source.input.Streams() {
		id := st.ID()
		if id < first || id > last || seen[id] || slices.Contains(tables, id) {
			return false
		}
		seen[id] = true
	}
	return true
}
