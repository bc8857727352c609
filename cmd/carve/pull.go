package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// pullModels downloads models by name; for a pair, both of its models.
func pullModels(ctx context.Context, o *modelsOptions, names []string, _, stderr io.Writer) error {
	var halves []string
	for _, name := range names {
		for _, half := range pairOf(name) {
			if _, ok := models.Known(half); !ok {
				return ui.WithHint(ui.Usagef("%q cannot be pulled", half), ui.DidYouMean(half, pullable(),
					"carve models list shows what can be pulled; carve models import takes your own file or folder"))
			}
			halves = append(halves, half)
		}
	}
	for _, half := range halves {
		if err := pullModel(ctx, half, o.quiet, stderr, (&messageOptions{quiet: o.quiet}).newLog(stderr)); err != nil {
			return err
		}
	}
	return nil
}

// pullable returns the names that can be pulled, pairs included.
func pullable() []string {
	names := []string{defaultModel}
	for _, e := range models.Registry() {
		names = append(names, e.Name)
	}
	return names
}

// pullModel downloads one model and reports it.
func pullModel(ctx context.Context, name string, quiet bool, stderr io.Writer, log *slog.Logger) error {
	show := newTransfer(name, quiet, stderr)
	fetched, err := models.Pull(ctx, name, models.PullOptions{Progress: show.progress, Log: log})
	show.end()
	if ctx.Err() != nil {
		return ui.WithHint(ui.InterruptedError{}, "the downloaded part is kept: the same command continues there")
	}
	if err != nil {
		return ui.WithHint(err, "carve models import PATH takes a copy of the file from elsewhere; CARVE_MIRROR sets another host, HTTPS_PROXY a proxy")
	}
	if !quiet {
		what := "is here already"
		if fetched {
			what = "pulled"
		}
		fmt.Fprintf(stderr, "%s: %s\n", name, what)
	}
	if !fetched {
		return nil
	}
	return selftestOnce(ctx, name, log)
}

// ensureModels makes sure that the models of a run are on this machine. At a terminal, or
// with --yes, it downloads missing ones, after printing what and from where.
func ensureModels(o *fetchOptions, names []string, quiet bool, stderr io.Writer, log *slog.Logger) error {
	var lacking []string
	var from *models.MissingModelError
	size := int64(0)
	for _, name := range names {
		_, err := models.Path(name)
		_, here := os.Stat(name) // a folder of that name will do
		// If one model of a pair does not exist, the other is not downloaded.
		if unknown := (*models.UnknownModelError)(nil); here != nil && errors.As(err, &unknown) && filepath.Base(name) == name {
			return modelError(err)
		}
		// Errors of models on this machine, built-in ones and paths show when they are opened.
		if here != nil && errors.As(err, &from) {
			lacking = append(lacking, name)
			size += from.Size
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	what := "model " + lacking[0] + " is"
	if len(lacking) > 1 {
		what = "models " + strings.Join(lacking, " and ") + " are"
	}
	what += " not on this machine"
	pull := "carve models pull " + strings.Join(lacking, " ")
	switch {
	case o.offline:
		return ui.WithHint(errors.New(what), fmt.Sprintf("%s fetches %s from %s; --offline does not", pull, ui.Megabytes(size), from.Host()))
	case !o.yes && !ui.IsTerminal(stderr):
		return ui.WithHint(errors.New(what), fmt.Sprintf("%s, or --yes, fetches %s from %s; -m demo needs no download", pull, ui.Megabytes(size), from.Host()))
	}
	log.Info(fmt.Sprintf("%s: fetching %s from %s", what, ui.Megabytes(size), from.Host()))
	ctx, stop := interruptible()
	defer stop()
	for _, name := range lacking {
		if err := pullModel(ctx, name, quiet, stderr, log); err != nil {
			return err
		}
	}
	return nil
}

// A transfer shows the progress of a download: on a terminal one line that is updated,
// elsewhere a line every ten seconds.
type transfer struct {
	name      string
	w         io.Writer // nil is silent
	width     int       // of the terminal; 0 if it is none
	shown     time.Time
	lineShown bool // whether a progress line is on the terminal
}

func newTransfer(name string, quiet bool, w io.Writer) *transfer {
	t := &transfer{name: name, shown: time.Now()}
	if quiet {
		return t
	}
	t.w = w
	if f, ok := ui.Terminal(w); ok {
		t.width = ui.Width(f)
	}
	return t
}

func (t *transfer) progress(p models.Progress) {
	if t.w == nil {
		return
	}
	text := t.name + ": " + transferText(p)
	if t.width > 0 {
		if len(text) > t.width-1 {
			text = text[:t.width-1]
		}
		ui.Overwrite(t.w, text)
		t.lineShown = true
		return
	}
	if time.Since(t.shown) >= 10*time.Second {
		t.shown = time.Now()
		fmt.Fprintln(t.w, text)
	}
}

// end clears the terminal's progress line.
func (t *transfer) end() {
	if t.lineShown {
		ui.Overwrite(t.w, "")
	}
}

// transferText returns "123.4 of 351.0 MB, 35 %, 12.3 MB/s, 19 s left".
func transferText(p models.Progress) string {
	s := fmt.Sprintf("%.1f MB", float64(p.Have)/1e6)
	if p.Total > 0 {
		s = fmt.Sprintf("%.1f of %.1f MB, %d %%", float64(p.Have)/1e6, float64(p.Total)/1e6, 100*p.Have/p.Total)
	}
	if p.Rate > 0 {
		s += fmt.Sprintf(", %.1f MB/s", p.Rate/1e6)
	}
	if p.ETA > 0 {
		s += fmt.Sprintf(", %v left", p.ETA.Round(time.Second))
	}
	if p.Retry > 0 {
		s += fmt.Sprintf(", try %d", p.Retry+1)
	}
	return s
}
