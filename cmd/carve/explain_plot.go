package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video/overlay"
)

func explainHelp(bool) string {
	return `carve explain - draw the file that --explain writes

Usage:
  carve explain FILE.jsonl -o FILE.svg [-y]

Each query has a row over time. A bar shows where the query is in the output,
and a line its presence. A filled dot is a judgement that passed, a hollow dot
one that failed; at a short mark the mask only moved, so that its last judgement
was reused. Grey lines are key frames; red lines begin a shot.

Flags:
  -o, --output FILE   SVG file to write
  -y, --overwrite     replace the output if it exists
`
}

func runExplain(args []string, stdout, stderr io.Writer) error {
	fs := pflag.NewFlagSet("explain", pflag.ContinueOnError)
	out := fs.StringP("output", "o", "", "")
	overwrite := fs.BoolP("overwrite", "y", false, "")
	if err := parse(fs, args, explainHelp, stdout); err != nil {
		return err
	}
	switch {
	case fs.NArg() != 1:
		return ui.WithHint(ui.Usagef("%d files are given; it takes one", fs.NArg()), "carve --explain FILE.jsonl writes one")
	case *out == "":
		return ui.WithHint(ui.Usagef("no output"), "name a file with -o, for example -o why.svg")
	}
	inputs := fs.Args()
	if err := planOutputs(new(messageOptions).newLog(stderr), *overwrite, inputs, *out); err != nil {
		return err
	}
	if err := checkPlot(*out); err != nil {
		return err
	}
	frames, err := readExplanations(fs.Arg(0))
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(*out, []byte(plot(frames)), atomicfile.Options{Overwrite: *overwrite, Inputs: inputs}); err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	fmt.Fprintf(stderr, "wrote %s: when each of %s was shown, in %s\n", printable.Text(*out),
		ui.Counted(len(frames[0].Queries), "name"), ui.Counted(len(frames), "frame"))
	return nil
}

func readExplanations(path string) ([]tracking.Explanation, error) {
	const form = "carve -i … --explain FILE writes one"
	f, err := openText("an explanation", path, form)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	wrong := func(how string, args ...any) error {
		return ui.WithHint(ui.Usagef("reading an explanation from %s: %s", path, fmt.Sprintf(how, args...)), form)
	}
	var frames []tracking.Explanation
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<24)
	for n := 1; in.Scan(); n++ {
		var e tracking.Explanation
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			if n == 1 {
				return nil, wrong("it is no explanation")
			}
			return nil, wrong("line %d: %v", n, err)
		}
		if len(frames) > 0 && len(e.Queries) != len(frames[0].Queries) {
			return nil, wrong("line %d is about %s, the first about %d", n, ui.Plural(len(e.Queries), "query", "queries"), len(frames[0].Queries))
		}
		frames = append(frames, e)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("reading an explanation from %s: %w", path, err)
	}
	if len(frames) == 0 || len(frames[0].Queries) == 0 {
		return nil, wrong("it is about no frame")
	}
	return frames, nil
}

// wasShown reports whether a frame showed a query. Files of earlier versions say only
// whether the query was in the set.
func wasShown(q *tracking.QueryExplanation) bool {
	if q.Shown == nil {
		return q.State == "present"
	}
	return *q.Shown
}

// checkPlot refuses a file whose extension is not that of SVG. Pipes and devices may have
// any.
func checkPlot(path string) error {
	if ext := filepath.Ext(path); !strings.EqualFold(ext, ".svg") && !atomicfile.InPlace(path) {
		return ui.WithHint(ui.Usagef("output %s is no .svg", path), "the plot is an SVG, which browsers show and graphics programs convert to other formats")
	}
	return nil
}

// The size of a plot, in pixels.
const (
	plotWidth  = 960
	plotLeft   = 110 // for the names
	plotTop    = 20
	plotRow    = 34
	plotBottom = 30 // for the times
)

// plot draws the frames as SVG.
func plot(frames []tracking.Explanation) string {
	queries := frames[0].Queries
	height := plotTop + plotRow*len(queries) + plotBottom
	first, last := frames[0].Time, frames[len(frames)-1].Time
	// The last frame is drawn as long as the others on average.
	span := max(last-first, 1)
	if n := len(frames); n > 1 {
		span += span / time.Duration(n-1)
	}
	x := func(at time.Duration) float64 {
		return plotLeft + float64(plotWidth-plotLeft-10)*float64(at-first)/float64(span)
	}
	end := func(i int) float64 {
		if i+1 < len(frames) {
			return x(frames[i+1].Time)
		}
		return x(first + span)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, height)
	bottom := height - plotBottom
	for i := range frames {
		colour := "#e4e4e4"
		switch e := &frames[i]; {
		case e.Blank:
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#999"/>`+"\n", x(e.Time), plotTop, end(i)-x(e.Time), bottom-plotTop)
			continue
		case e.Key == "":
			continue
		case e.NewShot:
			colour = "#d33"
		}
		fmt.Fprintf(&b, `<path d="M%.1f %dV%d" stroke="%s"/>`+"\n", x(frames[i].Time), plotTop, bottom, colour)
	}
	for q, query := range queries {
		top := plotTop + q*plotRow
		rgb := overlay.Colour(q)
		colour := fmt.Sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2])
		fmt.Fprintf(&b, `<text x="4" y="%d">%s</text>`+"\n", top+plotRow/2+4, html.EscapeString(query.Label))
		for i := range frames { // bars of where it was shown
			if !wasShown(&frames[i].Queries[q]) {
				continue
			}
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" fill-opacity=".35"/>`+"\n",
				x(frames[i].Time), top+4, end(i)-x(frames[i].Time), plotRow-8, colour)
		}
		y := func(presence float32) float64 { return float64(top+plotRow-5) - float64(plotRow-10)*float64(presence) }
		var line strings.Builder
		for i := range frames {
			e := frames[i].Queries[q]
			at := x(frames[i].Time)
			switch e.Verdict {
			case tracking.Judged, tracking.Missed, tracking.Retained, tracking.Dropped:
				fmt.Fprintf(&line, "%c%.1f %.1f", map[bool]byte{true: 'M', false: 'L'}[line.Len() == 0], at, y(e.Presence))
				fill := "white"
				if e.State == "present" && e.Verdict == tracking.Judged {
					fill = colour
				}
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s" stroke="%s"/>`+"\n", at, y(e.Presence), fill, colour)
			case tracking.Reused:
				fmt.Fprintf(&b, `<path d="M%.1f %dv5" stroke="%s"/>`+"\n", at, top+plotRow-8, colour)
			}
		}
		if line.Len() > 0 {
			fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-opacity=".6"/>`+"\n", line.String(), colour)
		}
	}
	step := max((last-first).Round(time.Second)/8, time.Second).Round(time.Second)
	for at := time.Duration(0); at <= last-first; at += step {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%s</text>`+"\n", x(first+at), bottom+16, ui.Clock(at))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
