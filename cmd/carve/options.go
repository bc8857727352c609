package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
)

// segmentOptions is what the command line of "carve segment" says.
type segmentOptions struct {
	runOptions
	queryOptions
	inputOptions
	outputOptions
	checkpointOptions
	progress string

	observers []carve.Sink // further ones
	limit     int64        // frames to read; 0 is all
}

// inputOptions say what is read.
type inputOptions struct {
	input          string
	allowPlaylists bool
}

// outputOptions say what is written, and how.
type outputOptions struct {
	output        string
	overwrite     bool
	explain       string
	strict        bool
	encoder       string
	crf           int
	encoderPreset string
}

// The defaults, each with its reason. --help prints them.
const (
	// defaultModel is the pair the paper's figures were made with: ViT-B/16
	// proposes, ViT-L/14 judges (docs/algorithm.md 8). The embedded demo model is
	// no substitute, and is never taken silently: it knows 64 stickers and
	// nothing else.
	defaultModel = "clip"

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
	fs.VarP((*once)(&o.input), "input", "i", "video or image to read")
	o.inputOptions.addFlags(fs)
	o.queryOptions.addFlags(fs)
	o.outputOptions.addFlags(fs)
	o.runOptions.addFlags(fs)
	o.checkpointOptions.addFlags(fs)
	fs.StringVar(&o.progress, "progress", "auto", "auto: one line that is updated on a terminal, elsewhere a line every ten seconds; json: one object per line on stdout; none: no progress")
	return fs
}

// usualOptions are those of a command line that gives no flag.
func usualOptions() *segmentOptions {
	o := new(segmentOptions)
	newSegmentFlags(o)
	return o
}

func (o *inputOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.allowPlaylists, "allow-playlists", false, "allow a playlist (.m3u8, ffconcat) as input, and open the local files that it names")
}

func (o *outputOptions) addFlags(fs *pflag.FlagSet) {
	fs.VarP((*once)(&o.output), "output", "o", "file to write: .mp4 .mkv .mov … for a video, .png .jpg … for an image")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "replace the output if it exists")
	fs.StringVar(&o.encoder, "encoder", "", "video encoder, by its name in FFmpeg (default: libx264, or one that the container supports)")
	fs.IntVar(&o.crf, "crf", defaultCRF, "quality of the encoder, 0 (lossless) to 51")
	fs.StringVar(&o.encoderPreset, "encoder-preset", defaultEncoderPreset, "speed of the encoder: ultrafast to veryslow")
	fs.StringVar(&o.explain, "explain", "", "file for one JSON object per frame: what was decided about each query, and why")
	fs.BoolVar(&o.strict, "strict", false, "stop at the first damaged frame, or if the output would lose something, and leave no file")
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
	return nil
}

// once is the value of a flag that is given once: of two files one would be left out.
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
