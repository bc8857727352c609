package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/redact"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// tryOptions are the flags of "carve try".
type tryOptions struct {
	runOptions
	queryOptions
	inputOptions
	output    string
	overwrite bool
	at        string
	json      bool
}

func newTryFlags(o *tryOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("try", pflag.ContinueOnError)
	fs.VarP((*once)(&o.input), "input", "i", "image or video to read, - for standard input; -i may be left out")
	o.inputOptions.addFlags(fs)
	o.queryOptions.addFlags(fs)
	fs.StringVar(&o.at, "at", "0", "time in the video, in seconds or as [[H:]M:]S")
	fs.StringVarP(&o.output, "output", "o", "", "image to write (.png): the heat of every stage, and the result")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "replace the output if it exists")
	fs.BoolVar(&o.json, "json", false, "print one JSON object on stdout")
	o.runOptions.addFlags(fs)
	return fs
}

// inputs returns the files that a try reads. They are never written.
func (o *tryOptions) inputs() []string { return o.files(o.input, o.queryFile) }

func tryHelp(all bool) string {
	var o tryOptions
	return `carve try - segment one image or frame, with every stage, score and reason

Usage:
  carve try IMAGE|VIDEO [--at TIME] -q NAME [-q NAME…] [-o try.png]

Shows, before hours of work, which queries are found, which are dropped and why,
what a setting changes, and how long the whole video would take. The image shows
the heat map of every query in every stage, with its score and presence (the
outline is the mask that the judge is shown), and the result as in a video.

` + flagsHelp(newTryFlags(&o), all) + `
Examples:
  carve try clip.mp4 --at 12.5 -q dog -q "red frisbee" -o try.png
  carve try photo.jpg -q cat --preset coco --json
`
}

func runTry(args []string, stdout, stderr io.Writer) error {
	var o tryOptions
	fs := newTryFlags(&o)
	if err := parse(fs, args, tryHelp, stdout); err != nil {
		return err
	}
	switch {
	case o.input != "" && fs.NArg() == 0:
	case o.input == "" && fs.NArg() == 1:
		o.input = fs.Arg(0)
	default:
		return ui.WithHint(ui.Usagef("carve try takes one image or video, not %d", fs.NArg()), "a name with spaces needs quotes: -q \"red frisbee\"")
	}
	if err := o.checkStdin(o.queryFile, o.preset, o.templates); err != nil {
		return err
	}
	at, err := parseMoment(o.at)
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("--at: %w", err)}
	}
	if err := o.runOptions.check(); err != nil {
		return err
	}
	if err := o.queryOptions.check(); err != nil {
		return err
	}
	if o.output != "" {
		if !strings.EqualFold(lastOf(o.output, "."), "png") {
			return ui.WithHint(ui.Usagef("output %s is no .png", o.output), "the result is drawn as a PNG")
		}
		if err := planOutputs(o.newLog(stderr), o.overwrite, o.inputs(), o.output); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	t, err := try(ctx, &o, at, stderr)
	if err != nil {
		return err
	}
	// Everything that may fail is done before the image is written.
	var line []byte
	if o.json {
		if line, err = json.Marshal(t); err != nil {
			return err
		}
	}
	if o.output != "" {
		if err := t.draw(o.output, atomicfile.Options{Overwrite: o.overwrite, Inputs: o.inputs()}); err != nil {
			return fmt.Errorf("drawing the result: %w", err)
		}
	}
	if o.json {
		fmt.Fprintf(stdout, "%s\n", line)
		return nil
	}
	t.print(stdout)
	if o.output != "" && !o.quiet {
		fmt.Fprintf(stderr, "wrote %s\n", printable.Text(o.output))
	}
	return nil
}

// A trial is the result of carve try. Its JSON is what --json prints.
type trial struct {
	MessageType string       `json:"message_type"`
	Input       string       `json:"input"`
	At          float64      `json:"time_s"` // of the frame
	Width       int          `json:"width"`  // as the model sees it
	Height      int          `json:"height"`
	Preset      string       `json:"preset"`
	Thresholds  thresholds   `json:"thresholds"`
	Stages      []trialStage `json:"stages"`
	Queries     []trialQuery `json:"queries"`
	Estimate    estimate     `json:"estimate"`

	img     *car.Image // as the model sees it
	display *car.Image // as displayed
	result  *car.Result
	colours [][3]uint8
	overlap bool
	threads int
}

