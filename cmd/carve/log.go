package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/carve-video/carve/internal/cstderr"
	"github.com/carve-video/carve/internal/printable"
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
	var log *slog.Logger
	if o.logFormat == "json" {
		log = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	} else {
		log = slog.New(&textHandler{w: stderr, level: level, mu: new(sync.Mutex)})
	}
	cstderr.SetLog(log)
	return log
}

// A textHandler writes "carve: warning: message (key value, key value)": the
// same form as errors have. On a terminal it first clears the progress line.
type textHandler struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

func (h *textHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(c.attrs[:len(c.attrs):len(c.attrs)], attrs...)
	return &c
}

func (h *textHandler) WithGroup(string) slog.Handler { return h }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	kind := "debug"
	switch {
	case r.Level >= slog.LevelError:
		kind = "error"
	case r.Level >= slog.LevelWarn:
		kind = "warning"
	case r.Level >= slog.LevelInfo:
		kind = "info"
	}
	var more []string
	add := func(a slog.Attr) bool {
		more = append(more, fmt.Sprintf("%s %v", a.Key, a.Value))
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := "carve: " + kind + ": " + oneLine(r.Message)
	if len(more) > 0 {
		line += " (" + oneLine(strings.Join(more, ", ")) + ")"
	}
	line = printable.Text(line)
	h.mu.Lock()
	defer h.mu.Unlock()
	if isTerminal(h.w) {
		overwrite(h.w, line+"\n")
		return nil
	}
	_, err := fmt.Fprintln(h.w, line)
	return err
}
