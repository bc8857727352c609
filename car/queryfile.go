package car

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/strictyaml"
)

// queryFileLimit is the largest size of a file of queries; a larger one is not a file
// of queries.
const queryFileLimit = 1 << 20

// MaxQueryLines is the largest number of lines in a file of queries, including
// comments and blank lines, and the largest number of queries: a line of YAML can
// hold several.
const MaxQueryLines = 5000

// ReadQueries reads a file of queries. If the name ends in .yaml or .yml, it is a
// YAML list, under the key "queries" or by itself, of names or of mappings with the
// keys label, phrases, background, theta, presence and colour. An unknown key is an
// error, so that a misspelt one is not ignored. It can be a job file of the program
// carve, whose other keys are not read. Any other file is a text with one
// query a line as [ParseQuery] reads it; blank lines and comments, from a # at the
// start of a word, are ignored. Errors name the line.
//
// Both are UTF-8, of at most [MaxQueryLines] lines and a mebibyte.
func ReadQueries(r io.Reader, name string) ([]Query, error) {
	data, err := plaintext.Read(r, queryFileLimit)
	if err != nil {
		return nil, fmt.Errorf("reading queries from %s: %w", name, err)
	}
	queries, err := parseQueries(data, filepath.Ext(name))
	if err != nil {
		return nil, fmt.Errorf("reading queries from %s: %w", name, err)
	}
	return queries, nil
}

func parseQueries(data []byte, ext string) (queries []Query, err error) {
	lines := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		lines++
	}
	if lines > MaxQueryLines {
		return nil, fmt.Errorf("there are %d lines in it; %d at most are read", lines, MaxQueryLines)
	}
	switch ext {
	case ".yaml", ".yml":
		queries, err = yamlQueries(data)
	default:
		queries, err = lineQueries(string(data))
	}
	switch {
	case err != nil:
		return nil, err
	case len(queries) == 0:
		return nil, fmt.Errorf("there is no query in it")
	case len(queries) > MaxQueryLines:
		return nil, fmt.Errorf("there are %d queries in it; %d at most are read", len(queries), MaxQueryLines)
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

// jobKeys are the keys of a job file besides the queries.
var jobKeys = []string{"version", "input", "outputs", "settings"}

// yamlQueries walks the nodes of the document instead of decoding all of it, so that
// an error names the line of its entry.
func yamlQueries(data []byte) ([]Query, error) {
	list, err := strictyaml.Document(data)
	if err != nil || list == nil {
		return nil, err
	}
	if m, ok := list.(ast.MapNode); ok {
		list = nil
		for entries := m.MapRange(); entries.Next(); {
			key := entries.Key().String()
			if slices.Contains(jobKeys, key) {
				continue
			}
			if key != "queries" {
				return nil, strictyaml.AtLine(entries.Key(), fmt.Errorf("unknown key %q: queries are a list, by itself or under the key queries", excerpt(key)))
			}
			list = entries.Value()
		}
	}
	if _, null := list.(*ast.NullNode); null || list == nil {
		return nil, nil
	}
	entries, ok := list.(*ast.SequenceNode)
	if !ok {
		return nil, strictyaml.AtLine(list, fmt.Errorf("queries must be a list"))
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
			Label      yamlName   `yaml:"label"`
			Phrases    []yamlName `yaml:"phrases"`
			Background []yamlName `yaml:"background"`
			Theta      *float32   `yaml:"theta"`
			Presence   *float32   `yaml:"presence"`
			Colour     string     `yaml:"colour"`
		}
		if err := strictyaml.Value(node, &m); err != nil {
			return Query{}, err
		}
		if len(m.Phrases) == 0 && m.Label != "" {
			m.Phrases = []yamlName{m.Label}
		}
		q := Query{Label: string(m.Label), Phrases: texts(m.Phrases), Background: texts(m.Background), Theta: m.Theta, Presence: m.Presence, Colour: m.Colour}
		if err := q.check(); err != nil {
			return Query{}, fmt.Errorf("query %q: %w", excerpt(q.Label), err)
		}
		return q, nil
	case *ast.SequenceNode, *ast.AliasNode, *ast.AnchorNode:
		return Query{}, fmt.Errorf("an entry must be a name or a mapping with label, phrases, background, theta, presence, colour")
	}
	var name yamlName
	if err := name.UnmarshalYAML(node); err != nil {
		return Query{}, err
	}
	return ParseQuery(string(name))
}

// A yamlName is a name or a phrase in a file of queries.
type yamlName string

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (n *yamlName) UnmarshalYAML(node ast.Node) error {
	switch node := node.(type) {
	case *ast.TagNode:
		return n.UnmarshalYAML(node.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		*n = yamlName(node.GetToken().Value) // 007 is a name, not 7
		return nil
	case *ast.StringNode, *ast.LiteralNode:
		return strictyaml.Value(node, (*string)(n))
	case *ast.BoolNode, *ast.NullNode:
		return fmt.Errorf("%s is not a name: put it in quotes to look for it", node)
	}
	return fmt.Errorf("a name is expected, not a list or a mapping")
}

func texts(names []yamlName) []string {
	if names == nil {
		return nil
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
