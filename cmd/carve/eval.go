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
	fs.StringVar(&o.Truth, "truth", "", "folder or JSON file with the ground truth; without it only flicker is measured")
	fs.StringVar(&o.Result, "result", "", "folder or JSON file with the masks to measure")
	fs.StringVar(&o.Protocol, "protocol", evaluate.ProtocolVOS, "vos: J and F over all frames; davis: without the first and the last; semantic: one confusion matrix; refer: IoUs of expressions")
	fs.Float64Var(&o.FPS, "fps", 0, "frames per second, to print toggles per minute")
	fs.StringVar(&o.Video, "video", "", "video in a JSON file, by name or number (default: the only one)")
	fs.Float64Var(&o.MinScore, "min-score", 0, "ignore results in a JSON file whose score is lower")
	fs.IntVar(&o.Threads, "threads", 0, "number of frames measured in parallel (default 0: one per core)")
	fs.BoolVar(&o.json, "json", false, "print one JSON object per line: \"object\" for each object, then \"summary\"; null stands for –")
	o.given = func(name string) bool { return fs.Changed(name) }
	return fs
}

func evalHelp(all bool) string {
	var o evalOptions
	return `carve eval - measure masks against the ground truth, or only their flicker

Usage:
  carve eval --truth DIR|FILE --result DIR|FILE [--protocol davis]
  carve eval --result DIR|FILE --fps 25
  carve eval run --dataset NAME --root DIR -o results.jsonl
                                                see carve eval run --help

` + flagsHelp(newEvalFlags(&o), all) + `
Masks:
  DIR/00000.png …       indexed: the palette index is the object, 0 none, 255
                        void; concepts.json in it may name them: {"1": "dog"}
  DIR/annotations, truth.json as stickerworld and carve clips write them
  DIR/NAME/00000.png …  a folder for each concept; pixels that are not black
                        belong to it
  FILE.json             COCO's run-length encoding, a data set or a list of
                        results; all masks of one category are one object
  Objects that have names on both sides are paired by name, others by number.

Columns of vos and davis:
  J, F           J: overlap of the masks; F: agreement of their outlines; each
                 with its recall (share of frames above 0.5) and decay (first
                 quarter minus last). J&F is the mean of J and F
  there, found   number of frames in which the object is in the ground truth,
                 and in the result
  precision, recall
                 of found against there; false: share of the frames without the
                 object in which it is found
  returns        number of times that it came back and filled 1 % of the image;
                 missed: returns that were never found; latency: frames until
                 it is found
  coverage       share of the frames with a mask, since an empty mask never
                 flickers
  stability      overlap with the mask of the frame before; worst: its 5th
                 percentile
  jitter         change of area between neighbouring frames
  toggles        number of times that the mask appears or vanishes; per minute
                 with --fps
  lost stability how much lower stability is than that of the ground truth;
                 extra jitter, extra toggles: how much higher these are

  – means that there is no value. Void pixels do not count, nor do objects that
  truth.json marks as ignored, in those frames.

Rows of semantic: the IoU of each class over all frames, then the means over the
classes of the ground truth: with background as a class; without it (pixels that
are background in the ground truth are left out); and without it as the
published code of CaR computes it, which also leaves out pixels predicted as
background and is only for comparison.

Columns of refer: a sample is one object in one frame that shows it. overall:
all intersections over all unions; mean: the mean IoU; P@0.5 …: the share of
samples with at least that IoU.

` + ui.ExitCodesHelp
}

// check finds mistakes in the command line, before any file is opened.
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
		return ui.WithHint(ui.Usagef("--protocol %s needs a truth", o.Protocol), "give one with --truth DIR; flicker alone needs neither truth nor protocol")
	case o.given("fps") && !(o.FPS > 0 && o.FPS <= 1e6):
		return ui.Usagef("--fps is %g; it is a number of frames a second, above 0", o.FPS)
	case o.MinScore != o.MinScore:
		return ui.Usagef("--min-score is not a number")
	}
	if err := checkThreads(o.Threads); err != nil {
		return err
	}
	o.Threads = min(o.Threads, runtime.NumCPU()) // each thread holds a frame; more would not run at the same time
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

// evalHint adds a hint to an error.
func evalHint(err error) error {
	var video *annotation.VideoError
	var nothing *score.NothingInCommonError
	var overlap *score.OverlapError
	switch {
	case errors.As(err, &video) && len(video.Videos) > 0:
		return ui.WithHint(err, "--video NAME picks one")
	case errors.As(err, &nothing):
		return ui.WithHint(err, "concepts.json in a folder of indexed PNGs names its numbers: {\"1\": \"dog\"}")
	case errors.As(err, &overlap):
		return ui.WithHint(err, "--protocol vos measures each object by itself")
	}
	return err
}
