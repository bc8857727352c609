package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/clips"
	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
)

// clipsOptions are the flags of "carve clips".
type clipsOptions struct {
	output    string
	overwrite bool
	seed      uint64
	seeded    bool // a seed was given
	suite     int
	script    string
	frames    bool
}

func newClipsFlags(o *clipsOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("clips", pflag.ContinueOnError)
	fs.StringVarP(&o.output, "output", "o", "", "`DIR` to write to, one folder per clip; without it the clips are listed")
	fs.BoolVarP(&o.overwrite, "overwrite", "y", false, "replace existing clips; a folder with any other file is not touched")
	fs.Uint64Var(&o.seed, "seed", 0, "generate other clips of the same kinds from this number")
	fs.IntVar(&o.suite, "suite", 1, "without names, the clips of this suite: 1, or 2, which has several things of one kind")
	fs.StringVar(&o.script, "script", "", "YAML file that describes your own clip; script.yaml beside every clip is an example")
	fs.BoolVar(&o.frames, "frames", false, "write the frames as lossless PNGs instead of a video")
	return fs
}

func clipsHelp(all bool) string {
	var o clipsOptions
	return `carve clips - make clips with known ground truth, to measure with

Usage:
  carve clips
  carve clips [NAME... | --suite N] -o FOLDER [--seed N]
  carve clips --script FILE -o FOLDER

Renders clips of stickers that the demo model knows, of ` + fmt.Sprint(len(clips.Kinds())) + ` kinds that test one
difficulty each. They are in two suites. The standing clips never change;
--seed generates others. A clip's folder appears when it is complete. Clips
that were finished before an error or Ctrl-C are kept.

  clip.mp4               the clip (or frames/00000.png, with --frames)
  annotations/00000.png  the concept of each pixel, in the format of DAVIS
  tracks/00000.png       the instance of each pixel
  truth.json             names, times, cuts; when objects enter, leave, return
  script.yaml            the script that it was rendered from

carve eval run --dataset clips --root FOLDER measures carve on them.

` + flagsHelp(newClipsFlags(&o), all) + "\n" + ui.ExitCodesHelp
}

func runClips(args []string, stdout, stderr io.Writer) error {
	var o clipsOptions
	fs := newClipsFlags(&o)
	if err := parse(fs, args, clipsHelp, stdout); err != nil {
		return err
	}
	o.seeded = fs.Changed("seed")
	switch {
	case o.script != "" && (fs.NArg() > 0 || o.seeded):
		return ui.WithHint(ui.Usagef("a script is given together with a name or a seed"), "--script makes only the clip that it describes")
	case fs.Changed("suite") && (fs.NArg() > 0 || o.script != ""):
		return ui.WithHint(ui.Usagef("--suite is given together with a name or a script"), "--suite makes all clips of a suite")
	case o.suite < 1 || o.suite > clips.Suites:
		return ui.Usagef("--suite is %d; there are suites 1 to %d", o.suite, clips.Suites)
	case o.output == "" && (fs.NArg() > 0 || fs.NFlag() > 0):
		return ui.WithHint(ui.Usagef("no folder to write into"), "name it with -o")
	case o.output == "":
		for _, k := range clips.Kinds() {
			fmt.Fprintf(stdout, "%-13s %s\n", k.Name, k.About)
		}
		return nil
	}
	ctx, stop := interruptible()
	defer stop()
	selected, err := o.clips(fs.Args())
	if err != nil {
		return err
	}
	return o.write(ctx, new(messageOptions).newLog(stderr), selected, stdout)
}

// clips returns the clips to write: by default all.
func (o *clipsOptions) clips(names []string) ([]clips.Clip, error) {
	if o.script != "" {
		c, err := readClip(o.script)
		if err != nil {
			return nil, err
		}
		base := filepath.Base(o.script)
		return []clips.Clip{{Name: strings.TrimSuffix(base, filepath.Ext(base)), Clip: c}}, nil
	}
	var known, suite []string
	for _, k := range clips.Kinds() {
		known = append(known, k.Name)
		if k.Suite == o.suite {
			suite = append(suite, k.Name)
		}
	}
	if len(names) == 0 {
		names = suite
	}
	var list []clips.Clip
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		get := clips.Standing
		if o.seeded {
			get = func(name string) (clips.Clip, error) { return clips.Fresh(name, o.seed) }
		}
		c, err := get(name)
		if unknown := (*clips.UnknownError)(nil); errors.As(err, &unknown) {
			return nil, ui.WithHint(ui.UsageError{Err: err}, ui.DidYouMean(name, known, "the clips are "+strings.Join(known, ", ")))
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func readClip(path string) (*stickers.Clip, error) {
	const form = "script.yaml in the folder of every clip is an example to start from"
	f, err := openText("a clip's script", path, form)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := stickers.ReadClip(f)
	if err != nil {
		return nil, textFileError(fmt.Errorf("%s: %w", path, err), form)
	}
	return c, nil
}

// write renders the clips, as many at a time as there are CPUs.
func (o *clipsOptions) write(ctx context.Context, log *slog.Logger, list []clips.Clip, stdout io.Writer) error {
	for _, c := range list {
		if err := o.checkFolder(filepath.Join(o.output, c.Name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return fmt.Errorf("making the folder of the clips: %w", err)
	}
	warnLeftovers(log, o.output)
	var done atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range list {
		work.Go(func() error {
			if err := o.writeClip(ctx, c); err != nil {
				return fmt.Errorf("writing clip %s: %w", c.Name, err)
			}
			done.Add(1)
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		if errors.Is(err, context.Canceled) {
			if n := done.Load(); n > 0 {
				return ui.InterruptedError{At: fmt.Sprintf("%d of %d clips", n, len(list)), Written: o.output}
			}
			return ui.InterruptedError{}
		}
		return err
	}
	t := ui.NewTable("clip", "frames", "seconds", "queries", "present")
	for _, c := range list {
		t.Add(c.Name, fmt.Sprint(c.Len()), fmt.Sprintf("%.2f", c.Seconds(c.Len())),
			fmt.Sprint(len(c.Queries())), fmt.Sprint(len(c.Concepts())))
	}
	return t.Write(stdout)
}

const (
	scriptFile = "script.yaml"
	videoFile  = "clip.mp4"
	truthFile  = "truth.json"
)

// isClipFile reports whether a file belongs to a clip, so that it may be replaced.
func isClipFile(name string, mode fs.FileMode) bool {
	dir, file := path.Split(name)
	switch {
	case mode.IsDir():
		return slices.Contains(stickers.Pictures, name)
	case !mode.IsRegular():
		return false
	case dir == "":
		return name == scriptFile || name == videoFile || name == truthFile
	}
	return stickers.IsPicture(file)
}

// folderOptions are the options for replacing the folder of a clip.
func (o *clipsOptions) folderOptions() atomicfile.Options {
	options := atomicfile.Options{Overwrite: o.overwrite}
	if o.script != "" {
		options.Inputs = []string{o.script}
	}
	return options
}

// checkFolder checks the folder of a clip before any work is done: only what this command
// made may be replaced.
func (o *clipsOptions) checkFolder(dir string) error {
	const another = "name another folder with -o"
	err := atomicfile.CheckFolder(dir, o.folderOptions(), isClipFile)
	foreign := (*atomicfile.ForeignError)(nil)
	switch {
	case errors.Is(err, atomicfile.ErrNoFolder):
		return nil // it will be made
	case errors.Is(err, atomicfile.ErrExists):
		return ui.WithHint(err, "-y replaces it")
	case errors.Is(err, atomicfile.ErrIsInput):
		return ui.WithHint(ui.UsageError{Err: fmt.Errorf("replacing %w", err)}, another)
	case errors.As(err, &foreign):
		return ui.WithHint(fmt.Errorf("replacing %s: it holds %s, which is no file of a clip", dir, foreign.Name), "move that file away, or "+another)
	case err != nil:
		return ui.WithHint(fmt.Errorf("replacing %w", err), another)
	}
	// Images that do not belong to a clip may have such names, too.
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		for _, name := range []string{scriptFile, truthFile} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				return ui.WithHint(fmt.Errorf("replacing %s: it is no clip's folder: it has no %s", dir, name), another)
			}
		}
	}
	return nil
}

// writeClip writes the folder of a clip: all of it or nothing.
func (o *clipsOptions) writeClip(ctx context.Context, c clips.Clip) (err error) {
	part, err := atomicfile.ReplaceFolder(filepath.Join(o.output, c.Name), o.folderOptions(), isClipFile)
	if err != nil {
		return err
	}
	defer part.Abort()
	folder := &stickers.Folder{Dir: part.Path(), Pictures: o.frames}
	if o.frames {
		err = writeFrames(ctx, c, folder)
	} else {
		err = writeVideo(ctx, c, folder)
	}
	if err != nil {
		return err
	}
	if err := folder.Finish(c.Album(folder.Frames())); err != nil {
		return err
	}
	script, err := c.Script()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part.Path(), scriptFile), script, 0o644); err != nil {
		return err
	}
	return part.Commit()
}

func writeFrames(ctx context.Context, c clips.Clip, folder *stickers.Folder) error {
	for n := range c.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		img, truth := c.Frame(n)
		if err := folder.Add(img, truth); err != nil {
			return err
		}
	}
	return nil
}

// writeVideo encodes on one thread, so that the same build of FFmpeg always writes the
// same bytes.
func writeVideo(ctx context.Context, c clips.Clip, folder *stickers.Folder) error {
	rate := video.Rational{Num: c.Rate.Num, Den: c.Rate.Den}
	reel := &video.Reel{Width: c.Width, Height: c.Height, TimeBase: video.Rational{Num: rate.Den, Den: rate.Num}, Rate: rate}
	if err := reel.Initialize(); err != nil {
		return err
	}
	defer reel.Close()
	sink := &video.Sink{Path: filepath.Join(folder.Dir, videoFile), Reel: reel, CRF: c.CRF, Threads: 1}
	if err := sink.Initialize(); err != nil {
		return err
	}
	defer sink.Abort()
	for n := range c.Len() {
		img, truth := c.Frame(n)
		if err := folder.Add(img, truth); err != nil {
			return err
		}
		frame, err := reel.Frame(ctx, img, int64(c.Tick(n)), int64(c.Tick(n+1)-c.Tick(n)))
		if err != nil {
			return err
		}
		err = sink.Encode(ctx, frame)
		frame.Release()
		if err != nil {
			return err
		}
	}
	return sink.Finish()
}
