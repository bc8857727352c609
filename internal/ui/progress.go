package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/carve-video/carve/internal/printable"
)

// A Progress counts what a run has done. Counting is separate from rendering: the run
// calls Frame, and a few times a second the renderer shows the current state.
type Progress struct {
	render   func(progressState, bool)
	interval time.Duration

	mu    sync.Mutex
	state progressState
	shown time.Time
}

// A progressState is the state of a run at one moment.
type progressState struct {
	Frames  int64         // done so far
	Total   int64         // expected, 0 if unknown
	At      time.Duration // time of the last frame in the video
	Elapsed time.Duration
	Present []string // labels in the last frame
}

// FPS is the mean rate so far, in frames a second.
func (s progressState) FPS() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Frames) / s.Elapsed.Seconds()
}

// ETA returns the remaining time at that rate; ok is false while it is unknown.
func (s progressState) ETA() (left time.Duration, ok bool) {
	fps := s.FPS()
	if s.Total <= s.Frames || fps == 0 {
		return 0, false
	}
	return time.Duration(float64(s.Total-s.Frames) / fps * float64(time.Second)), true
}

// quietInterval is how often progress is printed without a terminal, for example into
// the log of a job, where a line cannot be overwritten.
const quietInterval = 10 * time.Second

// NewProgress selects how progress is shown: "auto" is a line on a terminal and a line
// every ten seconds elsewhere, "json" is an object a line on stdout, "none" is nothing.
func NewProgress(mode string, total int64, stdout, stderr io.Writer) *Progress {
	p := &Progress{interval: 100 * time.Millisecond}
	p.state.Total = total
	switch mode {
	case "json":
		p.interval = 500 * time.Millisecond
		p.render = func(s progressState, last bool) { renderJSON(stdout, s) }
	case "auto":
		if f, ok := Terminal(stderr); ok {
			p.render = func(s progressState, last bool) { renderLine(stderr, s, Width(f), last) }
			break
		}
		p.interval, p.shown = quietInterval, time.Now()
		p.render = func(s progressState, last bool) {
			if !last { // the summary tells how the run ended
				fmt.Fprintln(stderr, progressText(s, false))
			}
		}
	}
	return p
}

// Frame counts one frame.
func (p *Progress) Frame(at, elapsed time.Duration, present []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Frames++
	p.state.At, p.state.Elapsed = at, elapsed
	p.state.Present = append(p.state.Present[:0], present...)
	if p.render != nil && time.Since(p.shown) >= p.interval {
		p.shown = time.Now()
		p.render(p.state, false)
	}
}

// Done shows the final state and ends the line.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.render != nil {
		p.render(p.state, true)
	}
}

// progressText is "frame 12/120  0:04.2  3.1 fps  ETA 0:35.0  dog, pizza".
func progressText(s progressState, last bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "frame %d", s.Frames)
	if s.Total > 0 {
		fmt.Fprintf(&b, "/%d", max(s.Total, s.Frames))
	}
	fmt.Fprintf(&b, "  %s  %.1f fps", Clock(s.At), s.FPS())
	if left, ok := s.ETA(); ok && !last {
		fmt.Fprintf(&b, "  ETA %s", Clock(left.Round(time.Second)))
	}
	if len(s.Present) > 0 {
		b.WriteString("  " + printable.Text(strings.Join(s.Present, ", ")))
	}
	return b.String()
}

func renderLine(w io.Writer, s progressState, width int, last bool) {
	line := []rune(progressText(s, last))
	if width > 1 && len(line) > width-1 {
		line = append(line[:width-2], '…')
	}
	end := ""
	if last {
		end = "\n"
	}
	Overwrite(w, string(line)+end)
}

func renderJSON(w io.Writer, s progressState) {
	v := struct {
		MessageType string   `json:"message_type"`
		Frames      int64    `json:"frames"`
		Total       int64    `json:"total,omitempty"`
		Time        float64  `json:"time_s"`
		Elapsed     float64  `json:"elapsed_s"`
		FPS         float64  `json:"fps"`
		ETA         *float64 `json:"eta_s,omitempty"`
		Present     []string `json:"present"`
	}{"progress", s.Frames, s.Total, s.At.Seconds(), s.Elapsed.Seconds(), s.FPS(), nil, append([]string{}, s.Present...)}
	if left, ok := s.ETA(); ok {
		sec := left.Seconds()
		v.ETA = &sec
	}
	line, _ := json.Marshal(v)
	fmt.Fprintf(w, "%s\n", line)
}
