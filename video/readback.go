package video

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/asticode/go-astiav"
)

// readBack opens the file that was written, finds its video and decodes the first
// frame, because FFmpeg writes some files that it cannot read, without an error. It
// costs about as much as encoding one frame. The output of a pipe or a device cannot be
// read back and is not checked.
func (s *Sink) readBack(path string) error {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		return nil
	}
	fail := func(format string, args ...any) error {
		return &PathError{Path: s.Path, Err: ErrReadBack, Detail: fmt.Sprintf(format, args...)}
	}
	d, err := openDemuxer(path, false)
	if err != nil {
		var pe *PathError
		if errors.As(err, &pe) {
			if errors.Is(pe, ErrUnreadable) && pe.Detail != "" {
				return fail("%s", pe.Detail) // an error of the system; the file itself may be good
			}
			return fail("%v", pe.Err)
		}
		return fail("%v", err)
	}
	defer d.close()
	pkt := astiav.AllocPacket()
	if pkt == nil {
		return fmt.Errorf("reading %s back: %w", s.Path, errOutOfMemory)
	}
	defer pkt.Free()
	stream, err := firstPacket(d.format, pkt)
	if err != nil {
		return fail("%v", err)
	}
	if err := s.checkLength(d.format, stream); err != nil {
		return fail("%v", err)
	}
	w, h, err := decodeAlone(stream, pkt, s.compareSideData)
	switch e := s.encoder; {
	case err != nil:
		return fail("%v", err)
	case w != 0 && (w != e.w || h != e.h):
		return fail("its frames are %dx%d, not %dx%d", w, h, e.w, e.h)
	}
	return nil
}

// firstPacket reads the first packet of the encoded stream. That stream was added
// first, so it is the first video of the file, before copied ones. MPEG-TS may announce
// its streams only with their packets.
func firstPacket(input *astiav.FormatContext, pkt *astiav.Packet) (*astiav.Stream, error) {
	for {
		if err := input.ReadFrame(pkt); err != nil {
			if errors.Is(err, astiav.ErrEof) {
				return nil, errors.New("it has no frames")
			}
			return nil, err
		}
		for _, st := range input.Streams() {
			if st.CodecParameters().MediaType() != astiav.MediaTypeVideo || attached(st) {
				continue
			}
			if st.Index() == pkt.StreamIndex() {
				return st, nil
			}
			break
		}
		pkt.Unref()
	}
}

// checkLength compares the length in the header with what was written. Containers that
// state neither the number of packets nor a duration pass.
func (s *Sink) checkLength(input *astiav.FormatContext, stream *astiav.Stream) error {
	if s.still {
		return nil
	}
	if n := stream.NbFrames(); n > 0 && n < s.packets {
		return fmt.Errorf("it says that it has %d packets of video, %d were written", n, s.packets)
	}
	base, says := Rational{1, 1e6}, input.Duration()
	if d := stream.Duration(); d != astiav.NoPtsValue && d > 0 {
		base, says = fromAV(stream.TimeBase()), d
	}
	if says == astiav.NoPtsValue || says <= 0 {
		return nil
	}
	// Containers round times, and some do not state the last duration.
	want, got, frame := s.length, base.Duration(says), time.Duration(0)
	if r := s.info.Rate(); r.Known() {
		frame = Rational{r.Den, r.Num}.Duration(1)
	}
	if got < want-want/100-2*frame {
		return fmt.Errorf("it says that it is %v long, %v were written", got, want)
	}
	return nil
}

// decodeAlone decodes a single packet, which has to be a key frame as the first one is,
// and returns the size of the frame. Where this FFmpeg has an encoder but no decoder
// the size is 0: a packet has to be enough. inspect is called with the frame.
func decodeAlone(stream *astiav.Stream, pkt *astiav.Packet, inspect func(*astiav.Frame)) (w, h int, err error) {
	p := stream.CodecParameters()
	codec := astiav.FindDecoder(p.CodecID())
	if codec == nil || codec.Name() == "av1" { // FFmpeg's own decoder only feeds hardware
		if p.CodecID() == astiav.CodecIDNone || p.CodecID() == astiav.CodecIDBinData {
			return 0, 0, errors.New("its video codec is unknown")
		}
		return 0, 0, nil
	}
	cc, f := astiav.AllocCodecContext(codec), astiav.AllocFrame()
	if cc == nil || f == nil {
		return 0, 0, errOutOfMemory
	}
	defer cc.Free()
	defer f.Free()
	if err := cc.FromCodecParameters(p); err != nil {
		return 0, 0, err
	}
	cc.SetThreadCount(1) // more threads would wait for more packets
	showFromAnywhere(cc)
	lines, err := watchErrors(func() error {
		if err := cc.Open(codec, nil); err != nil {
			return err
		}
		for _, in := range []*astiav.Packet{pkt, nil} {
			if err := cc.SendPacket(in); err != nil {
				return err
			}
		}
		return cc.ReceiveFrame(f)
	})
	switch {
	case errors.Is(err, astiav.ErrEof) || errors.Is(err, io.EOF):
		return 0, 0, errors.New("its first packet holds no frame")
	case err != nil:
		return 0, 0, fmt.Errorf("its first frame cannot be decoded: %s", detail(lines, err))
	}
	inspect(f)
	return f.Width(), f.Height(), nil
}
