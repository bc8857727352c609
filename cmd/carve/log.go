package main

import (
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/ui"
)

// messageOptions are the flags of messages beside the result.
type messageOptions struct {
	quiet     bool
	verbose   bool
	logFormat string
}

func (o *messageOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.quiet, "quiet", false, "print errors only")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "print the time that each stage of the pipeline took, and FFmpeg's own messages")
	fs.StringVar(&o.logFormat, "log-format", "text", "form of messages on stderr: text or json")
}

func (o *messageOptions) check() error { return oneOf("log-format", o.logFormat, "text", "json") }

// newLog makes the logger of a run: lines like the program's errors, or JSON. From then on
// output of C libraries goes to it as well.
func (o *messageOptions) newLog(stderr io.Writer) *slog.Logger {
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
