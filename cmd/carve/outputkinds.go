package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// An output is one -o of a command line.
type output struct {
	outputspec.Spec
	overlay *overlayKeys // one of the two
	masks   *masksKeys
}

// conceptKeys are the keys of all kinds.
type conceptKeys struct {
	Concepts []string `key:"concept" doc:"only the query with this label; may be repeated"`
}

// shapingKeys are the keys of all kinds that show masks.
type shapingKeys struct {
	Soft      bool    `key:"soft" doc:"keep the soft edge of masks"`
	MinArea   float64 `key:"min-area" doc:"drop parts of a mask that are smaller" unit:"pixels"`
	FillHoles holes   `key:"fill-holes" doc:"fill holes in masks: yes, or up to so many pixels"`
	Grow      float64 `key:"grow" doc:"move edges outward" unit:"pixels"`
	Shrink    float64 `key:"shrink" doc:"move edges inward" unit:"pixels"`
	Feather   float64 `key:"feather" doc:"width of the ramp that edges become" unit:"pixels"`
	Invert    bool    `key:"invert" doc:"exchange inside and outside"`
}

// shaping returns nil if masks stay as they are.
func (k *shapingKeys) shaping() *carve.Shaping {
	if *k == (shapingKeys{Soft: true}) {
		return nil
	}
	return &carve.Shaping{Soft: k.Soft, MinArea: k.MinArea, FillHoles: float64(k.FillHoles), Grow: k.Grow, Shrink: k.Shrink, Feather: k.Feather, Invert: k.Invert}
}

// holes is the area of holes that are filled.
type holes float64

// UnmarshalText parses yes, no, or an area.
func (h *holes) UnmarshalText(text []byte) error {
	switch string(text) {
	case "yes":
		*h = holes(math.Inf(1))
	case "no":
		*h = 0
	default:
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !(v >= 0) {
			return outputspec.Wanted("yes, no, or a number of pixels")
		}
		*h = holes(v)
	}
	return nil
}

func (h holes) String() string {
	switch {
	case h == 0:
		return "no"
	case math.IsInf(float64(h), 1):
		return "yes"
	}
	return strconv.FormatFloat(float64(h), 'g', -1, 64)
}

// overlayKeys are the keys of an overlay. The encoder's flags are their defaults.
type overlayKeys struct {
	conceptKeys
	Opacity       float64        `key:"opacity" doc:"opacity of the fill, 0 to 1"`
	Contour       float64        `key:"contour" doc:"width of the outline in a frame of 1080 rows, 0 for none" unit:"pixels"`
	Labels        overlay.Labels `key:"labels" doc:"where names are written" values:"legend|thing|both|off"`
	Legend        overlay.Corner `key:"legend" doc:"corner of the legend; auto is the one with the least masks" values:"auto|top-left|top-right|bottom-left|bottom-right"`
	Encoder       string         `key:"encoder" doc:"video encoder, by its name in FFmpeg (default: --encoder)"`
	CRF           int            `key:"crf" doc:"quality of the encoder, 0 (lossless) to 51"`
	EncoderPreset string         `key:"encoder-preset" doc:"speed of the encoder: ultrafast to veryslow"`
	shapingKeys
}

// masksKeys are the keys of a mask sequence.
type masksKeys struct {
	conceptKeys
	Split     carve.Split `key:"split" doc:"what has files of its own: nothing, so that pixels are numbers of concepts; each concept; each instance" values:"none|concept|instance"`
	Instances bool        `key:"instances" doc:"without a split, give each instance a number of its own, of which there are 254"`
	Format    string      `key:"format" doc:"of files in a folder" values:"png|tiff"`
	Bits      int         `key:"bits" doc:"of a grey pixel: 8 or 16"`
	Start     string      `key:"start" doc:"number of the first file, or source for that of a numbered source"`
	shapingKeys
}

