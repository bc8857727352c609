package ui

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/carve-video/carve/internal/printable"
)

// NewHandler makes a log handler. Its lines are formatted like the program's errors, or
// as JSON objects.
func NewHandler(w io.Writer, asJSON bool, level slog.Level) slog.Handler {
	if asJSON {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	return &textHandler{w: w, level: level, mu: new(sync.Mutex)}
}

// A textHandler writes "carve: warning: message (key value, key value)", the same form
// as errors. On a terminal it first clears the progress line.
type textHandler struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

// Enabled implements [slog.Handler], as do all methods.
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
	line := "carve: " + kind + ": " + OneLine(r.Message)
	if len(more) > 0 {
		line += " (" + OneLine(strings.Join(more, ", ")) + ")"
	}
	line = printable.Text(line)
	h.mu.Lock()
	defer h.mu.Unlock()
	if IsTerminal(h.w) {
		Overwrite(h.w, line+"\n")
		return nil
	}
	_, err := fmt.Fprintln(h.w, line)
	return err
}
