package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// modelError adds a hint to an error about a model that is missing or cannot be opened.
func modelError(err error) error {
	var missing *models.MissingModelError
	if errors.As(err, &missing) {
		return ui.WithHint(err, fmt.Sprintf("carve models pull %s fetches it (about %d MB, from %s); -m demo needs no download", missing.Name, missing.Size/1e6, missing.Host()))
	}
	var unknown *models.UnknownModelError
	if errors.As(err, &unknown) {
		hint := unknown.Hint() + "; carve models list describes each"
		if near := ui.DidYouMean(unknown.Name, unknown.Known, ""); near != "" {
			hint = near + " carve models list shows all models"
		}
		return ui.WithHint(ui.UsageError{Err: err}, hint)
	}
	if name := (*models.NameError)(nil); errors.As(err, &name) {
		return ui.WithHint(ui.UsageError{Err: err}, ui.OwnHint(err))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return ui.WithHint(err, "a model is a name from carve models list, a folder such as ./FOLDER, or a checkpoint such as ./FILE.pt")
	}
	return ui.WithHint(err, ui.OwnHint(err))
}

// pairOf returns the models that a name stands for.
func pairOf(name string) []string {
	a, b := models.PairNames(name)
	return unique(a, b)
}

// unique drops repeated names.
func unique(names ...string) (list []string) {
	for _, n := range names {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// count formats a number of parameters, as 2.0 M.
func count(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f G", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f M", float64(n)/1e6)
}

// columns joins names into lines of at most 76 characters.
func columns(names []string) string {
	var b strings.Builder
	width := 0
	for i, n := range names {
		if i < len(names)-1 {
			n += ","
		}
		if width+len(n)+1 > 76 {
			b.WriteString("\n")
			width = 0
		}
		if width == 0 {
			b.WriteString("  ")
			width = 1
		} else {
			b.WriteString(" ")
		}
		b.WriteString(n)
		width += len(n) + 1
	}
	return b.String()
}

func synonyms() string {
	var list []string
	for _, c := range demo.Concepts {
		for _, s := range demo.Synonyms[c] {
			list = append(list, fmt.Sprintf("%s (%s)", s, c))
		}
	}
	return columns(list)
}