// outputKinds are the kinds of outputs, with these options as defaults.
func (o *outputOptions) outputKinds() []outputspec.Kind {
	return []outputspec.Kind{
		{Name: "overlay", About: "the video with masks and names drawn over it", Example: "overlay,labels=thing,opacity=0.6:out.mp4", New: func() any {
			style := overlay.DefaultStyle()
			return &overlayKeys{Opacity: style.Opacity, Contour: style.Contour, Encoder: o.encoder, CRF: o.crf, EncoderPreset: o.encoderPreset,
				shapingKeys: shapingKeys{Soft: true}}
		}},
		{Name: "masks", About: "a mask sequence: numbered images in a folder", Example: "masks,split=concept,grow=2:masks/", New: func() any {
			return &masksKeys{Split: carve.SplitNone, Bits: 8, Start: "0", shapingKeys: shapingKeys{Soft: true}}
		}},
	}
}

// parseOutputs parses every -o. Without a kind an output is an overlay.
func (o *outputOptions) parseOutputs() error {
	if len(o.outputs) == 0 && o.output != "" {
		o.outputs = []string{"overlay:" + o.output}
	}
	if len(o.outputs) == 0 {
		return ui.WithHint(ui.Usagef("no output"), "give one with -o FILE")
	}
	kinds := o.outputKinds()
	o.specs = nil
	for _, text := range o.outputs {
		spec, err := outputspec.Parse(text, kinds)
		if err != nil {
			hint := "carve outputs lists all kinds"
			if unknown := (*outputspec.UnknownKeyError)(nil); errors.As(err, &unknown) {
				hint = unknown.Hint()
			}
			return ui.WithHint(ui.UsageError{Err: err}, hint)
		}
		if spec.Kind == "" && slices.ContainsFunc(kinds, func(k outputspec.Kind) bool { return k.Name == text }) {
			return ui.WithHint(ui.Usagef("output %s is a kind without a path", text), "give one as in -o "+text+":PATH")
		}
		if spec.Kind == "" {
			spec.Kind, spec.Keys = kinds[0].Name, kinds[0].New()
		}
		out := output{Spec: spec}
		switch keys := spec.Keys.(type) {
		case *overlayKeys:
			out.overlay = keys
			err = keys.check()
		case *masksKeys:
			out.masks = keys
			err = keys.sink(spec.Path).Check()
		}
		if err != nil {
			return ui.WithHint(ui.UsageError{Err: fmt.Errorf("output %s: %w", text, err)}, "carve outputs "+spec.Kind+" lists all keys")
		}
		o.specs = append(o.specs, out)
	}
	o.output = o.specs[0].Path
	return nil
}

func (k *overlayKeys) check() error {
	if s := k.shaping(); s != nil {
		if err := s.Check(); err != nil {
			return err
		}
	}
	if k.CRF < 0 || k.CRF > 51 {
		return fmt.Errorf("crf is %d, which is not between 0 and 51", k.CRF)
	}
	return k.style().Check()
}

func (k *overlayKeys) style() *overlay.Style {
	return &overlay.Style{Opacity: k.Opacity, Contour: k.Contour, Labels: k.Labels, Legend: k.Legend}
}

// sink makes a mask sequence, without what the input decides.
func (k *masksKeys) sink(path string) *carve.Masks {
	return &carve.Masks{Path: path, Split: k.Split, Instances: k.Instances, Format: k.Format, Bits: k.Bits, Start: k.Start,
		Concepts: k.Concepts, Shaping: k.shaping()}
}

// checkConcepts finds outputs of queries that there are not.
func (o *outputOptions) checkConcepts(queries []car.Query) error {
	var labels []string
	for _, q := range queries {
		labels = append(labels, q.Label)
	}
	for _, out := range o.specs {
		for _, c := range out.concepts() {
			if !slices.Contains(labels, c) {
				return ui.WithHint(ui.Usagef("output %s: there is no query %q", out.Path, c), ui.DidYouMean(c, labels, "the queries are "+strings.Join(labels, ", ")))
			}
		}
	}
	return nil
}

