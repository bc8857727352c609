package car

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/carve-video/carve/internal/strictyaml"
)

// queryFileLimit bounds a file of queries; whoever needs more has mistaken the
// file.
const queryFileLimit = 1 << 20

// ReadQueries reads a file of queries. A name that ends in .yaml or .yml is a
// YAML list, under the key "queries" or by itself, of names or of mappings with
// the keys label, phrases, background, theta, presence and colour; an unknown key is an
// error, so that a misspelt one is not passed over. Any other name is a
// text with one query a line as [ParseQuery] reads it; blank lines and what
// follows a # at the start of a word are passed over. Errors name the line.
func ReadQueries(r io.Reader, name string) ([]Query, error) {
	data, err := io.ReadAll(io.LimitReader(r, queryFileLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading queries from %s: %w", name, err)
	}
	if len(data) > queryFileLimit {
		return nil, fmt.Errorf("reading queries from %s: the file is larger than %d bytes", name, queryFileLimit)
	}
	var queries []Query
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		queries, err = yamlQueries(data)
	default:
		queries, err = lineQueries(string(data))
	}
	if err == nil && len(queries) == 0 {
		err = fmt.Errorf("there is no query in it")
	}
	if err != nil {
		return nil, fmt.Errorf("reading queries from %s: %w", name, err)
	}
	return queries, nil
}

func lineQueries(text string) ([]Query, error) {
	var queries []Query
	n := 0
	for line := range strings.Lines(text) {
		n++
		if i := strings.Index(line, "#"); i == 0 || i > 0 && strings.ContainsRune(" \t", rune(line[i-1])) {
			line = line[:i]
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		q, err := ParseQuery(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// yamlQueries walks the document itself instead of decoding it whole, so that
// an error names the line of the entry that it is about.
func yamlQueries(data []byte) (_ []Query, err error) {
	defer strictyaml.Catch(&err)
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, strictyaml.AtLine(nil, err)
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) == 0 {
		return nil, nil
	}
	if len(docs) > 1 {
		return nil, strictyaml.AtLine(docs[1], fmt.Errorf("a second document begins here; one is read"))
	}
	list := docs[0]
	if m, ok := list.(ast.MapNode); ok {
		list = nil
		for entries := m.MapRange(); entries.Next(); {
			if key := entries.Key().String(); key != "queries" {
				return nil, strictyaml.AtLine(entries.Key(), fmt.Errorf("unknown key %q: queries stand in a list, by itself or under the key queries", key))
			}
			list = entries.Value()
		}
	}
	if _, null := list.(*ast.NullNode); null {
		return nil, nil
	}
	entries, ok := list.(*ast.SequenceNode)
	if !ok {
		return nil, strictyaml.AtLine(list, fmt.Errorf("queries are to be a list"))
	}
	var queries []Query
	for _, node := range entries.Values {
		q, err := yamlQuery(node)
		if err != nil {
			return nil, strictyaml.AtLine(node, err)
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// yamlQuery reads one entry of the list.
func yamlQuery(node ast.Node) (Query, error) {
	switch node.(type) {
	case ast.MapNode:
		var m struct {
			Label      string   `yaml:"label"`
			Phrases    []string `yaml:"phrases"`
			Background []string `yaml:"background"`
			Theta      *float32 `yaml:"theta"`
			Presence   *float32 `yaml:"presence"`
			Colour     string   `yaml:"colour"`
		}
		if err := yaml.NodeToValue(node, &m, yaml.Strict()); err != nil {
			return Query{}, err
		}
		if len(m.Phrases) == 0 && m.Label != "" {
			m.Phrases = []string{m.Label}
		}
		q := Query(m)
		if err := q.check(); err != nil {
			return Query{}, fmt.Errorf("query %q: %w", q.Label, err)
		}
		return q, nil
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode:
		var name string
		if err := yaml.NodeToValue(node, &name); err != nil {
			return Query{}, err
		}
		return ParseQuery(name)
	case *ast.BoolNode, *ast.NullNode:
		return Query{}, fmt.Errorf("%s is not a name: put it in quotes to look for it", node)
	}
	return Query{}, fmt.Errorf("an entry is to be a name or a mapping with label, phrases, background, theta, presence, colour")
}
