package video

import (
	"fmt"
	"strings"
)

// A Loss is something of the source that the output lacks.
type Loss struct {
	// Stream is the stream that loses something. Its Kind is empty if the loss concerns
	// the whole file.
	Stream StreamInfo
	// Part is what is lost, such as "alpha"; empty means all of the stream.
	Part string
	// Reason says why.
	Reason string
	// Encoders lists encoders that fit the output and would keep it, if there are any.
	Encoders []string
	// Minor losses affect nothing that is seen, heard or read: sensor data of a camera,
	// advertisement markers, metadata about brightness.
	Minor bool
}

// What describes the loss without its reason: "audio stream 1 (opus)".
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

// addLoss records a loss and logs it.
func (s *Sink) addLoss(l Loss) {
	s.lost = append(s.lost, l)
	args := []any{"output", s.Path, "reason", l.Reason}
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

// videoInfo describes the encoded stream as that of the source.
func (s *Sink) videoInfo() StreamInfo { return s.info.video() }

func (i Info) video() StreamInfo { return StreamInfo{Index: i.index, Kind: "video", Codec: i.Codec} }
