package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/evaluate"
	"github.com/carve-video/carve/internal/redact"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// evalRunOptions are the flags of "carve eval run".
type evalRunOptions struct {
	runOptions
	output    string
	overwrite bool
	dataset   string
	root      string
	set       dataset.Options
	oracle    bool
	json      bool
}

func newEvalRunFlags(o *evalRunOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("eval run", pflag.ContinueOnError)
	fs.StringVar(&o.dataset, "dataset", "", "name of the data set, see below")
	fs.StringVar(&o.root, "root", "", "folder of the unpacked data set")
	fs.StringVar(&o.set.Split, "split", "", "split of the data set (default: val)")
	fs.IntVar(&o.set.Limit, "limit", 0, "number of samples, from the first (default 0: all)")
	fs.StringVar(&o.set.Images, "images", "", "folder of the images, if they are elsewhere")
	fs.StringVar(&o.set.Names, "names", "", "davis: YAML file with the query for each object of each sequence")
	fs.StringVar(&o.set.Expressions, "expressions", "", "davis: which of the published expressions are the queries: annot1, annot1_full_video, annot2, annot2_full_video, all, or a file")
	fs.StringVarP(&o.output, "output", "o", "", "file for the results, one JSON line per sample; samples that are in it are not done again")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "start over if the output exists; its content stays until the first sample is done")
	fs.BoolVar(&o.oracle, "oracle", false, "clips: tell carve which concepts are present in every frame, to measure the masks alone")
	fs.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	o.runOptions.addFlags(fs)
	return fs
}

func evalRunHelp(all bool) string {
	var o evalRunOptions
	help := `carve eval run - segment a data set and measure the result

Usage:
  carve eval run --dataset NAME --root DIR -o results.jsonl [--compat]

Runs at the images' own size unless you give --max-side, and with the preset of
the published figures for the data set unless you give --preset. You can stop it
at any time: the same command, without -y, continues. Samples that were done
before an error are also kept.

` + flagsHelp(newEvalRunFlags(&o), all) + `
Data sets:
`
	for _, name := range dataset.Names() {
		about, _, _ := dataset.About(name)
		help += ui.Hanging("  "+name, 13, about)
	}
	return help + "\n" + ui.ExitCodesHelp
}

func runEvalRun(args []string, stdout, stderr io.Writer) error {
	var o evalRunOptions
	fs := newEvalRunFlags(&o)
	if err := parse(fs, args, evalRunHelp, stdout); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return ui.WithHint(ui.Usagef("unexpected argument %q", fs.Arg(0)), "carve eval run --help lists the flags")
	case o.dataset == "":
		return ui.WithHint(ui.Usagef("no data set"), "name one with --dataset; carve eval run --help lists them")
	case o.root == "":
		return ui.WithHint(ui.Usagef("no folder of the data set"), "name it with --root")
	case o.output == "":
		return ui.WithHint(ui.Usagef("no output"), "name a file for the results with -o")
	case o.oracle && o.dataset != "clips":
		return ui.WithHint(ui.Usagef("--oracle: %s does not say what is present in every frame", o.dataset), "carve clips makes clips with such a ground truth")
	case o.set.Limit < 0:
		return ui.Usagef("--limit is %d; it is a number of samples, or 0 for all", o.set.Limit)
	}
	if err := o.check(); err != nil {
		return err
	}
	set, err := dataset.Open(o.dataset, o.root, o.set)
	if err != nil {
		var unknown *dataset.UnknownError
		if errors.As(err, &unknown) {
			return ui.WithHint(ui.UsageError{Err: err}, ui.DidYouMean(o.dataset, dataset.Names(), unknown.Hint()))
		}
		if option := (*dataset.OptionError)(nil); errors.As(err, &option) {
			return ui.WithHint(ui.UsageError{Err: err}, ui.OwnHint(err))
		}
		return ui.WithHint(err, ui.OwnHint(err))
	}
	ctx, stop := interruptible()
	defer stop()
	return o.run(ctx, set, stdout, stderr)
}

