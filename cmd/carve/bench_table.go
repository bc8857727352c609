package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/carve-video/carve/internal/ui"
)

// print writes the report as Markdown tables that are readable as plain text. What was
// not measured has no table.
func (r *benchReport) print(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	r.writeModels(&b)
	r.writeLoop(&b)
	r.writePrompts(&b)
	r.writeCRF(&b)
	r.writeMedia(&b)
	r.writeClip(&b)
	r.writeMemory(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeHead writes the versions, the machine and the settings.
func (r *benchReport) writeHead(b *strings.Builder) {
	judge := ""
	if r.Judge != r.Proposer {
		judge = " and " + r.Judge
	}
	fmt.Fprintf(b, "carve %s, ONNX Runtime %s, FFmpeg %s, %s, %s, %s\n", r.Carve, r.ONNXRuntime, r.FFmpeg, r.CPU,
		plural(r.Cores, "core", "cores"), plural(r.Threads, "thread", "threads"))
	fmt.Fprintf(b, "%s%s, %s on %s, preset %s%s, image %d×%d%s\n", r.Proposer, judge, r.Precision, r.Device,
		r.Preset, textIf(r.Compat, ", compat"), r.Width, r.Height, textIf(r.Quick, ", quick"))
}

func (r *benchReport) writeModels(b *strings.Builder) {
	bare := "only fp32 on a CPU has a bare rate"
	if r.MatMul != nil {
		fmt.Fprintf(b, "\nBare MatMul of 1024×1024 by 1024×4096: %.0f GFLOP/s\n", r.MatMul.GFLOPS)
		bare = "shares are relative to the bare matrix products, measured alternately"
	}
	if len(r.Models) == 0 {
		return
	}
	t := ui.NewTable("models", "GFLOP", "time", "bare GFLOP/s", "share of bare")
	for _, m := range r.Models {
		t.Add(m.Name, digits(m.GFLOP), duration(m.Time), dashIfZero("%.0f", m.BareGFLOPS), dashIfZero("%.0f %%", 100*m.Share))
	}
	writeNoted(b, t, bare)
}

func (r *benchReport) writeLoop(b *strings.Builder) {
	if len(r.Loop) == 0 {
		return
	}
	t := ui.NewTable("loop", "GFLOP", "time", "share of bare", "outside ONNX Runtime", "images judged")
	for _, l := range r.Loop {
		t.Add(plural(l.Queries, "query", "queries"), digits(l.GFLOP), duration(l.Time), dashIfZero("%.0f %%", 100*l.Share),
			fmt.Sprintf("%.1f %%", 100*l.Outside), fmt.Sprintf("%.0f", l.Judged))
	}
	writeNoted(b, t, "from pixels to label map, text embeddings cached, one query left after the first stage")
}

func (r *benchReport) writePrompts(b *strings.Builder) {
	if len(r.Prompts) == 0 {
		return
	}
	t := ui.NewTable("prompts", "time", "for each")
	for _, p := range r.Prompts {
		t.Add(plural(p.Masks, "mask", "masks"), duration(p.Time), duration(p.Time/float64(p.Masks)))
	}
	writeNoted(b, t, "")
}

func (r *benchReport) writeCRF(b *strings.Builder) {
	if len(r.CRF) == 0 {
		return
	}
	threads := r.CRF[0].Threads
	t := ui.NewTable("dense CRF", "1 thread", plural(threads, "thread", "threads"), "speedup")
	for _, c := range r.CRF {
		t.Add(fmt.Sprint(c.Labels, " labels"), duration(c.TimeOne), duration(c.Time), fmt.Sprintf("%.2f", c.Speedup))
	}
	writeNoted(b, t, "lattices, energies and inference for a frame of the clip")
}

// writeMedia lists the commands of ffmpeg below its table.
func (r *benchReport) writeMedia(b *strings.Builder) {
	if len(r.Media) == 0 {
		return
	}
	var commands []string
	t := ui.NewTable("media", "frames/s", "ffmpeg frames/s", "ratio", "making masks", "extra time")
	for _, m := range r.Media {
		theirs, drawing := 0.0, "–"
		if m.FFmpegTime > 0 {
			theirs = float64(m.Frames) / m.FFmpegTime
		}
		if m.Drawing > 0 {
			drawing = duration(m.Drawing) + " a frame"
		}
		t.Add(m.Name, fmt.Sprintf("%.0f", m.FPS), dashIfZero("%.0f", theirs), dashIfZero("%.2f", m.Ratio), drawing, dashIfZero("%+.0f %%", 100*m.Extra))
		if m.Command != "" {
			commands = append(commands, m.Command)
		}
	}
	if len(commands) == 0 {
		writeNoted(b, t, "there is no ffmpeg program on the PATH to compare with")
		return
	}
	writeNoted(b, t, fmt.Sprintf("%d×%d", r.Media[0].Width, r.Media[0].Height)+", without start-up on both sides; ffmpeg enlarges the same masks and lays two colours over the frames, without outline and legend:")
	b.WriteString("\n")
	for _, c := range commands {
		fmt.Fprintf(b, "    %s\n", c)
	}
}

func (r *benchReport) writeClip(b *strings.Builder) {
	for _, c := range r.Clip {
		t := ui.NewTable("clip, memory "+c.Memory, "a frame", "busy", "waiting", "blocked", "queue")
		for _, s := range c.Stages {
			share := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
			t.Add(s.Name, duration(s.PerFrame), share(s.Busy), share(s.Waiting), share(s.Blocked), fmt.Sprintf("%.2f", s.Queue))
		}
		note := fmt.Sprintf("%s in %.2f s: %.2f frames/s", ui.Counted(int(c.Frames), "frame"), c.Time, c.FPS)
		writeNoted(b, t, note+textIf(r.Random, "; random weights find nothing, so nothing was refined and drawn"))
	}
}

// writeMemory writes the peak memory.
func (r *benchReport) writeMemory(b *strings.Builder) {
	if r.PeakMemory == 0 {
		return
	}
	clip := ""
	if r.ClipMemory > 0 {
		clip = fmt.Sprintf("%d MB while segmenting the clip, ", r.ClipMemory>>20)
	}
	fmt.Fprintf(b, "\nPeak memory (RSS): %s%d MB for all of this\n", clip, r.PeakMemory>>20)
}

func plural(n int, one, more string) string {
	if n == 1 {
		return fmt.Sprint(n, " ", one)
	}
	return fmt.Sprint(n, " ", more)
}

func textIf(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

func dashIfZero(format string, v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

// digits formats a number with three significant digits, or with all before the point.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// duration formats a time in seconds, in a suitable unit.
func duration(s float64) string {
	switch {
	case s >= 1:
		return digits(s) + " s"
	case s >= 1e-3:
		return digits(1e3*s) + " ms"
	}
	return digits(1e6*s) + " µs"
}

// writeNoted writes an empty line, a table, and a note below it.
func writeNoted(b *strings.Builder, t *ui.Table, note string) {
	b.WriteString("\n")
	t.Markdown(b) // a builder does not fail
	if note != "" {
		fmt.Fprintf(b, "\n%s\n", note)
	}
}
