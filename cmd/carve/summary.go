package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// A summary is the result of a run.
type summary struct {
	MessageType string           `json:"message_type"`
	Output      string           `json:"output"` // the first
	Outputs     []outputSummary  `json:"outputs"`
	Frames      int64            `json:"frames"`
	Duration    float64          `json:"duration_s"`
	Elapsed     float64          `json:"elapsed_s"`
	KeyFrames   int64            `json:"key_frames"` // frames that the model saw
	Concepts    []conceptSummary `json:"concepts"`
	Stages      []stageSummary   `json:"stages"`
	Lost        []lossSummary    `json:"lost,omitempty"` // of the input, missing in outputs
}

// A lossSummary is something of the input that some outputs do not have.
type lossSummary struct {
	What     string `json:"what"`
	Stream   *int   `json:"stream,omitempty"` // its index in the input; nil for the whole file
	Kind     string `json:"kind,omitempty"`
	Codec    string `json:"codec,omitempty"`
	Language string `json:"language,omitempty"`
	Reason   string `json:"reason"`
	Minor    bool   `json:"minor,omitempty"` // it does not change the exit code

	Outputs []string `json:"outputs"` // which lack it
}

// where says which outputs lack something, if there are others.
func (s *summary) where(l *lossSummary) string {
	if len(s.Outputs) < 2 {
		return ""
	}
	return " in " + strings.Join(l.Outputs, ", ")
}

// An outputSummary is one of the outputs.
type outputSummary struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
}

func newSummary(outputs []output, r *carve.Report, elapsed time.Duration, lost []loss) *summary {
	s := &summary{Output: outputs[0].Path, Frames: r.Frames, Duration: (r.End - r.Start).Seconds(), Elapsed: elapsed.Seconds(), KeyFrames: r.KeyFrames}
	for _, o := range outputs {
		s.Outputs = append(s.Outputs, outputSummary{o.Kind, o.Path})
	}
	for _, q := range r.Queries {
		s.Concepts = append(s.Concepts, conceptSummary{Label: q.Label, Frames: q.Frames, Presence: q.Presence,
			Evaluated: q.Evaluated, Judged: q.Judged, Instances: q.Instances})
	}
	for _, st := range r.Stages {
		s.Stages = append(s.Stages, stageSummary{st.Name, st.Frames, st.Busy.Seconds(), st.Waiting.Seconds(), st.Blocked.Seconds(), st.Queue})
	}
	s.addLosses(lost)
	return s
}

func (s *summary) addLosses(lost []loss) {
	for _, l := range lost {
		e := lossSummary{What: l.What(), Kind: l.Stream.Kind, Codec: l.Stream.Codec, Language: l.Stream.Language, Reason: lossReason(l.Loss), Minor: l.Minor, Outputs: l.outputs}
		if l.Stream.Kind != "" {
			e.Stream = &l.Stream.Index
		}
		s.Lost = append(s.Lost, e)
	}
}

// lossReason returns why something is lost, and the flag that would keep it.
func lossReason(l video.Loss) string {
	if len(l.Encoders) == 0 {
		return l.Reason
	}
	return fmt.Sprintf("%s; --encoder %s keeps it", l.Reason, strings.Join(l.Encoders, " or "))
}

type conceptSummary struct {
	Label     string  `json:"label"`
	Frames    int64   `json:"frames"`             // in which it is found
	Presence  float32 `json:"presence,omitempty"` // the highest; 0 if it was not computed
	Evaluated int64   `json:"evaluated"`          // key frames in which it was evaluated
	Judged    int64   `json:"judged"`             // of them, those in which it was judged
	// Instances is the number of its instances, with --instances.
	Instances int `json:"instances,omitempty"`
}

type stageSummary struct {
	Name    string  `json:"name"`
	Frames  int64   `json:"frames"`
	Busy    float64 `json:"busy_s"`
	Waiting float64 `json:"waiting_s"`
	Blocked float64 `json:"blocked_s"`
	Queue   float64 `json:"queue"` // frames waiting for it, on average
}

func (s *summary) print(o *segmentOptions, stdout, stderr io.Writer) {
	s.MessageType = "summary"
	if o.progress == "json" {
		line, _ := json.Marshal(s)
		fmt.Fprintf(stdout, "%s\n", line)
	}
	if o.quiet || o.logFormat == "json" {
		return
	}
	frames := "frames"
	if s.Frames == 1 {
		frames = "frame"
	}
	paths := make([]string, len(s.Outputs))
	for i, o := range s.Outputs {
		paths[i] = printable.Text(o.Path)
	}
	fmt.Fprintf(stderr, "wrote %s: %d %s in %.1f s (%.2f fps)\n", strings.Join(paths, ", "), s.Frames, frames, s.Elapsed, float64(s.Frames)/max(s.Elapsed, 1e-9))
	if o.verbose {
		var evaluated, judged int64
		for _, c := range s.Concepts {
			evaluated, judged = evaluated+c.Evaluated, judged+c.Judged
		}
		fmt.Fprintf(stderr, "  key frames: %d; %s evaluated there, %d judged\n", s.KeyFrames, ui.Counted(int(evaluated), "proposal"), judged)
	}
	width := 0
	for _, c := range s.Concepts {
		width = max(width, utf8.RuneCountInString(printable.Text(c.Label)))
	}
	for _, c := range s.Concepts {
		found := fmt.Sprintf("in %d of %d %s", c.Frames, s.Frames, frames)
		if c.Frames == 0 {
			found = c.absence()
		}
		if c.Instances > 0 {
			found += ", " + ui.Counted(c.Instances, "instance")
		}
		fmt.Fprintf(stderr, "  %-*s  %s\n", width, printable.Text(c.Label), found)
	}
	for i := range s.Lost {
		if l := &s.Lost[i]; l.Minor { // the warning names the others
			fmt.Fprintf(stderr, "  without %s%s: %s\n", printable.Text(l.What), printable.Text(s.where(l)), printable.Text(l.Reason))
		}
	}
}

// absence says how often a query that was not found was judged: twelve judgements in an
// hour of video prove less than a thousand.
func (c *conceptSummary) absence() string {
	found := "not found"
	if c.Judged > 0 {
		found += " in " + ui.Counted(int(c.Judged), "judgement")
	}
	if c.Presence > 0 {
		found += fmt.Sprintf(" (presence %.2f at most)", c.Presence)
	}
	return found
}

// outcome returns the error of a run that wrote its output but was interrupted or lost
// something, or nil.
func (s *summary) outcome(o *segmentOptions, r *carve.Report, src *video.Source) error {
	if r.Stopped {
		return ui.InterruptedError{At: ui.Clock(r.End - r.Start), Written: o.allPaths()}
	}
	var lost []string
	if d := src.Damage(); d.Count > 0 {
		places := "damaged places in %s, the first"
		if d.Count == 1 {
			places = "damaged place in %s,"
		}
		lost = append(lost, fmt.Sprintf("%d "+places+" at %s (%v)", d.Count, o.input, ui.Clock(d.First), d.Err))
	}
	for i := range s.Lost {
		if l := &s.Lost[i]; !l.Minor {
			lost = append(lost, l.What+s.where(l)+": "+l.Reason)
		}
	}
	if len(lost) > 0 {
		return ui.LostError{What: lost}
	}
	return nil
}