// run segments the samples that the output does not have yet, and prints a summary.
func (o *evalRunOptions) run(ctx context.Context, set *dataset.Set, stdout, stderr io.Writer) error {
	log := o.newLog(stderr)
	preset, err := o.presetOf(set)
	if err != nil {
		return err
	}
	// The content of the file is checked when it is opened.
	if err := planOutputs(log, true, o.files(o.set.Names, o.set.Expressions), o.output); err != nil {
		return err
	}
	if err := o.limitThreads(processCapacity(), log); err != nil {
		return err
	}
	results, err := evaluate.OpenResults(o.output, o.overwrite, o.head(set, preset))
	if err != nil {
		return resultsHint(err)
	}
	defer results.Close()
	if err := o.fill(ctx, results, set, preset, stderr, log); err != nil {
		return err
	}
	sum, err := results.Sum(set)
	if err != nil {
		return err
	}
	if o.json {
		return ui.WriteJSONLine(stdout, sum)
	}
	return sum.WriteText(stdout)
}

// fill segments the samples that the results lack.
func (o *evalRunOptions) fill(ctx context.Context, results *evaluate.Results, set *dataset.Set, preset car.Preset, stderr io.Writer, log *slog.Logger) error {
	lacking, of := results.Lacking(set), len(set.Samples)
	done := of - len(lacking)
	if done > 0 {
		log.Info(fmt.Sprintf("%d of %d samples are already in %s", done, of, o.output))
	}
	if len(lacking) == 0 {
		return nil
	}
	m, err := openModels(&o.runOptions, evaluate.Queries(lacking), preset, stderr, log)
	if err != nil {
		return err
	}
	defer m.Close()
	r := &evaluate.Runner{Set: set, Segmenter: m.segmenter, Open: o.openSample,
		Tracking: o.tracking(evaluate.SequenceRate), Oracle: o.oracle, Threads: o.threads}
	if o.given("max-side") {
		r.Side = o.maxSide
	}
	p := &sampleProgress{w: stderr, quiet: o.quiet, began: time.Now(), first: done, of: of}
	err = r.Fill(ctx, results, lacking, func(i int) {
		done++
		p.show(lacking[i].ID, i+1)
	})
	if errors.Is(err, context.Canceled) {
		return o.interrupted(log, results, done, of)
	}
	if err != nil {
		return textError(resultsHint(err))
	}
	p.end()
	return nil
}

// openSample opens an image or a video of the data set.
func (o *evalRunOptions) openSample(path string) (*video.Source, error) {
	budget := newBudget(o.maxMemory)
	src := &video.Source{Path: path, Afford: budget.afford}
	if err := src.Initialize(); err != nil {
		return nil, inputError(err)
	}
	return src, nil
}

// resultsHint adds a hint to the error of a results file that cannot be continued.
func resultsHint(err error) error {
	switch {
	case errors.Is(err, evaluate.ErrBusy):
		return ui.WithHint(err, "wait for it, or name a new file with -o")
	case errors.Is(err, evaluate.ErrNotResults):
		return ui.WithHint(err, "name a new file with -o")
	case errors.Is(err, evaluate.ErrOtherSettings):
		return ui.WithHint(err, "name a new file with -o, or start over with -y")
	}
	return err
}

// interrupted reports how far an interrupted run came.
func (o *evalRunOptions) interrupted(log *slog.Logger, results *evaluate.Results, n, of int) error {
	if results.Len() == 0 {
		return ui.InterruptedError{}
	}
	same := "the same command continues there"
	if o.overwrite {
		same = "the same command without -y continues there"
	}
	log.Warn(fmt.Sprintf("interrupted after %d of %d samples; %s", n, of, same))
	return ui.InterruptedError{At: fmt.Sprintf("sample %d", n), Written: o.output}
}

// presetOf returns the given preset, or the data set's own.
func (o *evalRunOptions) presetOf(set *dataset.Set) (car.Preset, error) {
	if o.preset != "" {
		return o.presetFor()
	}
	p, err := set.Settings()
	if err != nil {
		return p, err
	}
	return o.change(p)
}

// head returns the settings that all results of a file share.
func (o *evalRunOptions) head(set *dataset.Set, preset car.Preset) evaluate.Head {
	text, _ := preset.YAML()
	return evaluate.Head{MessageType: "run", Version: version, Dataset: set.Name, Split: set.Split, Protocol: string(set.Protocol),
		Model: redact.Text(o.model), Classifier: redact.Text(o.classifier), Precision: o.precision, MaxSide: o.maxSide, Preset: preset.Name, Compat: o.compat,
		Memory: o.memoryWords(), Oracle: o.oracle, Settings: evaluate.Fingerprint(text), Notes: slices.Clone(set.Notes)}
}
