// Package strictyaml reads YAML that people write by hand: one document, no keys
// that nothing reads, errors with their line.
//
// It is the only package that calls the YAML library, because the library trusts
// what it is given: its parser takes minutes and gigabytes for 100 KB of opening
// brackets, and some texts of another kind are as bad. Here a text is bounded
// before the parser sees it (see bounds.go): what it costs grows with its length
// and no faster.
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

// Decode reads one document into v. A key that v has no place for is an error,
// and so is a second document; an empty file leaves v as it is.
func Decode(data []byte, v any) error { return decode(data, v, yaml.Strict()) }

// DecodeSome is Decode for who wants only some of the keys.
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

// Document parses a text of one document and returns its body, nil for an empty
// one.
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

// Value reads a part of a document into v. A key that v has no place for is an
// error. Anchors are known within the part.
func Value(node ast.Node, v any) (err error) {
	defer Catch(&err)
	return yaml.NodeToValue(node, v, yaml.Strict())
}

// Locate puts the line of a place in the document before an error. The place is
// a path as in "$.tracks[2].keys[0]"; of one that is not there the nearest part
// that is counts.
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

// bounded finds what is too much in a text, and parses it. The text it returns
// has no byte-order mark.
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

// Catch turns a panic into an error: the YAML library has some for what is not
// YAML, such as a tag that says another kind than its value has.
func Catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("this cannot be read as YAML (%s)", short(fmt.Sprint(p)))
	}
}

// AtLine puts a line number before an error: the library's own where it has
// one, else the node's.
func AtLine(node ast.Node, err error) error {
	line := 0
	if node != nil && node.GetToken() != nil {
		line = node.GetToken().Position.Line
		// A mapping's own token is the colon behind its first key.
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
	return fmt.Errorf("line %d: %w", line, err)
}

// short is a message of the library's, which repeats what it was given.
func short(message string) string {
	const longest = 200
	runes := []rune(plaintext.Printable(message))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}
