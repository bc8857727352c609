package video

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// tagHEVC gives H.265 in files of the MP4 family the one tag that Apple's players
// accept. The tag says that the parameter sets are in the header.
func tagHEVC(of *astiav.OutputFormat, p *astiav.CodecParameters) {
	if n := of.Name(); p.CodecID() != astiav.CodecIDHevc || n != "mp4" && n != "mov" {
		return
	}
	if t := p.CodecTag(); t != 0 && t != fourCC("hev1") {
		return // some other codec tag, as for Dolby Vision
	}
	const arrays = 22 // offset in hvcC of the number of parameter set arrays
	if b := p.ExtraData(); len(b) > 0 && (b[0] != 1 || len(b) > arrays && b[arrays] > 0) {
		p.SetCodecTag(fourCC("hvc1"))
	}
}

func fourCC(name string) astiav.CodecTag {
	return astiav.CodecTag(binary.LittleEndian.Uint32([]byte(name)))
}

// reverseNames are prefixes of tag keys. Apple's and Android cameras store the time and
// the place of a recording under them.
var reverseNames = []string{"com.apple.", "com.android."}

// keyedTags reports whether a file has tags with such keys. Files of the MP4 family
// store them in a separate box.
func keyedTags(c *astiav.FormatContext) bool {
	return slices.ContainsFunc(dictionary(c.Metadata()), func(e *astiav.DictionaryEntry) bool {
		key := strings.ToLower(e.Key())
		return slices.ContainsFunc(reverseNames, func(p string) bool { return strings.HasPrefix(key, p) })
	})
}

// keysTags reports whether the output has that box. It replaces the box that holds a
// cover.
func (s *Sink) keysTags() bool {
	if !keyedTags(s.output) {
		return false
	}
	for _, c := range s.copies {
		if c.cover {
			s.addLoss(Loss{Part: "the camera's tags of place and time", Minor: true, Reason: "MP4 cannot hold them together with a cover; .mkv can"})
			return false
		}
	}
	return true
}

// numberCopy sets the ID of a copied stream. FFmpeg itself assigns an ID to only one
// video of a Blu-ray stream, so the others get those of secondary videos.
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

// keepsPIDs reports whether the streams can keep the IDs that they have in the source.
// In MPEG-TS these are packet identifiers, and the muxer needs some of them.
func (s *Sink) keepsPIDs(c container) bool {
	if c.muxer != "mpegts" {
		return true
	}
	if s.info.Container != "mpegts" {
		return false
	}
	const first, last = 0x20, 0x1ffe // the other PIDs are those of tables and of null packets
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
