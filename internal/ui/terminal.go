package ui

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/redact"
)

// Overwrite puts text in the place of the line that the cursor is on, which is a line of
// ours that was not ended: it is for terminals. Where every line is JSON it says nothing.
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
	io.WriteString(w, line) // a terminal that is gone needs no line
}

// Terminal returns the terminal that w writes to, if it is one. Writers that are around
// others say so by an Unwrap.
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

// IsTerminal tells whether w writes to a terminal, see [Terminal].
func IsTerminal(w io.Writer) bool {
	_, ok := Terminal(w)
	return ok
}

// Width is how many characters fit on a line of a terminal.
func Width(terminal *os.File) int {
	width, _, err := term.GetSize(int(terminal.Fd()))
	if err != nil {
		return 80
	}
	return width
}
