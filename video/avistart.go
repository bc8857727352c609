package video

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/asticode/go-astiav"
)

// AVI numbers the packets of each stream from zero, and states in the stream's header
// how late the stream starts. FFmpeg always states no delay. It fills a delay with
// empty chunks, but only behind the first packet. So every stream is written from zero,
// and its start is put into the header at the end.
type starts struct {
	origin time.Duration // the earliest start
	late   map[int]int64 // by output index, how much later a stream starts, in its ticks
}

// beginStarts sets the origin to the earliest start of the video and of the copied
// streams.
func (s *Sink) beginStarts() {
	s.starts = starts{origin: s.info.TimeBase.Duration(s.info.StartPTS), late: make(map[int]int64)}
	for i, c := range s.copies {
		in := s.Source.input.Streams()[i]
		kind := in.CodecParameters().MediaType()
		if t := in.StartTime(); t != astiav.NoPtsValue && (kind == astiav.MediaTypeAudio || kind == astiav.MediaTypeVideo) {
			s.starts.origin = min(s.starts.origin, fromAV(c.base).Duration(t))
		}
	}
	video := s.info.TimeBase.Duration(s.info.StartPTS) - s.starts.origin
	s.starts.late[s.stream.Index()] = ticksOf(video, s.stream.TimeBase())
}

// fromZero shifts a packet of a copied stream so that the stream starts at zero.
func (s *starts) fromZero(p *astiav.Packet, stream *astiav.Stream) {
	ts := p.Dts()
	if ts == astiav.NoPtsValue {
		return
	}
	base := stream.TimeBase()
	late, known := s.late[stream.Index()]
	if !known {
		late = max(0, ts-ticksOf(s.origin, base))
		s.late[stream.Index()] = late
	}
	move := ticksOf(s.origin, base) + late
	p.SetDts(ts - move)
	if p.Pts() != astiav.NoPtsValue {
		p.SetPts(p.Pts() - move)
	}
}

func ticksOf(d time.Duration, base astiav.Rational) int64 {
	return rescale(int64(d), Rational{1, int(time.Second)}, fromAV(base))
}

// write puts the starts into the header of a finished file.
func (s *starts) write(path string) error {
	if slices.Max(slices.Collect(maps.Values(s.late))) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	const (
		listAt  = 12 // behind "RIFF", its size and "AVI "
		startIn = 28 // dwStart in a stream header
	)
	stream, end := 0, int64(math.MaxInt64)
	for at := int64(listAt); at < end; {
		var head [12]byte
		if _, err := f.ReadAt(head[:], at); err != nil {
			return fmt.Errorf("reading a header of %s: %w", path, noEOF(err))
		}
		size := int64(binary.LittleEndian.Uint32(head[4:8]))
		switch string(head[:4]) {
		case "LIST":
			if string(head[8:]) == "hdrl" {
				end = at + 8 + size
			}
			at += 12 // descend into the list
			continue
		case "strh":
			if late := s.late[stream]; late > 0 && late <= math.MaxUint32 && size >= startIn+4 {
				if _, err := f.WriteAt(binary.LittleEndian.AppendUint32(nil, uint32(late)), at+8+startIn); err != nil {
					return err
				}
			}
			stream++
		}
		at += 8 + size + size%2
	}
	return f.Close()
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
