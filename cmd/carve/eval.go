package main

import (
	"errors"
	"io"
	"runtime"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/evaluate"
	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
	"github.com/spf13/pflag"
)

// evalOptions are the flags of "carve eval".
type evalOptions struct {
	evaluate.Options
	json bool

	given func(flag string) bool
}

func newEvalFlags(o *evalOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("eval", pflag.ContinueOnError)
	fs.StringVar(&o.Truth, "truth", "", "folder or JSON file with the true masks; without it only flicker can be measured")
	fs.StringVar(&o.Result, "result", "", "folder or JSON file with the masks to measure")
	fs.StringVar(&o.Protocol, "protocol", evaluate.ProtocolVOS, "vos: J and F over all frames; davis: without the first and the last; semantic: one confusion matrix; refer: IoUs of expressions")
	fs.Float64Var(&o.FPS, "fps", 0, "frames a second, to tell toggles a minute")
	fs.StringVar(&o.Video, "video", "", "which video of a JSON file, by name or number (default: the only one)")
	fs.Float64Var(&o.MinScore, "min-score", 0, "leave out results of a JSON file whose score is lower")
	fs.IntVar(&o.Threads, "threads", 0, "frames measured at once (default 0: one for each core)")
	fs.BoolVar(&o.json, "json", false, "one JSON object a line: \"object\" for each object, then \"summary\"; null for –")
	o.given = func(name string) bool { return fs.Changed(name) }
	return fs
}

func evalHelp(all bool) string {
	var o evalOptions
	return `carve eval - measure masks, against the truth or by their restlessness alone

Usage:
  carve eval --truth DIR|FILE --result DIR|FILE [--protocol davis]
  carve eval --result DIR|FILE --fps 25
  carve eval run --dataset NAME --root DIR -o results.jsonl
                                                see carve eval run --help

` + flagsHelp(newEvalFlags(&o), all) + `
Masks:
  DIR/00000.png …       indexed: the palette index is the object, 0 none, 255
                        void; concepts.json in it may name them: {"1": "dog"}
  DIR/annotations, truth.json as stickerworld writes them
  DIR/NAME/00000.png …  a folder for each concept; what is not black is inside
  FILE.json             run lengths in COCO's form, a data set or a list of
                        results; all of one category are one object
  Objects with names on both sides are paired by name, others by number.

Columns of vos and davis:
  J, F           overlap of the masks; agreement of their outlines, with recall
                 (frames above 0.5) and decay (first quarter less last); J&F the
                 mean
  there, found   frames in which the truth, the result has it at all
  precision, recall
                 of found; false: share of the frames without it where it is
                 found
  returns        times it came back and filled 1 % of the picture; missed: of
                 these, never found; latency: frames until found
  coverage       share of the frames with a mask: an empty mask never flickers
  stability      overlap with the mask of the frame before; worst: its 5th
                 percentile
  jitter         change of area between neighbouring frames
  toggles        times that the mask appears or vanishes; a minute with --fps
  lost stability how far stability falls short of the truth's own; extra jitter,
                 extra toggles: how far these exceed the truth's own

  – stands where there is nothing to take a mean of. Void pixels count nowhere,
  and truth.json's ignored objects do not count in their frames.

Rows of semantic: IoU of each class over all frames; then the means over the
classes that the truth has: with background as a class; without (pixels that are
background in truth left out); and without as the published code of CaR computes
it, which also leaves out pixels taken for background and is for comparison
only.

Columns of refer: a sample is one object in one frame that has it. overall: all
intersections by all unions; mean; P@0.5 …: share of samples of at least that
IoU.

` + ui.ExitCodesHelp
}

// check finds what is wrong with the command line alone.
func (o *evalOptions) check(args []string) error {
	if len(args) > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", args[0]), "masks are given with --truth and --result")
	}
	if err := oneOf("protocol", o.Protocol, evaluate.ProtocolVOS, evaluate.ProtocolDAVIS, evaluate.ProtocolSemantic, evaluate.ProtocolRefer); err != nil {
		return err
	}
	switch {
	case o.Result == "":
		return ui.WithHint(ui.Usagef("no result"), "give one with --result DIR")
	case o.Truth == "" && o.given("truth"):
		return ui.Usagef("--truth is empty")
	case o.Truth == "" && o.given("protocol"):
		return ui.WithHint(ui.Usagef("--protocol %s needs a truth", o.Protocol), "give one with --truth DIR; flicker alone needs none, and no protocol")
	case o.given("fps") && !(o.FPS > 0 && o.FPS <= 1e6):
		return ui.Usagef("--fps is %g; it is a number of frames a second, above 0", o.FPS)
	case o.MinScore != o.MinScore:
		return ui.Usagef("--min-score is not a number")
	}
	if err := checkThreads(o.Threads); err != nil {
		return err
	}
	o.Threads = min(o.Threads, runtime.NumCPU()) // each holds a frame, and no more of them run at once
	return nil
}

func runEval(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "run" {
		return runEvalRun(args[1:], stdout, stderr)
	}
	var o evalOptions
	fs := newEvalFlags(&o)
	if err := parse(fs, args, evalHelp, stdout); err != nil {
		return err
	}
	if err := o.check(fs.Args()); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	e, err := evaluate.Open(ctx, o.Options)
	if err != nil {
		return evalHint(err)
	}
	r, err := e.Measure(ctx)
	if err != nil {
		return evalHint(err)
	}
	if o.json {
		return r.WriteJSON(stdout)
	}
	return r.WriteText(stdout)
}

// evalHint adds what to do about an error.
func evalHint(err error) error {
	var video *annotation.VideoError
	var nothing *score.NothingInCommonError
	var overlap *score.OverlapError
	switch {
	case errors.As(err, &video) && len(video.Videos) > 0:
		return ui.WithHint(err, "--video NAME picks one")
	case errors.As(err, &nothing):
		return ui.WithHint(err, "concepts.json in a folder of indexed pictures names its numbers: {\"1\": \"dog\"}")
	case errors.As(err, &overlap):
		return ui.WithHint(err, "--protocol vos measures each object by itself")
	}
	return err
}
