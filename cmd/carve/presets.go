package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/tracking"
)

// presetOptions are the flags of the method. The preset decides what was not given. Zero is
// a valid value of these flags.
type presetOptions struct {
	preset    string
	compat    bool
	eta       float32
	theta     float32
	lambda    float32
	presence  float32
	prompts   []string
	templates string
	view      string
	overlap   bool
	maxSide   int

	given func(flag string) bool // whether a flag is on the command line
}

func (o *presetOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.preset, "preset", "", "set of thresholds, prompts and texts: a name (carve presets lists them) or a .yaml file (default: voc; stickers for -m demo)")
	fs.BoolVar(&o.compat, "compat", false, "reproduce the published code with its quirks, to compare with its figures; implies --memory off")
	fs.Float32Var(&o.eta, "eta", 0, "heat above which a pixel belongs to the mask that the judge is shown, 0 to 1 (default: the preset's)")
	fs.Float32Var(&o.theta, "theta", 0, "score against the other queries above which a query is kept, 0 to 1 (default: the preset's)")
	fs.Float32Var(&o.presence, "presence", 0, "probability of being present above which a query is kept, 0 to 1; 0 switches the test off (default: the preset's)")
	fs.Float32Var(&o.lambda, "lambda", 0, "heat above which a patch opens an affinity box, 0 to 1 (default: the preset's)")
	fs.StringArrayVar(&o.prompts, "prompts", nil, "how a mask is marked for the judge: blur, gray, black, circle, rectangle, contour; names joined by commas are applied together, repeated flags are averaged (default: the preset's)")
	fs.StringVar(&o.templates, "templates", "", "file with the judge's text templates, one per line, with {} for the name (default: the preset's)")
	fs.StringVar(&o.view, "view", "", "part of the image that the judge sees: window (around the mask), whole, or centre (a square) (default: the preset's)")
	fs.BoolVar(&o.overlap, "overlap", false, "allow masks to overlap, such as a person and a shirt")
	fs.IntVar(&o.maxSide, "max-side", 0, fmt.Sprintf("long side, in pixels, of the image that the model sees (default: %d on a CPU, %d on a GPU, 320 with preset stickers)", carve.DefaultMaxSide, defaultMaxSideGPU))
	o.given = fs.Changed
}

func (o *presetOptions) check() error {
	for _, f := range []struct {
		name  string
		value float32
	}{{"eta", o.eta}, {"theta", o.theta}, {"lambda", o.lambda}, {"presence", o.presence}} {
		if f.value < 0 || f.value > 1 || f.value != f.value {
			return ui.Usagef("--%s is %g, which is not between 0 and 1", f.name, f.value)
		}
	}
	if o.given("max-side") && (o.maxSide < 16 || o.maxSide > car.MaxMaxSide) {
		return ui.Usagef("--max-side is %d; it is from 16 pixels, below which an image shows a model nothing, to %d", o.maxSide, car.MaxMaxSide)
	}
	return nil
}

// side returns the maximum long side of the image that the model sees.
func (o *presetOptions) side(p car.Preset, device string) int {
	switch {
	case o.maxSide > 0:
		return o.maxSide
	case p.MaxSide > 0:
		return p.MaxSide
	case device != "cpu":
		return defaultMaxSideGPU
	}
	return carve.DefaultMaxSide
}

// presetFor returns the preset with the changes of the command line: first the preset,
// then --compat, then each setting.
//
// The default for the real CLIP is voc. Of the reference's presets it has the highest
// published figure (67.6 mIoU), it is the strictest about absent objects, and it is meant
// for plain names of things, as users type them. The preset of the reference's own demo
// drops nothing, so it would find every query (docs/algorithm.md 8).
func (o *runOptions) presetFor() (car.Preset, error) {
	name := o.preset
	if name == "" {
		name = "voc"
		if o.model == demo.Name {
			name = "stickers"
		}
	}
	p, err := namedPreset(name)
	if err != nil {
		return p, err
	}
	return o.change(p)
}

