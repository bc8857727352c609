// Package boundedjson decodes JSON of other origin within limits. A bracket in a file
// can become a hundred bytes in memory, and nesting takes stack: both are counted
// before anything is decoded.
package boundedjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/plaintext"
)

// Limits bound the contents of a file.
type Limits struct {
	Bytes int64
	Depth int // nesting of lists and objects
	Count int // number of lists and objects
}

// ReadFile decodes a file into v.
func (l Limits) ReadFile(path string, v any) error {
	data, err := plaintext.ReadFile(path, l.Bytes)
	if err != nil {
		return err
	}
	return l.Unmarshal(data, v)
}

// Unmarshal decodes data into v.
func (l Limits) Unmarshal(data []byte, v any) error {
	if int64(len(data)) > l.Bytes {
		return &plaintext.TooLargeError{Limit: l.Bytes}
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return errors.New("it is UTF-16, not UTF-8: save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	if err := l.count(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// count checks the limits in one pass over the text. Invalid JSON is left to the
// decoder.
func (l Limits) count(data []byte) error {
	depth, count := 0, 0
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			count++
		case c == ']' || c == '}':
			depth--
		}
		if depth > l.Depth {
			return fmt.Errorf("lists and objects are nested more than %d deep in it", l.Depth)
		}
		if count > l.Count {
			return fmt.Errorf("there are more than %d lists and objects in it", l.Count)
		}
	}
	return nil
}
