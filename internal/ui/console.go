package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/redact"
)

// A Console is standard output or standard error for the commands. It makes everything
// printed through it harmless: terminal controls are escaped, and secrets in URLs are
// masked. JSON stays the same JSON. Foreign text that must not break its line must go
// through [printable.Text] first.
type Console struct {
	w        io.Writer
	onlyJSON bool

	mu   sync.Mutex
	rest []byte // an incomplete character or, with onlyJSON, an incomplete line
}

// NewConsole makes a console that writes to w. With onlyJSON every line is a JSON
// object: another line becomes the message of one.
func NewConsole(w io.Writer, onlyJSON bool) *Console { return &Console{w: w, onlyJSON: onlyJSON} }

// Write implements [io.Writer].
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := append(c.rest, p...)
	n := len(text)
	if c.onlyJSON {
		n = 1 + bytes.LastIndexByte(text, '\n')
	} else if cut := incomplete(text); cut > 0 {
		n -= cut
	}
	c.rest = bytes.Clone(text[n:])
	if err := c.print(text[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush prints what is held back.
func (c *Console) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.rest
	c.rest = nil
	return c.print(text)
}

func (c *Console) print(text []byte) error {
	if c.onlyJSON {
		text = wrapJSON(text)
	}
	if len(text) == 0 {
		return nil
	}
	_, err := io.WriteString(c.w, sanitize(text))
	return err
}

func sanitize(text []byte) string {
	if isJSON(text) {
		return printable.Lines(string(redact.JSON(text)))
	}
	return printable.Lines(redact.Text(string(text)))
}

// isJSON tells whether a text is one or several JSON values.
func isJSON(text []byte) bool {
	values := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		switch err := values.Decode(&value); {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return false
		}
	}
}

// wrapJSON makes each line a JSON object.
func wrapJSON(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			line, _ = json.Marshal(struct {
				MessageType string `json:"message_type"`
				Message     string `json:"message"`
			}{"text", string(line)})
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// incomplete returns the number of bytes of an incomplete character at the end.
func incomplete(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return n
			}
			break
		}
	}
	return 0
}