// thresholds are those of the preset, with the changes of the command line.
type thresholds struct {
	Theta    float32 `json:"theta"`    // of the score
	Presence float32 `json:"presence"` // 0: no test of presence
	Eta      float32 `json:"eta"`      // of the heat
	Lambda   float32 `json:"lambda"`   // of the heat that opens an affinity box
}

// A trialStage is one round of the loop.
type trialStage struct {
	Number  int          `json:"stage"`
	Pass    string       `json:"pass"`
	Queries []stageQuery `json:"queries"`
}

// A stageQuery is one query in one stage.
type stageQuery struct {
	Label    string  `json:"label"`
	Score    float32 `json:"score"`
	Presence float32 `json:"presence,omitempty"`
	Kept     bool    `json:"kept"`
	HeatArea float64 `json:"heat_area"` // share of the image that the judge was shown as the mask

	query int
	heat  []float32
}

// A trialQuery is the result for one query.
type trialQuery struct {
	Label      string     `json:"label"`
	Found      bool       `json:"found"`
	Reason     car.Reason `json:"reason,omitempty"` // why not
	Score      float32    `json:"score"`
	Presence   float32    `json:"presence,omitempty"`
	Coverage   float32    `json:"coverage"`
	Box        *[4]int    `json:"box,omitempty"` // x, y, width, height
	Confidence float32    `json:"confidence,omitempty"`
	// Theta is its threshold of the score, and Threshold that of the presence.
	Theta     float32 `json:"theta"`
	Threshold float32 `json:"presence_threshold"`
}

func try(ctx context.Context, o *tryOptions, at time.Duration, stderr io.Writer) (*trial, error) {
	log := o.newLog(stderr)
	video.SetLog(log)
	defer video.SetLog(nil)
	queries, err := o.readQueries(log)
	if err != nil {
		return nil, err
	}
	colours, err := queryColours(queries)
	if err != nil {
		return nil, err
	}
	preset, err := o.presetFor()
	if err != nil {
		return nil, err
	}
	if err := o.limitThreads(processCapacity(), log); err != nil {
		return nil, err
	}
	budget := newBudget(o.maxMemory)
	src := &video.Source{Path: o.input, AllowPlaylists: o.allowPlaylists, Log: log, Afford: budget.afford}
	if err := src.Initialize(); err != nil {
		return nil, inputError(err)
	}
	defer src.Close()
	if src.Info().Playlist && o.output != "" {
		o.overwrite = false // as in segment
		if err := planOutputs(log, o.overwrite, o.inputs(), o.output); err != nil {
			return nil, ui.WithHint(err, playlistHint)
		}
	}
	m, err := openModels(&o.runOptions, queries, preset, stderr, log)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	frame, when, err := frameAt(ctx, src, at)
	if err != nil {
		return nil, err
	}
	images, err := imagesOf(src, frame, o.side(preset, m.device), displaySide)
	frame.Release()
	if err != nil {
		return nil, err
	}
	img, display := images[0], images[1]

	t := &trial{MessageType: "try", Input: redact.Text(o.input), At: when.Seconds(), Width: img.W, Height: img.H, Preset: preset.Name,
		Thresholds: thresholds{Theta: preset.Theta, Presence: preset.Presence, Eta: preset.Eta, Lambda: preset.Lambda},
		img:        img, display: display, colours: colours, overlap: preset.Overlap, threads: o.threads}
	m.segmenter.Trace = func(tr *car.Trace) { t.add(tr, queries) }
	if t.result, err = m.segmenter.Segment(ctx, img, queries); err != nil {
		return nil, textError(fmt.Errorf("trying %s: %w", o.input, err))
	}
	m.segmenter.Trace = nil
	t.addVerdicts(queries)
	if t.Estimate, err = o.estimate(ctx, m.segmenter, queries, img, src.Info()); err != nil {
		return nil, fmt.Errorf("measuring how long %s takes: %w", o.input, err)
	}
	return t, nil
}

// add adds a stage when the loop has finished it.
func (t *trial) add(tr *car.Trace, queries []car.Query) {
	st := trialStage{Number: tr.Stage, Pass: tr.Pass}
	for _, p := range tr.Proposals {
		hot := 0
		for _, v := range p.Heat {
			if v > t.Thresholds.Eta {
				hot++
			}
		}
		st.Queries = append(st.Queries, stageQuery{Label: queries[p.Query].Label, Score: p.Score, Presence: p.Presence,
			HeatArea: float64(hot) / float64(len(p.Heat)), query: p.Query, heat: slices.Clone(p.Heat)})
	}
	t.Stages = append(t.Stages, st)
}

