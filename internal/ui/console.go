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

// A Console is standard output or standard error as the commands write to them. Everything
// that is printed passes through it and is made harmless there: what a terminal would act
// on becomes an escape, and secrets in URLs are marked. JSON stays the same JSON. Foreign
// text that must not break its line goes through [printable.Text] first.
type Console struct {
	w        io.Writer
	onlyJSON bool

	mu   sync.Mutex
	rest []byte // the beginning of a character or, with onlyJSON, of a line
}

// NewConsole makes a console of a writer; onlyJSON makes every line an object of JSON, so
// that a line that is none becomes the message of one.
func NewConsole(w io.Writer, onlyJSON bool) *Console { return &Console{w: w, onlyJSON: onlyJSON} }

// Write implements [io.Writer].
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := append(c.rest, p...)
	n := len(text)
	if c.onlyJSON {
		n = 1 + bytes.LastIndexByte(text, '\n')
	} else if cut := unfinished(text); cut > 0 {
		n -= cut
	}
	c.rest = bytes.Clone(text[n:])
	if err := c.print(text[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush prints what is still held back.
func (c *Console) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.rest
	c.rest = nil
	return c.print(text)
}

func (c *Console) print(text []byte) error {
	if c.onlyJSON {
		text = objects(text)
	}
	if len(text) == 0 {
		return nil
	}
	_, err := io.WriteString(c.w, harmless(text))
	return err
}

func harmless(text []byte) string {
	if isJSON(text) {
		return printable.Lines(string(redact.JSON(text)))
	}
	return printable.Lines(redact.Text(string(text)))
}

// isJSON tells whether a text is JSON: one value, or one after the other.
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

// objects makes each line an object.
func objects(text []byte) []byte {
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

// unfinished is how many bytes at the end begin a character that does not end there.
func unfinished(text []byte) int {
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
