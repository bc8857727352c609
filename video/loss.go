package video

import (
	"fmt"
	"strings"
)

// A Loss is something of the source that the output does not have.
type Loss struct {
	// Stream is of which stream; Kind is empty where it is of the whole file.
	Stream StreamInfo
	// Part is what is gone of it, such as "alpha"; empty stands for all of it.
	Part string
	// Reason says why.
	Reason string
	// Encoders, where there are some, are encoders that an output of that name can have
	// and that keep it.
	Encoders []string
	// Minor losses are of what is neither seen, heard nor read: sensor records of a
	// camera, marks for advertisements, statements about brightness.
	Minor bool
}

// What says what is gone, without the reason: "audio stream 1 (opus)".
func (l Loss) What() string {
	if l.Stream.Kind == "" {
		return l.Part
	}
	stream := fmt.Sprintf("%s stream %d (%s)", l.Stream.Kind, l.Stream.Index, l.Stream.Codec)
	if l.Part == "" {
		return stream
	}
	return l.Part + " of " + stream
}

// lose takes note of a loss and says so.
func (s *Sink) lose(l Loss) {
	s.lost = append(s.lost, l)
	args := []any{"reason", l.Reason}
	if l.Stream.Language != "" {
		args = append(args, "language", l.Stream.Language)
	}
	if len(l.Encoders) > 0 {
		args = append(args, "kept_by", strings.Join(l.Encoders, ", "))
	}
	if l.Minor {
		s.Log.Info("left out: "+l.What(), args...)
		return
	}
	s.Log.Warn("left out: "+l.What(), args...)
}

// videoInfo describes the stream that is encoded, as that of the source.
func (s *Sink) videoInfo() StreamInfo { return s.info.video() }

func (i Info) video() StreamInfo { return StreamInfo{Index: i.index, Kind: "video", Codec: i.Codec} }
