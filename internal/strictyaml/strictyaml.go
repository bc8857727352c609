// Package strictyaml reads YAML that people write by hand: one document, no keys
// that nothing reads, errors with their line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Decode reads one document into v. A key that v has no place for is an error,
// and so is a second document; an empty file leaves v as it is.
func Decode(data []byte, v any) (err error) {
	defer Catch(&err)
	file := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := file.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return AtLine(nil, err)
	}
	var second any
	if err := file.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document in it")
	}
	return nil
}

// Locate puts the line of a place in the document before an error. The place is
// a path as in "$.tracks[2].keys[0]"; of one that is not there the nearest part
// that is counts.
func Locate(data []byte, path string, cause error) (err error) {
	defer Catch(&err)
	file, err := parser.ParseBytes(data, 0)
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

// Catch turns a panic into an error: the YAML library has some for what is not
// YAML, such as a tag that says another kind than its value has.
func Catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("this cannot be read as YAML (%v)", p)
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
		err = errors.New(y.GetMessage())
	}
	if line == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}