// addVerdicts adds the verdicts of the result.
func (t *trial) addVerdicts(queries []car.Query) {
	for i, st := range t.result.Stages {
		for j := range t.Stages[i].Queries {
			q := &t.Stages[i].Queries[j]
			q.Kept = slices.Contains(st.Kept, q.query)
		}
	}
	for _, v := range t.result.Verdicts {
		q := trialQuery{Label: v.Label, Found: v.Reason == "", Reason: v.Reason, Score: v.Score, Presence: v.Presence,
			Theta: t.Thresholds.Theta, Threshold: t.Thresholds.Presence}
		if own := queries[v.Query]; own.Theta != nil {
			q.Theta = *own.Theta
		}
		if own := queries[v.Query]; own.Presence != nil {
			q.Threshold = *own.Presence
		}
		if f := t.result.Lookup(v.Query); f != nil && f.Area > 0 {
			q.Coverage, q.Confidence = f.Coverage, f.Confidence
			q.Box = &[4]int{f.Box.Min.X, f.Box.Min.Y, f.Box.Dx(), f.Box.Dy()}
		}
		t.Queries = append(t.Queries, q)
	}
}

// print prints the trial as text.
func (t *trial) print(w io.Writer) {
	fmt.Fprintf(w, "%s at %s, %dx%d, preset %s\n", printable.Text(t.Input), ui.Clock(time.Duration(t.At*float64(time.Second))), t.Width, t.Height, t.Preset)
	fmt.Fprintln(w, t.thresholdText())
	for _, q := range t.Queries {
		if q.Theta != t.Thresholds.Theta || q.Threshold != t.Thresholds.Presence {
			fmt.Fprintf(w, "of %s: theta %.2f, presence %.2f\n", printable.Text(q.Label), q.Theta, q.Threshold)
		}
	}
	width := 5
	for _, q := range t.Queries {
		width = max(width, utf8.RuneCountInString(printable.Text(q.Label)))
	}
	for _, st := range t.Stages {
		fmt.Fprintf(w, "\nstage %d%s\n", st.Number, map[bool]string{true: " of " + st.Pass}[st.Pass != "things"])
		fmt.Fprintf(w, "  %-*s  score  presence  heat\n", width, "query")
		for _, q := range st.Queries {
			fmt.Fprintf(w, "  %-*s  %5.2f  %8s  %3.0f %%  %s\n", width, printable.Text(q.Label), q.Score, presenceText(q.Presence), 100*q.HeatArea,
				map[bool]string{true: "kept", false: "dropped"}[q.Kept])
		}
	}
	fmt.Fprintf(w, "\nfound\n")
	for _, q := range t.Queries {
		if q.Found {
			fmt.Fprintf(w, "  %-*s  %4.1f %% of the image\n", width, printable.Text(q.Label), 100*q.Coverage)
		} else {
			fmt.Fprintf(w, "  %-*s  not found: %s\n", width, printable.Text(q.Label), q.whyNot())
		}
	}
	if e := t.Estimate; e.Frames > 1 {
		fmt.Fprintf(w, "\nthe whole video, %d frames: about %s (%.2f s a frame); without memory %s (%.2f s a frame)\n",
			e.Frames, ui.Clock(time.Duration(e.Whole*float64(time.Second))), e.Step, ui.Clock(time.Duration(e.WholeOff*float64(time.Second))), e.Stateless)
	} else {
		fmt.Fprintf(w, "\nan image takes about %.2f s\n", e.First)
	}
}

// thresholdText lists the thresholds.
func (t *trial) thresholdText() string {
	h := t.Thresholds
	text := fmt.Sprintf("thresholds: score above theta %.2f", h.Theta)
	if h.Presence > 0 {
		text += fmt.Sprintf(", presence above %.2f", h.Presence)
	} else {
		text += ", no presence"
	}
	return text + fmt.Sprintf(", heat above eta %.2f", h.Eta)
}

func presenceText(p float32) string {
	if p == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", p)
}

// whyNot explains why a query was not found.
func (q *trialQuery) whyNot() string {
	switch q.Reason {
	case car.LowScore:
		return fmt.Sprintf("its score of %.2f is not above theta, %.2f: its heat looks more like other queries", q.Score, q.Theta)
	case car.LowPresence:
		return fmt.Sprintf("its presence of %.2f is not above %.2f: its heat looks more like something that is not a query", q.Presence, q.Threshold)
	case car.NoPixels:
		return "it was kept, but the refinement left it no pixels"
	}
	return string(q.Reason)
}

func lastOf(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }
