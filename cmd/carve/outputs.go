package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// Every path that a command writes is checked in this file before any work is done. It
// must not be an input or another output, and must not exist unless -y was given. Outputs
// have hidden names until they are complete (internal/atomicfile).

// planOutputs checks the outputs of a command, and warns about files that killed runs left
// in their folders. Empty paths are ignored.
func planOutputs(log *slog.Logger, overwrite bool, inputs []string, outputs ...string) error {
	var plan atomicfile.Plan
	plan.Overwrite, plan.Inputs = overwrite, inputs
	return addOutputs(&plan, log, outputs...)
}

// addOutputs is planOutputs with a plan that the caller began.
func addOutputs(plan *atomicfile.Plan, log *slog.Logger, outputs ...string) error {
	for _, path := range outputs {
		if path == "" {
			continue
		}
		if err := plan.Add(path); err != nil {
			return outputError(err)
		}
	}
	for _, dir := range plan.Folders() {
		warnLeftovers(log, dir)
	}
	return nil
}

// outputError adds context and a hint to the error of an output.
func outputError(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("opening output: %w", err)
	videos, images := video.Extensions()
	wrong := new(video.PathError)
	errors.As(err, &wrong)
	path := wrong.Path
	switch {
	case errors.Is(err, atomicfile.ErrExists):
		return ui.WithHint(err, "-y replaces it")
	case errors.Is(err, atomicfile.ErrIsInput), errors.Is(err, atomicfile.ErrIsOutput):
		return ui.WithHint(ui.UsageError{Err: err}, "write to another file")
	case errors.Is(err, atomicfile.ErrNoFolder):
		return ui.WithHint(err, "make the folder first")
	case errors.Is(err, video.ErrNotSeekable):
		return ui.WithHint(err, "a pipe can be .mkv .webm .ts .nut")
	case errors.Is(err, video.ErrUnknownContainer) && atomicfile.InPlace(path):
		return ui.WithHint(ui.UsageError{Err: err}, formatHint(path))
	case errors.Is(err, video.ErrFormat):
		return ui.WithHint(ui.UsageError{Err: err}, "leave format out, or name the output otherwise")
	case errors.Is(err, video.ErrUnknownContainer):
		return ui.WithHint(ui.UsageError{Err: err}, "a video can be "+strings.Join(videos, " ")+"; an image "+strings.Join(images, " "))
	case errors.Is(err, video.ErrEncoderMismatch):
		return ui.WithHint(ui.UsageError{Err: err}, encodersHint(path, wrong.Format))
	case errors.Is(err, video.ErrNoEncoder):
		return ui.WithHint(err, ui.DidYouMean(wrong.Detail, video.EncodersFor(path, wrong.Format), encodersHint(path, wrong.Format)))
	case errors.Is(err, video.ErrCover):
		return ui.WithHint(ui.UsageError{Err: err}, "a cover is an image: write it to "+strings.Join(images, " "))
	case errors.Is(err, video.ErrStillContainer):
		return ui.WithHint(ui.UsageError{Err: err}, "a video can be "+strings.Join(videos, " "))
	}
	return err
}

// encodersHint lists the encoders that an output can use.
func encodersHint(path, format string) string {
	names := video.EncodersFor(path, format)
	if len(names) == 0 {
		return "carve doctor lists what this FFmpeg can write"
	}
	return "--encoder can be " + strings.Join(names, ", ") + " for this output"
}

// maxNamed is how many leftovers are named; the others are only counted.
const maxNamed = 3

// warnLeftovers names the files that killed runs left in a folder, and the command that
// removes them. It removes nothing itself: such a file may belong to the user.
func warnLeftovers(log *slog.Logger, dir string) {
	var names []string
	var bytes int64
	n := 0
	for _, l := range atomicfile.Leftovers(dir) {
		if l.Old {
			log.Warn("a killed run left the file that its output was to replace, maybe the only copy: " + ui.ShellQuote(l.Path))
			continue
		}
		n++
		if bytes += l.Size; len(names) < maxNamed {
			names = append(names, ui.ShellQuote(l.Path))
		}
	}
	if n == 0 {
		return
	}
	some := ""
	if n > len(names) {
		some = fmt.Sprintf(", the first %d of them", len(names))
	}
	log.Warn(fmt.Sprintf("killed runs left %s (%s). This removes them%s: rm -r %s",
		ui.Counted(n, "unfinished file"), sizeWords(bytes), some, strings.Join(names, " ")))
}

func sizeWords(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// inputs returns the files that a run reads. They are never written.
func (o *segmentOptions) inputs() []string { return o.files(o.input, o.queryFile, o.restore, o.job) }

// naming is locked while outputs get their names, so that no signal ends the process
// between two of them.
var naming struct {
	sync.Mutex
	done bool // all outputs have their names
}

// strictError returns the error of a run with --strict if the output loses something of
// the input.
func strictError(path string, lost []video.Loss) error {
	if len(lost) == 0 {
		return nil
	}
	var what []string
	for _, l := range lost {
		what = append(what, l.What()+": "+lossReason(l))
	}
	return ui.WithHint(fmt.Errorf("%s would be without %s", path, strings.Join(what, "; ")), "without --strict carve leaves such things out and names them")
}

// commit gives the outputs of a run their names, once all are complete.
func (o *segmentOptions) commit(sinks []carve.Sink, name func() error) (err error) {
	for _, s := range sinks {
		if lost, ok := s.(losing); ok && o.strict {
			if err := strictError(s.(carve.FileSink).Paths()[0], lost.Lost()); err != nil {
				return err
			}
		}
	}
	naming.Lock()
	defer func() {
		naming.done = err == nil
		naming.Unlock()
	}()
	return name()
}

// playlistHint is the hint for an existing output although -y was given.
const playlistHint = "a run that reads a playlist never replaces existing files"

// planOutputs checks the outputs of a run.
func (o *segmentOptions) planOutputs(log *slog.Logger, overwrite bool) error {
	if err := o.checkStdout(ui.IsTerminal(os.Stdout)); err != nil {
		return err
	}
	var plan atomicfile.Plan
	plan.Overwrite, plan.Inputs = overwrite, o.inputs()
	if o.progress == "json" {
		plan.Occupy(os.Stdout)
	}
	if err := o.planFolders(); err != nil {
		return err
	}
	if err := addOutputs(&plan, log, o.pipes()...); err != nil {
		return err
	}
	return o.planCheckpoint(&plan, log)
}

// planFolders finds outputs that lie in the folder of a mask sequence, which is for that
// sequence alone.
func (o *segmentOptions) planFolders() error {
	var folders []string // "" for an output that is no sequence
	var paths []string
	for _, s := range o.specs {
		folder := ""
		if f, ok := s.keys.(folderOutput); ok {
			folder = f.folder(s.Path)
		}
		folders, paths = append(folders, folder), append(paths, s.Path)
	}
	for _, path := range []string{o.explain, o.checkpoint} {
		if path != "" {
			folders, paths = append(folders, ""), append(paths, path)
		}
	}
	for i, folder := range folders {
		for k, path := range paths {
			if folder == "" || i == k {
				continue
			}
			if folders[k] != "" {
				path = folders[k]
			}
			if within(folder, path) && (path != folder || k > i || folders[k] == "") {
				return ui.WithHint(ui.Usagef("output %s lies in the folder of the mask sequence %s", paths[k], paths[i]), "write it elsewhere")
			}
		}
	}
	return nil
}

// within reports whether a path lies in a folder, or is it.
func within(folder, path string) bool {
	a, errA := filepath.Abs(folder)
	b, errB := filepath.Abs(path)
	rel, err := filepath.Rel(a, b)
	return errors.Join(errA, errB, err) == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
