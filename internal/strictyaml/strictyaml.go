// Package strictyaml reads YAML that people write by hand: one document, no unknown
// keys, and errors with their line.
//
// It is the only package that calls the YAML library, because the library trusts its
// input: its parser takes minutes and gigabytes for 100 KB of opening brackets, and
// some other texts are as bad. Here a text is checked against bounds before the parser
// sees it (see bounds.go), so that the cost is linear in its length.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/carve-video/carve/internal/plaintext"
)

// Decode reads one document into v. A key that v does not have is an error, and so is a
// second document. An empty file leaves v unchanged.
func Decode(data []byte, v any) error { return decode(data, v, yaml.Strict()) }

// DecodeSome is Decode, but ignores keys that v does not have.
func DecodeSome(data []byte, v any) error { return decode(data, v) }

func decode(data []byte, v any, options ...yaml.DecodeOption) (err error) {
	defer Catch(&err)
	data, _, err = bounded(data)
	if err != nil {
		return err
	}
	file := yaml.NewDecoder(bytes.NewReader(data), options...)
	if err := file.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return AtLine(nil, err)
	}
	var second any
	if err := file.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document in it")
	}
	return nil
}

// Document parses a text with one document and returns its body, nil if it is empty.
func Document(data []byte) (body ast.Node, err error) {
	defer Catch(&err)
	_, file, err := bounded(data)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			return nil, AtLine(d.Body, errors.New("a second document begins here; one is read"))
		default:
			body = d.Body
		}
	}
	return body, nil
}

// Value reads a part of a document into v. A key that v does not have is an error.
// Anchors within the part can be used.
func Value(node ast.Node, v any) (err error) {
	defer Catch(&err)
	return yaml.NodeToValue(node, v, yaml.Strict())
}

// Locate puts the line of a place in the document before an error. The place is a path
// such as "$.tracks[2].keys[0]". If it does not exist, the nearest existing part is
// used.
func Locate(data []byte, path string, cause error) (err error) {
	defer Catch(&err)
	_, file, err := bounded(data)
	if err != nil {
		return cause
	}
	for path != "" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil {
				return AtLine(node, cause)
			}
		}
		cut := bytes.LastIndexAny([]byte(path), ".[")
		path = path[:max(cut, 0)]
	}
	return cause
}

// bounded checks the bounds of a text and parses it. The returned text has no
// byte-order mark.
func bounded(data []byte) ([]byte, *ast.File, error) {
	data, tokens, err := check(data)
	if err != nil {
		return nil, nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, nil, AtLine(nil, err)
	}
	return data, file, checkAliases(file)
}

// Catch turns a panic into an error: the YAML library panics on some invalid texts,
// such as a tag that does not match its value.
func Catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("this cannot be read as YAML (%s)", short(fmt.Sprint(p)))
	}
}

// AtLine puts a line number before an error: the library's if it has one, or else the
// node's.
func AtLine(node ast.Node, err error) error {
	line := 0
	if node != nil && node.GetToken() != nil {
		line = node.GetToken().Position.Line
		// The token of a mapping is the colon after its first key.
		if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
			line = m.Values[0].Key.GetToken().Position.Line
		}
	}
	if y := yaml.Error(nil); errors.As(err, &y) {
		if t := y.GetToken(); t != nil {
			line = t.Position.Line
		}
		err = errors.New(short(y.GetMessage()))
	}
	if line == 0 {
		return err
	}
	return &LineError{line, err}
}

// A LineError is an error and the line of the text that it is about.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// short shortens a message of the library, which repeats its input.
func short(message string) string {
	const longest = 200
	runes := []rune(plaintext.Printable(message))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}
