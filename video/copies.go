package video

import (
	"fmt"
	"slices"

	"github.com/asticode/go-astiav"
)

// A copied stream goes into the output packet by packet, untouched.
type copied struct {
	info    StreamInfo
	out     *astiav.Stream
	base    astiav.Rational // of the source's stream
	cover   bool
	lastDTS int64
	strict  bool             // the container takes no two packets with one decoding time
	hides   bool             // packets that the demuxer marks are hidden by an edit list
	shown   bool             // one that is not hidden was there
	lead    []*astiav.Packet // hidden ones before
	filter  *astiav.BitStreamFilterContext
	waits   struct { // how long the first picture out of filter does for others
		ticks int64
		known bool
	}
	refused int64 // packets that the container did not take
	reason  error
}

// addCopies adds an output stream for each of the source's that the container
// takes, and says which it does not.
func (s *Sink) addCopies(of *astiav.OutputFormat) error {
	s.copies = make(map[int]*copied)
	for _, in := range s.Source.input.Streams() {
		if in.Index() == s.Source.stream.Index() || in.Discard() == astiav.DiscardAll {
			continue // what the demuxer itself skips holds chapters, say, read already
		}
		si := streamInfo(in)
		if remade(in, s.Source.stream) {
			continue
		}
		if !carries(of, in) {
			if si.Kind == "data" {
				// Sensor records of cameras and the like, which hardly any
				// container but their own takes, and nobody plays.
				s.Log.Info("a data stream is left out: the container does not take it",
					"stream", si.Index, "codec", si.Codec, "container", of.Name())
				continue
			}
			s.lose(si, "the container "+of.Name()+" does not take it")
			continue
		}
		out := s.output.NewStream(nil)
		if out == nil {
			return fmt.Errorf("adding a stream: %w", errOutOfMemory)
		}
		if err := copyParameters(out.CodecParameters(), in.CodecParameters(), of); err != nil {
			return fmt.Errorf("copying the parameters of stream %d: %w", si.Index, err)
		}
		if err := copyStreamMetadata(out, in, false); err != nil {
			return fmt.Errorf("copying the tags of stream %d: %w", si.Index, err)
		}
		out.SetTimeBase(in.TimeBase())
		out.SetAvgFrameRate(in.AvgFrameRate())
		out.SetSampleAspectRatio(in.SampleAspectRatio())
		out.SetID(in.ID())
		s.copies[si.Index] = &copied{info: si, out: out, base: in.TimeBase(), cover: attached(in), lastDTS: astiav.NoPtsValue,
			strict: !of.Flags().Has(astiav.IOFormatFlagTsNonstrict), hides: s.hidesPackets(in)}
	}
	return nil
}

// remade reports whether the muxer makes the stream itself: time codes, from
// the tag of the video.
func remade(in, video *astiav.Stream) bool {
	if in.CodecParameters().MediaType() != astiav.MediaTypeData {
		return false
	}
	tag := func(st *astiav.Stream) string {
		if m := st.Metadata(); m != nil {
			if e := m.Get("timecode", nil, astiav.NewDictionaryFlags()); e != nil {
				return e.Value()
			}
		}
		return ""
	}
	return tag(in) != "" && tag(in) == tag(video)
}

func carries(of *astiav.OutputFormat, in *astiav.Stream) bool {
	p := in.CodecParameters()
	if p.MediaType() == astiav.MediaTypeAttachment {
		return of.Name() == "matroska" // which says yes only to what it calls codecs
	}
	if p.CodecID() == astiav.CodecIDNone {
		return false
	}
	if p.MediaType() == astiav.MediaTypeAudio && p.SampleRate() <= 0 {
		return false // damaged: nothing is known of it, and one such stream spoils the header
	}
	if attached(in) {
		// As a cover, that is: elsewhere it would become a video of one frame.
		return slices.Contains([]string{"mp4", "mov"}, of.Name()) && canStore(of, p.CodecID()) == takes
	}
	switch canStore(of, p.CodecID()) {
	case takes:
		return true
	case unsure:
		return p.MediaType() == astiav.MediaTypeAudio
	}
	return false
}

func (s *Sink) lose(si StreamInfo, why string) {
	s.Log.Warn("a stream is left out", "stream", si.Index, "kind", si.Kind, "codec", si.Codec, "language", si.Language, "reason", why)
	s.lost = append(s.lost, Loss{si, why})
}

func (s *Sink) refuse(c *copied, err error) {
	if c.refused++; c.refused == 1 {
		c.reason = err
		s.Log.Warn("a packet of another stream could not be copied", "stream", c.info.Index, "kind", c.info.Kind, "error", err)
	}
}

func (s *Sink) lostPackets() (lost []Loss) {
	for _, c := range s.copies {
		if c.refused > 0 {
			lost = append(lost, Loss{c.info, fmt.Sprintf("%d packets could not be copied: %v", c.refused, c.reason)})
		}
	}
	slices.SortFunc(lost, func(a, b Loss) int { return a.Stream.Index - b.Stream.Index })
	return lost
}
