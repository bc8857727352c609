package video

import (
	"fmt"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/plural"
)

// A copied stream goes into the output packet by packet, unchanged.
type copied struct {
	info     StreamInfo
	out      *astiav.Stream
	base     astiav.Rational // of the source's stream
	cover    bool
	lastDTS  int64
	strict   bool             // the container requires increasing decoding times
	editList bool             // an edit list hides the packets that the demuxer marks
	shown    bool             // a packet that is not hidden was seen
	lead     []*astiav.Packet // the hidden packets before it
	filter   *astiav.BitStreamFilterContext
	delay    struct { // by how much the filter delays the first frame
		ticks int64
		known bool
	}
	refused int64 // packets that the container did not accept
	reason  error
}

// addCopies adds an output stream for each source stream that the container accepts,
// and records the losses.
func (s *Sink) addCopies(c container, of *astiav.OutputFormat) error {
	s.copies = make(map[int]*copied)
	if s.VideoOnly {
		for _, l := range c.tagLosses(s.Source) {
			s.addLoss(l)
		}
		return nil
	}
	left := make(map[int]bool)
	for _, l := range c.losses(s.Source) {
		s.addLoss(l)
		if l.Part == "" {
			left[l.Stream.Index] = true
		}
	}
	for _, in := range s.Source.otherStreams() {
		si := streamInfo(in)
		if left[si.Index] {
			continue
		}
		if attached(in) && c.muxer == "matroska" {
			if err := s.attachCover(in); err != nil {
				return fmt.Errorf("copying the cover of stream %d: %w", si.Index, err)
			}
			continue
		}
		out := s.output.NewStream(nil)
		if out == nil {
			return fmt.Errorf("adding a stream: %w", errOutOfMemory)
		}
		if err := copyParameters(out.CodecParameters(), in.CodecParameters(), of); err != nil {
			return fmt.Errorf("copying the parameters of stream %d: %w", si.Index, err)
		}
		tagHEVC(of, out.CodecParameters())
		if c.muxer == "matroska" {
			if err := s.describeAAC(out); err != nil {
				return fmt.Errorf("describing stream %d: %w", si.Index, err)
			}
		}
		if err := copyStreamMetadata(out, in, false); err != nil {
			return fmt.Errorf("copying the tags of stream %d: %w", si.Index, err)
		}
		out.SetTimeBase(in.TimeBase())
		out.SetAvgFrameRate(in.AvgFrameRate())
		out.SetSampleAspectRatio(in.SampleAspectRatio())
		s.numberCopy(c, out, in)
		s.copies[si.Index] = &copied{info: si, out: out, base: in.TimeBase(), cover: attached(in), lastDTS: astiav.NoPtsValue,
			strict: !of.Flags().Has(astiav.IOFormatFlagTsNonstrict), editList: s.hidesPackets(in)}
	}
	return nil
}

// attachCover stores a cover as Matroska does: as an attachment, which is a named file.
func (s *Sink) attachCover(in *astiav.Stream) error {
	out := s.output.NewStream(nil)
	if out == nil {
		return errOutOfMemory
	}
	if err := copyStreamMetadata(out, in, false); err != nil {
		return err
	}
	if err := setAttachment(out, in); err != nil {
		return err
	}
	name := in.CodecParameters().CodecID().Name()
	ext, kind := name, name
	if name == "mjpeg" {
		ext, kind = "jpg", "jpeg"
	}
	m := out.Metadata()
	if m == nil {
		m = astiav.NewDictionary()
	}
	for key, value := range map[string]string{"filename": "cover." + ext, "mimetype": "image/" + kind} {
		if err := m.Set(key, value, astiav.NewDictionaryFlags(astiav.DictionaryFlagDontOverwrite)); err != nil {
			return err
		}
	}
	out.SetMetadata(m)
	return nil
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
			lost = append(lost, Loss{Stream: c.info, Part: plural.Of(int(c.refused), "packet"), Reason: fmt.Sprintf("could not be copied: %v", c.reason), Minor: c.info.Kind == "data"})
		}
	}
	slices.SortFunc(lost, func(a, b Loss) int { return a.Stream.Index - b.Stream.Index })
	return lost
}
