package stickers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/strictyaml"
)

// scriptLimit bounds the file of a script. No real script is nearly as large.
const scriptLimit = 1 << 20

// ReadClip reads a script, which is a [Clip] in YAML, and initialises it. Errors name
// the line.
func ReadClip(r io.Reader) (*Clip, error) {
	data, err := plaintext.Read(r, scriptLimit)
	if err != nil {
		return nil, fmt.Errorf("reading the clip's script: %w", err)
	}
	c := new(Clip)
	err = strictyaml.Decode(data, c)
	c.About = strings.TrimSpace(c.About) // a YAML text block ends with a line feed
	if err == nil {
		err = c.Initialize()
	}
	if w := (*scriptError)(nil); errors.As(err, &w) {
		err = strictyaml.Locate(data, "$."+w.path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the clip's script: %w", err)
	}
	return c, nil
}

// Script returns the clip in the form that ReadClip reads, one line for every key, so
// that it can be edited by hand.
func (c *Clip) Script() ([]byte, error) {
	b, err := yaml.Marshal(c)
	if err != nil || strings.ContainsAny(c.About, "{}") {
		return b, err // a text could look like a key
	}
	b = bytes.ReplaceAll(b, []byte("[{t: "), []byte("[\n      {t: "))
	b = bytes.ReplaceAll(b, []byte("}, {t: "), []byte("},\n      {t: "))
	// YAML 1.2 no longer reads y as yes.
	return bytes.ReplaceAll(b, []byte(`"y":`), []byte("y:")), nil
}

// A Rate is a number of frames a second, as a fraction. In a script it is "24" or
// "30000/1001".
type Rate struct{ Num, Den int }

func (r Rate) String() string {
	if r.Den == 1 {
		return strconv.Itoa(r.Num)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}

// UnmarshalYAML implements [yaml.BytesUnmarshaler].
func (r *Rate) UnmarshalYAML(b []byte) error {
	text := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	if len(text) > 32 {
		return at(errors.New("rate is no number of frames a second like 24 or 30000/1001"), "rate")
	}
	num, den, fraction := strings.Cut(text, "/")
	var err, err2 error
	r.Num, err = strconv.Atoi(num)
	r.Den = 1
	if fraction {
		r.Den, err2 = strconv.Atoi(den)
	}
	if err != nil || err2 != nil {
		return at(fmt.Errorf("rate %s is no number of frames a second like 24 or 30000/1001", text), "rate")
	}
	return nil
}

// MarshalYAML implements [yaml.BytesMarshaler].
func (r Rate) MarshalYAML() ([]byte, error) { return []byte(r.String()), nil }