func (s *output) concepts() []string {
	if s.masks != nil {
		return s.masks.Concepts
	}
	return s.overlay.Concepts
}

// overlays returns the outputs that are videos or images of the source.
func (o *outputOptions) overlays() (list []*output) {
	for i := range o.specs {
		if o.specs[i].overlay != nil {
			list = append(list, &o.specs[i])
		}
	}
	return list
}

// allPaths names all outputs.
func (o *outputOptions) allPaths() string {
	var paths []string
	for _, s := range o.specs {
		paths = append(paths, s.Path)
	}
	return strings.Join(paths, ", ")
}

// sink makes the sink of an output.
func (o *segmentOptions) sink(s *output, in *input, inputs []string) carve.Sink {
	if s.masks != nil {
		m := s.masks.sink(s.Path)
		m.Overwrite, m.Protect = in.overwrite, inputs
		return m
	}
	k := s.overlay
	return &carve.Overlay{Style: k.style(), Concepts: k.Concepts, Shaping: k.shaping(),
		Output: video.Sink{Path: s.Path, Source: in.source, Encoder: k.Encoder, CRF: k.CRF, Lossless: k.CRF == 0,
			Preset: k.EncoderPreset, Threads: in.budget.encoderThreads, Lookahead: in.budget.encoderAhead,
			Overwrite: in.overwrite, Protect: inputs, Log: in.log}}
}

func newOutputsFlags() *pflag.FlagSet { return pflag.NewFlagSet("outputs", pflag.ContinueOnError) }

func outputsHelp(bool) string {
	return `carve outputs - list the kinds of outputs

Usage:
  carve outputs         all kinds
  carve outputs KIND    the keys of one, with their defaults

An output is -o [KIND[,key=value…]:]PATH, and -o may be repeated: the model runs
once for all of them. Without a kind it is an overlay, which is the video with
masks drawn over it. A value that contains a comma or a colon is quoted:

  carve -i in.mp4 -q dog -q cat -o out.mp4 -o 'masks,split=concept:masks/'

A path that begins with the name of a kind and a colon is written ./masks:x.
`
}

func runOutputs(args []string, stdout, _ io.Writer) error {
	fs := newOutputsFlags()
	if err := parse(fs, args, outputsHelp, stdout); err != nil {
		return err
	}
	kinds := defaultOptions().outputKinds()
	switch fs.NArg() {
	case 0:
		for _, k := range kinds {
			fmt.Fprintf(stdout, "%-10s %s\n%10s -o '%s'\n", k.Name, k.About, "", k.Example)
		}
		return nil
	case 1:
		i := slices.IndexFunc(kinds, func(k outputspec.Kind) bool { return k.Name == fs.Arg(0) })
		if i < 0 {
			var names []string
			for _, k := range kinds {
				names = append(names, k.Name)
			}
			return ui.WithHint(ui.Usagef("there is no kind of output %q", fs.Arg(0)), ui.DidYouMean(fs.Arg(0), names, "the kinds are "+strings.Join(names, ", ")))
		}
		printKind(stdout, &kinds[i])
		return nil
	}
	return ui.WithHint(ui.Usagef("cannot understand \"outputs %s\"", strings.Join(args, " ")), "carve outputs --help explains it")
}

// printKind prints the keys of a kind.
func printKind(w io.Writer, k *outputspec.Kind) {
	fmt.Fprintf(w, "%s: %s\n\n  -o '%s'\n\n", k.Name, k.About, k.Example)
	width := 0
	for _, f := range k.Fields() {
		width = max(width, len(f.Key))
	}
	for _, f := range k.Fields() {
		text := f.Doc
		if len(f.Values) > 0 {
			text += ": " + strings.Join(f.Values, ", ")
		}
		if f.Unit != "" {
			text += ", in " + f.Unit
		}
		if f.Default != "" {
			text += " (default " + f.Default + ")"
		}
		fmt.Fprint(w, ui.Hanging("  "+f.Key, width+4, text))
	}
}
