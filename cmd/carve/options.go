package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
)

// segmentOptions are the flags of "carve segment".
type segmentOptions struct {
	runOptions
	queryOptions
	inputOptions
	outputOptions
	checkpointOptions
	jobOptions
	progress string

	observers []carve.Sink // additional sinks
	limit     int64        // frames to read; 0: all
}

// inputOptions are the flags of the input.
type inputOptions struct {
	input          string
	allowPlaylists bool
}

// outputOptions are the flags of the outputs.
type outputOptions struct {
	outputs       []string // each -o
	output        string   // the path of the first
	specs         []output
	fromJob       *jobFile // the job file of the run, or nil
	overwrite     bool
	explain       string
	strict        bool
	encoder       string
	crf           int
	encoderPreset string
}

// The defaults. --help prints them.
const (
	// defaultModel is the pair that the paper's figures were made with: ViT-B/16
	// proposes, ViT-L/14 judges (docs/algorithm.md 8). The embedded demo model is never
	// used unless it is named, because it knows only 64 stickers.
	defaultModel = "clip"

	// defaultMaxSideGPU is larger than on a CPU because a GPU is fast enough. More than
	// 960 px would be over four times the trained grid per side, where interpolated
	// position embeddings blur.
	defaultMaxSideGPU = 960

	// defaultCRF is visually lossless for an overlay, and the output is still smaller than
	// most sources. x264's own default of 23 shows blocks in the translucent fills.
	defaultCRF           = 18
	defaultEncoderPreset = "medium"
)

func newSegmentFlags(o *segmentOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("segment", pflag.ContinueOnError)
	fs.VarP((*once)(&o.input), "input", "i", "video or image to read; - is standard input")
	o.inputOptions.addFlags(fs)
	o.queryOptions.addFlags(fs)
	o.outputOptions.addFlags(fs)
	o.jobOptions.addFlags(fs)
	o.runOptions.addFlags(fs)
	o.checkpointOptions.addFlags(fs)
	fs.StringVar(&o.progress, "progress", "auto", "auto: one line that is updated on a terminal, elsewhere a line every ten seconds; json: one object per line on stdout; none: no progress")
	return fs
}

// defaultOptions returns the options of a command line without flags.
func defaultOptions() *segmentOptions {
	o := new(segmentOptions)
	newSegmentFlags(o)
	return o
}

func (o *inputOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.allowPlaylists, "allow-playlists", false, "allow a playlist (.m3u8, ffconcat) as input, and open the local files that it names")
}

func (o *outputOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&o.outputs, "output", "o", nil, "file to write: .mp4 .mkv .mov … for a video, .png .jpg … for an image; - for standard output; or KIND[,key=value…]:PATH, see carve outputs; may be repeated")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "replace the output if it exists")
	fs.StringVar(&o.encoder, "encoder", "", "video encoder, by its name in FFmpeg (default: libx264, or one that the container supports)")
	fs.IntVar(&o.crf, "crf", defaultCRF, "quality of the encoder, 0 (lossless) to 51")
	fs.StringVar(&o.encoderPreset, "encoder-preset", defaultEncoderPreset, "speed of the encoder: ultrafast to veryslow")
	fs.StringVar(&o.explain, "explain", "", "file for one JSON object per frame: what was decided about each query, and why; - is stdout")
	fs.BoolVar(&o.strict, "strict", false, "stop at the first damaged frame, or if the output would lose something, and leave no file")
}

// check finds mistakes in the command line, before any file is opened.
func (o *segmentOptions) check(args []string) error {
	if len(args) > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", args[0]), "an input is given with -i; a name with spaces needs quotes: -q \"red frisbee\"")
	}
	if err := o.checkSaveJob(); err != nil {
		return err
	}
	if err := oneOf("progress", o.progress, "auto", "json", "none"); err != nil {
		return err
	}
	if o.input == "" {
		return ui.WithHint(ui.Usagef("no input"), "give one with -i FILE")
	}
	if err := o.checkStdin(o.queryFile, o.preset, o.templates, o.restore, o.job); err != nil {
		return err
	}
	if o.explain == "-" {
		o.explain = stdoutPath
	}
	if err := o.runOptions.check(); err != nil {
		return err
	}
	if err := o.queryOptions.check(); err != nil {
		return err
	}
	if err := o.checkCheckpoint(); err != nil {
		return err
	}
	if o.crf < 0 || o.crf > 51 {
		return ui.Usagef("--crf is %d, which is not between 0 and 51", o.crf)
	}
	if err := o.parseOutputs(); err != nil {
		return err
	}
	return o.checkSequences()
}

// once is the value of a flag that may be given only once: a second file would be ignored.
type once string

// Set implements [pflag.Value].
func (o *once) Set(s string) error {
	if *o != "" {
		return fmt.Errorf("it is %s already", printable.Text(string(*o)))
	}
	*o = once(s)
	return nil
}

// String and Type implement [pflag.Value].
func (o *once) String() string { return string(*o) }
func (o *once) Type() string   { return "string" }

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return ui.WithHint(ui.Usagef("--%s is %q; it is one of %s", flag, value, strings.Join(allowed, ", ")), ui.DidYouMean(value, allowed, ""))
}
