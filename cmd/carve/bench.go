package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
)

func benchHelp(all bool) string {
	var o benchOptions
	return `carve bench - measure the speed, as a share of what the machine can do

Usage:
  carve bench [--quick] [--only PART,…]
  carve bench --real-size

The two sides of every ratio are measured alternately in one run, so that other
load on the machine affects both. Times are medians over rounds.

Parts, in the order in which they are measured:
  clip      the built-in clip, segmented with --memory off and on; each stage
  media     decode, draw and encode, against the ffmpeg program on the PATH
  prompts   drawing the prompts that show the judge the masks
  crf       the dense CRF, on one thread and on all
  models    trunk, CAM head and judge, against their bare matrix products
  loop      the whole loop on one image, against its bare matrix products

` + flagsHelp(newBenchFlags(&o), all)
}

// benchOptions is what the command line of "carve bench" says.
type benchOptions struct {
	runOptions
	realSize bool
	quick    bool
	json     bool
	only     []string
}

func newBenchFlags(o *benchOptions) *pflag.FlagSet {
	all := pflag.NewFlagSet("all", pflag.ContinueOnError)
	o.runOptions.addFlags(all) // sets options without a flag here to their defaults
	fs := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	fs.BoolVar(&o.realSize, "real-size", false, fmt.Sprintf("measure with random weights of the sizes of B/16 and L/14, which are written to the cache once: %d GB", models.RandomBytes>>30))
	fs.BoolVar(&o.quick, "quick", false, "few rounds: seconds instead of minutes, but less exact figures")
	fs.BoolVar(&o.json, "json", false, "print one JSON object instead of the table")
	fs.StringSliceVar(&o.only, "only", nil, "measure only these parts, see above")
	o.addModelFlags(fs)
	m := fs.Lookup("model")
	m.DefValue, o.model = demo.Name, demo.Name
	for _, name := range []string{"preset", "compat", "max-side", "quiet"} {
		fs.AddFlag(all.Lookup(name))
	}
	o.given = fs.Changed
	return fs
}

func (o *benchOptions) check(args []string) error {
	if len(args) > 0 {
		return ui.WithHint(ui.Usagef("unexpected argument %q", args[0]), "carve bench --help lists the flags")
	}
	if err := o.runOptions.check(); err != nil {
		return err
	}
	if o.realSize {
		if o.given("model") || o.given("classifier") {
			return ui.WithHint(ui.Usagef("--real-size brings models of its own"), "leave -m and --classifier out, or --real-size")
		}
		o.model, o.classifier = models.RandomPair[0], models.RandomPair[1]
	}
	var parts []string
	for _, p := range benchParts() {
		parts = append(parts, p.name)
	}
	for _, name := range o.only {
		if err := oneOf("only", name, parts...); err != nil {
			return err
		}
	}
	return nil
}

// A bench is one run of the command.
type bench struct {
	o      *benchOptions
	log    *slog.Logger
	stderr io.Writer
	dir    string // for the clip and the outputs
	clip   string
	preset car.Preset
	models *openedModels
	img    *car.Image  // a frame of the clip, as the models see it
	found  []car.Found // what the media jobs draw
	report *benchReport
}

type benchPart struct {
	name    string
	measure func(*bench, context.Context) error
}

func benchParts() []benchPart {
	return []benchPart{
		{"clip", (*bench).measureClip},
		{"media", (*bench).measureMedia},
		{"prompts", (*bench).measurePrompts},
		{"crf", (*bench).measureCRF},
		{"models", (*bench).measureModels},
		{"loop", (*bench).measureLoop},
	}
}

func runBench(args []string, stdout, stderr io.Writer) error {
	var o benchOptions
	fs := newBenchFlags(&o)
	if err := parse(fs, args, benchHelp, stdout); err != nil {
		return err
	}
	if err := o.check(fs.Args()); err != nil {
		return err
	}
	b := &bench{o: &o, log: o.newLog(stderr), stderr: stderr}
	// The clip is segmented by the code of carve segment, which handles signals as well
	// and finishes the frames in flight itself.
	ctx, release := interruptible()
	defer release()
	if err := b.run(ctx); err != nil {
		if ctx.Err() != nil {
			return ui.InterruptedError{}
		}
		return err
	}
	if o.json {
		return ui.WriteJSONLine(stdout, b.report)
	}
	return b.report.print(stdout)
}

func (b *bench) run(ctx context.Context) (err error) {
	if b.preset, err = b.o.presetFor(); err != nil {
		return err
	}
	dir, remove, err := atomicfile.TempDir("carve-bench-*")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	b.dir = dir
	defer func() {
		if e := remove(); err == nil {
			err = e
		}
	}()
	b.clip = filepath.Join(b.dir, "clip.mp4")
	if err := os.WriteFile(b.clip, democlip.Clip, 0o644); err != nil {
		return fmt.Errorf("writing the clip: %w", err)
	}
	if b.o.realSize {
		if err := b.makeModels(ctx); err != nil {
			return err
		}
	}
	if err := b.open(); err != nil {
		return err
	}
	defer b.close()
	if err := b.readFrame(ctx); err != nil {
		return fmt.Errorf("reading the clip: %w", err)
	}
	if err := b.describe(); err != nil {
		return err
	}
	for _, p := range benchParts() {
		if len(b.o.only) > 0 && !slices.Contains(b.o.only, p.name) {
			continue
		}
		b.log.Info("measuring: " + p.name)
		if err := p.measure(b, ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	b.report.PeakMemory = max(b.report.PeakMemory, peakMemory())
	return nil
}

func (b *bench) open() (err error) {
	b.models, err = openModels(&b.o.runOptions, nil, b.preset, b.stderr, b.log)
	return err
}

func (b *bench) close() {
	if b.models != nil {
		b.models.Close()
		b.models = nil
	}
}

// makeModels announces and writes the models of real size.
func (b *bench) makeModels(ctx context.Context) error {
	for i, name := range models.RandomPair {
		if slices.Contains(models.Names(), name) {
			continue
		}
		if i == 0 {
			b.log.Info(fmt.Sprintf("writing two models of random weights, about %d GB with the files built from them, to %s; carve models rm removes %s and %s again",
				models.RandomBytes>>30, models.Dir(), models.RandomPair[0], models.RandomPair[1]))
		}
		if err := models.MakeRandom(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// readFrame reads a frame of the clip, as the models see it.
func (b *bench) readFrame(ctx context.Context) error {
	src := &video.Source{Path: b.clip}
	if err := src.Initialize(); err != nil {
		return err
	}
	defer src.Close()
	const wanted = 40 // all four stickers are in this frame
	for shot, err := range src.Each(ctx, b.o.side(b.preset, b.models.device)) {
		if err != nil {
			return err
		}
		if shot.Index < wanted {
			continue
		}
		p, err := shot.Picture()
		b.img = &car.Image{Pix: slices.Clone(p.Pix), W: p.W, H: p.H}
		return err
	}
	return io.ErrUnexpectedEOF
}

// repeat calls round at least 1+least times, and further until a time budget is spent.
// The first round warms up.
func (b *bench) repeat(ctx context.Context, least int, round func() error) error {
	budget := 5 * time.Second
	if b.o.quick {
		budget, least = 300*time.Millisecond, min(least, 2)
	}
	const most = 100
	from := time.Now()
	for n := 0; n <= least || n <= most && time.Since(from) < budget; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := round(); err != nil {
			return err
		}
	}
	return nil
}
