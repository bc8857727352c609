package car

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// queryFileLimit bounds a file of queries; whoever needs more has mistaken the
// file.
const queryFileLimit = 1 << 20

// ReadQueries reads a file of queries. A name that ends in .yaml or .yml is a
// YAML list, under the key "queries" or by itself, of names or of mappings with
// the keys label, phrases, background, theta and colour. Any other name is a
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

// A queryEntry is one entry of the YAML list: a string or a mapping.
type queryEntry struct{ Query }

func (e *queryEntry) UnmarshalYAML(data []byte) error {
	var name string
	if err := yaml.Unmarshal(data, &name); err == nil {
		q, err := ParseQuery(name)
		e.Query = q
		return err
	}
	var m struct {
		Label      string   `yaml:"label"`
		Phrases    []string `yaml:"phrases"`
		Background []string `yaml:"background"`
		Theta      float32  `yaml:"theta"`
		Colour     string   `yaml:"colour"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&m); err != nil {
		return err
	}
	if len(m.Phrases) == 0 && m.Label != "" {
		m.Phrases = []string{m.Label}
	}
	e.Query = Query(m)
	return e.check()
}

func yamlQueries(data []byte) ([]Query, error) {
	var list []queryEntry
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&list)
	if err != nil {
		var keyed struct {
			Queries []queryEntry `yaml:"queries"`
		}
		if yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&keyed) != nil {
			if err == io.EOF {
				return nil, nil
			}
			return nil, fmt.Errorf("%s", strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
		}
		list = keyed.Queries
	}
	queries := make([]Query, len(list))
	for i, e := range list {
		queries[i] = e.Query
	}
	return queries, nil
}
