package main

import (
	"io"
	"log/slog"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/ui"
)

// newLog makes the logger of a run: lines like the program's errors, or JSON. From then on
// it is also told what C libraries print.
func newLog(o *segmentOptions, stderr io.Writer) *slog.Logger {
	level := slog.LevelInfo
	switch {
	case o.quiet:
		level = slog.LevelError
	case o.verbose:
		level = slog.LevelDebug
	}
	log := slog.New(ui.NewHandler(stderr, o.logFormat == "json", level))
	cstderr.SetLog(log)
	return log
}
