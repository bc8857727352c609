package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// segmentOptions is what the command line of "carve segment" says. For eta,
// theta, lambda, presence, prompts, templates, view, overlap and maxSide the
// preset decides unless they were given: zero is a value like any other.
type segmentOptions struct {
	input  string
	output string

	queries   []string
	queryFile string

	model      string
	classifier string
	device     string
	settings   deviceSettings
	precision  string
	threads    int
	maxMemory  byteSize
	offline    bool
	yes        bool

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

	memoryOptions
	explain string

	encoder       string
	crf           int
	encoderPreset string

	allowPlaylists bool

	strict    bool
	overwrite bool
	quiet     bool
	verbose   bool
	logFormat string
	progress  string

	given     func(flag string) bool // whether a flag stood on the command line
	observers []carve.Sink           // further ones
	limit     int64                  // frames to read; 0 is all
}

// The defaults, each with its reason. --help prints them.
const (
	// defaultModel is the pair the paper's figures were made with: ViT-B/16
	// proposes, ViT-L/14 judges (car.md section 8). The embedded demo model is
	// no substitute, and is never taken silently: it knows 64 stickers and
	// nothing else.
	defaultModel = "clip"

	// defaultMaxSideCPU: a ViT's cost grows with more than the square of the
	// side, and CLIP's B/16 was trained on 224 px; 640 is where Pascal VOC and
	// COCO, on which the published figures stand, have their images (car.md
	// section 15). A 1280-pixel frame costs four times the trunk and sixteen
	// times the attention.
	defaultMaxSideCPU = 640

	// defaultMaxSideGPU: an accelerator has the room; more than 960 px is four
	// times the trained grid a side, where interpolated positions blur.
	defaultMaxSideGPU = 960

	// defaultCRF is visually lossless for an overlay that people look at and
	// still smaller than most sources; x264's own 23 shows blocks in the
	// translucent fills.
	defaultCRF           = 18
	defaultEncoderPreset = "medium"
)

func newSegmentFlags(o *segmentOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("segment", pflag.ContinueOnError)
	fs.StringVarP(&o.input, "input", "i", "", "video or image to read")
	o.addInputFlags(fs)
	o.addQueryFlags(fs)
	fs.StringVarP(&o.output, "output", "o", "", "file to write: .mp4 .mkv .mov … for a video, .png .jpg … for an image")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "replace the output if it exists")
	o.addModelFlags(fs)
	o.addPresetFlags(fs)
	o.addMemoryFlags(fs)

	fs.StringVar(&o.encoder, "encoder", "", "video encoder by FFmpeg's name (default: libx264, or what the container asks for)")
	fs.IntVar(&o.crf, "crf", defaultCRF, "quality of the encoder, 0 (lossless) to 51")
	fs.StringVar(&o.encoderPreset, "encoder-preset", defaultEncoderPreset, "speed of the encoder: ultrafast to veryslow")

	fs.StringVar(&o.explain, "explain", "", "file to write, one JSON object a frame: what was decided about each query, and why")
	fs.BoolVar(&o.strict, "strict", false, "stop at the first damaged frame, or if something would be lost, and leave nothing")
	o.addMessageFlags(fs)
	fs.StringVar(&o.progress, "progress", "auto", "auto: a line on a terminal, elsewhere one every ten seconds; json: one object a line on stdout; none")
	o.given = func(name string) bool { return fs.Changed(name) }
	return fs
}

// The flags that other commands have as well, in groups.

func (o *segmentOptions) addInputFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.allowPlaylists, "allow-playlists", false, "let the input be a playlist (.m3u8, ffconcat): the files of this machine that it names are opened")
}

func (o *segmentOptions) addQueryFlags(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&o.queries, "query", "q", nil, "what to segment, as NAME or LABEL=PHRASE|PHRASE (repeatable)")
	fs.StringVar(&o.queryFile, "queries", "", "file with more queries: one a line, or YAML")
}

func (o *segmentOptions) addModelFlags(fs *pflag.FlagSet) {
	o.addModelChoiceFlags(fs)
	fs.BoolVar(&o.yes, "yes", false, "fetch a model that is missing without a terminal to say so on")
	fs.BoolVar(&o.offline, "offline", false, "never fetch anything")
	fs.IntVar(&o.threads, "threads", 0, "CPU threads for the model and the CRF (default 0: all cores)")
	fs.Var(&o.maxMemory, "max-memory", "memory for frames, decoder, drawing and encoder, as 2G or 1500MiB; the models come on top (default: 3 GB where that is enough, up to half of the machine's or the container's)")
}

// addModelChoiceFlags are those that say which models, and on what.
func (o *segmentOptions) addModelChoiceFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&o.model, "model", "m", defaultModel, "CLIP that proposes masks: a name, a folder or a checkpoint")
	fs.StringVar(&o.classifier, "classifier", "", "CLIP that judges them (default: the model's pair)")
	fs.StringVar(&o.device, "device", "auto", "what the models run on, see --help-all; auto takes a GPU that works, else the CPU")
	fs.Var(&o.settings, "device-option", "a setting of the device's provider, by ONNX Runtime's names (repeatable)")
	fs.StringVar(&o.precision, "precision", "fp32", "fp32; int8: two to three times faster on a CPU, a little less exact; fp16: for GPUs; bf16: for 64-bit Arm")
}

