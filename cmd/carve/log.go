package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// newLog makes the logger of a run: lines like the program's errors, or JSON.
func newLog(o *segmentOptions, stderr io.Writer) *slog.Logger {
	level := slog.LevelInfo
	switch {
	case o.quiet:
		level = slog.LevelError
	case o.verbose:
		level = slog.LevelDebug
	}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&textHandler{w: stderr, level: level, mu: new(sync.Mutex)})
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
	h.mu.Lock()
	defer h.mu.Unlock()
	if isTerminal(h.w) {
		line = "\r\x1b[K" + line
	}
	_, err := fmt.Fprintln(h.w, line)
	return err
}