// change applies --compat and the given settings to a preset.
func (o *presetOptions) change(p car.Preset) (_ car.Preset, err error) {
	if o.compat {
		p = p.Compat()
	}
	for _, f := range []struct {
		name  string
		value float32
		of    *float32
	}{{"eta", o.eta, &p.Eta}, {"theta", o.theta, &p.Theta}, {"lambda", o.lambda, &p.Lambda}, {"presence", o.presence, &p.Presence}} {
		if o.given(f.name) {
			*f.of = f.value
		}
	}
	if o.given("overlap") {
		p.Overlap = o.overlap
	}
	if o.given("view") {
		if p.View, err = car.ParseView(o.view); err != nil {
			return p, ui.UsageError{Err: fmt.Errorf("--view: %w", err)}
		}
	}
	if o.given("prompts") {
		if p.Prompts, err = parsePrompts(o.prompts); err != nil {
			return p, ui.UsageError{Err: fmt.Errorf("--prompts: %w", err)}
		}
		if len(p.Stuff) > 0 {
			p.StuffPrompts = p.Prompts
		}
	}
	if o.given("templates") {
		const form = "one template per line, with {} for the name"
		f, err := openText("templates", o.templates, "--templates names a file: "+form)
		if err != nil {
			return p, err
		}
		defer f.Close()
		if p.JudgeTemplates, err = car.ReadTemplates(f, o.templates); err != nil {
			return p, textFileError(err, form)
		}
	}
	if err := p.Check(); err != nil {
		return p, ui.UsageError{Err: err}
	}
	if _, err := tracking.ReadParams(p.Tracking); err != nil {
		return p, ui.UsageError{Err: err}
	}
	return p, nil
}

// namedPreset returns a preset by its name or from a file. A name without an extension is
// never a file, so that no file in the current folder changes what a name means.
func namedPreset(name string) (car.Preset, error) {
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
	default:
		p, err := car.PresetNamed(name)
		if err != nil {
			return p, ui.WithHint(ui.UsageError{Err: err}, ui.DidYouMean(name, presetNames(), ui.OwnHint(err)))
		}
		return p, nil
	}
	const form = "carve presets NAME prints one to start from"
	f, err := openText("a preset", name, form)
	if err != nil {
		return car.Preset{}, err
	}
	defer f.Close()
	p, err := car.ReadPreset(f, name)
	var unknown *car.UnknownPresetError
	switch {
	case errors.As(err, &unknown):
		return p, ui.WithHint(ui.UsageError{Err: err}, unknown.Hint())
	case err != nil:
		return p, textFileError(err, form)
	}
	return p, nil
}

func presetNames() (names []string) {
	for _, p := range car.Presets() {
		names = append(names, p.Name)
	}
	return names
}

var promptNames = []string{string(car.Blur), string(car.Gray), string(car.Black), string(car.Circle), string(car.Rectangle), string(car.Contour)}

// parsePrompts reads the values of --prompts: names joined by commas are applied together,
// several values are an ensemble.
func parsePrompts(values []string) ([][]car.Prompt, error) {
	var rows [][]car.Prompt
	for _, v := range values {
		var row []car.Prompt
		for name := range strings.SplitSeq(v, ",") {
			name = strings.TrimSpace(name)
			prompt, err := car.ParsePrompt(name)
			if err != nil {
				return nil, ui.WithHint(err, ui.DidYouMean(name, promptNames, ""))
			}
			row = append(row, prompt)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

type presetsOptions struct{ json bool }

func newPresetsFlags(o *presetsOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("presets", pflag.ContinueOnError)
	fs.BoolVar(&o.json, "json", false, "list: print one JSON object per line")
	return fs
}

func presetsHelp(all bool) string {
	var o presetsOptions
	return `carve presets - list and print the presets

Usage:
  carve presets                  list the presets
  carve presets NAME|FILE.yaml   print one, as a file to change

` + flagsHelp(newPresetsFlags(&o), all) + `
A preset is a set of thresholds, prompts, texts and settings of the refinement.
Your own preset is a YAML file that names the preset it starts from and lists
what is different:

  base: voc
  theta: 0.4
  prompts: [[blur, gray], [circle]]   # judged both ways, and averaged
  background: [water, sand, sky]
  tracking: {miss_limit: 3, retain_time: 1s}   # memory across frames

  carve -i dive.mp4 -q turtle --preset mine.yaml -o out.mp4
`
}

func runPresets(args []string, stdout, stderr io.Writer) error {
	var o presetsOptions
	fs := newPresetsFlags(&o)
	if err := parse(fs, args, presetsHelp, stdout); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 1 || fs.NArg() == 1 && o.json:
		return ui.WithHint(ui.Usagef("cannot understand \"presets %s\"", strings.Join(args, " ")), "carve presets --help describes the arguments")
	case fs.NArg() == 1:
		p, err := namedPreset(fs.Arg(0))
		if err != nil {
			return err
		}
		params, err := tracking.ReadParams(p.Tracking)
		if err != nil {
			return ui.UsageError{Err: err}
		}
		p.Tracking = params.Map()
		text, err := p.YAML()
		if err != nil {
			return fmt.Errorf("printing preset %s: %w", p.Name, err)
		}
		_, err = stdout.Write(text)
		return err
	}
	for _, p := range car.Presets() {
		if o.json {
			line, err := json.Marshal(struct {
				MessageType string `json:"message_type"`
				Name        string `json:"name"`
				About       string `json:"about"`
			}{"preset", p.Name, p.About})
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s\n", line)
			continue
		}
		fmt.Fprintf(stdout, "%-10s %s\n", p.Name, p.About)
	}
	return nil
}
