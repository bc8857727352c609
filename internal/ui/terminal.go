package ui

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/redact"
)

// Overwrite replaces the line that the cursor is on, which must be our own and not
// ended. It is for terminals. If every line is JSON it does nothing.
func Overwrite(w io.Writer, text string) {
	if c, ok := w.(*Console); ok {
		if c.onlyJSON {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		w = c.w
	}
	line, ended := strings.CutSuffix(text, "\n")
	line = "\r\x1b[K" + printable.Text(redact.Text(line))
	if ended {
		line += "\n"
	}
	io.WriteString(w, line) // a closed terminal needs no line
}

// Terminal returns the terminal that w writes to, if it is one. Writers that wrap
// another have an Unwrap method.
func Terminal(w io.Writer) (*os.File, bool) {
	for {
		switch v := w.(type) {
		case *Console:
			w = v.w
		case interface{ Unwrap() io.Writer }:
			w = v.Unwrap()
		case *os.File:
			return v, term.IsTerminal(int(v.Fd()))
		default:
			return nil, false
		}
	}
}

// IsTerminal tells whether w writes to a terminal. See [Terminal].
func IsTerminal(w io.Writer) bool {
	_, ok := Terminal(w)
	return ok
}

// Width returns the width of a terminal in characters.
func Width(terminal *os.File) int {
	width, _, err := term.GetSize(int(terminal.Fd()))
	if err != nil {
		return 80
	}
	return width
}