func (o *segmentOptions) addPresetFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.preset, "preset", "", "thresholds, prompts and texts as one set: a name, see carve presets, or a .yaml file (default: voc; stickers for -m demo)")
	fs.BoolVar(&o.compat, "compat", false, "work as the published code does, quirks and all, to compare with its figures; implies --memory off")
	fs.Float32Var(&o.eta, "eta", 0, "heat above which a pixel belongs to the prompt's mask, 0 to 1 (default: the preset's)")
	fs.Float32Var(&o.theta, "theta", 0, "score among the queries above which one stays, 0 to 1 (default: the preset's)")
	fs.Float32Var(&o.presence, "presence", 0, "probability of being there at all above which a query stays, 0 to 1; 0 asks for none (default: the preset's)")
	fs.Float32Var(&o.lambda, "lambda", 0, "heat above which a patch opens an affinity box, 0 to 1 (default: the preset's)")
	fs.StringArrayVar(&o.prompts, "prompts", nil, "how the judge is shown a mask: blur, gray, black, circle, rectangle, contour; with commas together, repeated averaged (default: the preset's)")
	fs.StringVar(&o.templates, "templates", "", "file with the sentences that the judge reads names in, one a line, {} for the name (default: the preset's)")
	fs.StringVar(&o.view, "view", "", "what of the picture the judge sees: window, round the mask; whole; centre, a square (default: the preset's)")
	fs.BoolVar(&o.overlap, "overlap", false, "let masks cover each other: a person and the shirt")
	fs.IntVar(&o.maxSide, "max-side", 0, fmt.Sprintf("long side, in pixels, of the picture the model sees (default: %d on a CPU, %d on a GPU, 320 with preset stickers)", defaultMaxSideCPU, defaultMaxSideGPU))
}

func (o *segmentOptions) addMessageFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.quiet, "quiet", false, "print errors only")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "print what each stage of the pipeline cost, and FFmpeg's own messages")
	fs.StringVar(&o.logFormat, "log-format", "text", "form of messages on stderr: text or json")
}

// deviceSettings are the values of --device-option.
type deviceSettings map[string]string

// Set implements [pflag.Value].
func (d *deviceSettings) Set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return errors.New("it is KEY=VALUE")
	}
	if *d == nil {
		*d = deviceSettings{}
	}
	(*d)[key] = value
	return nil
}

// String and Type implement [pflag.Value].
func (d *deviceSettings) String() string { return "" }
func (d *deviceSettings) Type() string   { return "KEY=VALUE" }

// deviceHint says what to do about a device that cannot be.
func deviceHint(device string) string {
	var names []string
	for _, d := range models.Devices() {
		names = append(names, d.Name)
	}
	kind, _, _ := strings.Cut(device, ":")
	if slices.Contains(names, kind) {
		kind = ""
	}
	return ui.DidYouMean(kind, names, "carve --help-all lists devices and precisions")
}

// devicesHelp lists the devices, and which of them nobody has seen carve on.
func devicesHelp() string {
	var b strings.Builder
	for _, d := range models.Devices() {
		name := d.Name
		if d.Numbered {
			name += "[:N]"
		}
		untested := ""
		if !d.Tried {
			untested = " (untested)"
		}
		b.WriteString(ui.Hanging("  "+name, 29, d.About+untested))
	}
	return b.String()
}

// check finds what is wrong with the command line alone, before any file is
// opened.
func (o *segmentOptions) check(args []string) error {
	if len(args) > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", args[0]), "an input is given with -i, a name with spaces stands in quotes: -q \"red frisbee\"")
	}
	if err := oneOf("progress", o.progress, "auto", "json", "none"); err != nil {
		return err
	}
	if o.input == "" {
		return ui.WithHint(ui.Usagef("no input"), "give one with -i FILE")
	}
	if o.output == "" {
		return ui.WithHint(ui.Usagef("no output"), "give one with -o FILE")
	}
	if err := o.checkSettings(); err != nil {
		return err
	}
	if o.crf < 0 || o.crf > 51 {
		return ui.Usagef("--crf is %d, which is not between 0 and 51", o.crf)
	}
	return nil
}

// checkSettings finds what is wrong with queries, models and presets.
func (o *segmentOptions) checkSettings() error {
	if err := oneOf("log-format", o.logFormat, "text", "json"); err != nil {
		return err
	}
	if err := o.checkMemory(); err != nil {
		return err
	}
	if o.compat && o.given("memory") && o.memory == "on" {
		return ui.WithHint(ui.Usagef("--compat has no memory between frames, and --memory is on"), "leave one of them out")
	}
	if o.compat && o.instances {
		return ui.WithHint(ui.Usagef("--instances needs memory, and --compat has none"), "leave one of them out")
	}
	if err := oneOf("precision", o.precision, models.Precisions()...); err != nil {
		return err
	}
	if err := models.CheckDevice(o.device, o.settings, o.precision); err != nil {
		return ui.WithHint(ui.UsageError{Err: err}, deviceHint(o.device))
	}
	if len(o.queries) == 0 && o.queryFile == "" {
		return ui.WithHint(ui.Usagef("no query"), "name what to segment with -q, for example -q dog")
	}
	for _, f := range []struct {
		name  string
		value float32
	}{{"eta", o.eta}, {"theta", o.theta}, {"lambda", o.lambda}, {"presence", o.presence}} {
		if f.value < 0 || f.value > 1 || f.value != f.value {
			return ui.Usagef("--%s is %g, which is not between 0 and 1", f.name, f.value)
		}
	}
	if o.given("max-side") && (o.maxSide < 16 || o.maxSide > car.MaxMaxSide) {
		return ui.Usagef("--max-side is %d; it is from 16 pixels, below which a picture shows a model nothing, to %d", o.maxSide, car.MaxMaxSide)
	}
	return checkThreads(o.threads)
}

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return ui.WithHint(ui.Usagef("--%s is %q; it is one of %s", flag, value, strings.Join(allowed, ", ")), ui.DidYouMean(value, allowed, ""))
}
