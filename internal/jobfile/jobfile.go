// Package jobfile reads and writes job files: what one run of carve does, as YAML.
//
//	version: 1
//	input: shot.mov
//	queries:
//	  - dog
//	  - {label: pup, phrases: [puppy, small dog]}
//	outputs:
//	  - overlay: out.mp4
//	    opacity: 0.6
//	settings:
//	  every: 4
//
// It knows the structure of a file, but neither the kinds of outputs nor the settings:
// their values are texts with lines, which the program checks.
package jobfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/spelling"
	"github.com/carve-video/carve/internal/strictyaml"
)

// Version is the version of the format.
const Version = "1"

// Limit bounds the bytes of a file.
const Limit = strictyaml.Limit

// A Job is the contents of a job file. Everything may be absent.
type Job struct {
	Name     string // of the file
	Input    string
	Queries  []car.Query
	Outputs  []Output
	Settings []Entry
}

// An Output is one output: either a text as on a command line, or a mapping in which one
// key is the kind and its value the path.
type Output struct {
	Text    string
	Entries []Entry
	Line    int
}

// An Entry is a key with its value, or with a list of values.
type Entry struct {
	Name   string
	Values []string
	List   bool
	Line   int
}

// An Error is a mistake in a job file.
type Error struct {
	Name string
	Line int // 0 if it is none
	Err  error
	hint string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it; it may be empty.
func (e *Error) Hint() string { return e.hint }

// At returns an error in a line of the file.
func (j *Job) At(line int, err error, hint string) error {
	return &Error{Name: j.Name, Line: line, Err: err, hint: hint}
}

// keys are the keys of a job, in the order in which they are written.
var keys = []string{"version", "input", "queries", "outputs", "settings"}

const keysHint = "the keys of a job are version, input, queries, outputs and settings"

// Parse reads a job file. The name is for errors.
func Parse(data []byte, name string) (*Job, error) {
	j := &Job{Name: name}
	body, err := strictyaml.Document(data)
	if err != nil {
		return nil, j.located(err)
	}
	if body == nil {
		return nil, j.At(0, errors.New("there is no job in it"), keysHint)
	}
	parts, err := j.mapping(body, "a job is a mapping", keysHint)
	if err != nil {
		return nil, err
	}
	// A newer file may have keys that are unknown here: its version is looked at first.
	for _, p := range parts {
		if p.key == "version" {
			if v, ok := scalar(p.value); !ok || v != Version {
				return nil, j.At(p.line, fmt.Errorf("version is %s; this carve reads version %s", shown(p.value), Version), "a newer carve wrote it")
			}
		}
	}
	for _, p := range parts {
		switch p.key {
		case "version":
		case "input":
			e, err := j.entry(p)
			if err != nil {
				return nil, err
			}
			if e.List || e.Values[0] == "" {
				return nil, j.At(p.line, errors.New("input is one file"), "")
			}
			j.Input = e.Values[0]
		case "queries":
			err = j.queries(p, data)
		case "outputs":
			err = j.outputs(p)
		case "settings":
			err = j.settings(p)
		default:
			hint := keysHint
			if near, ok := spelling.Nearest(p.key, keys); ok {
				hint = fmt.Sprintf("did you mean %s? %s", near, keysHint)
			}
			err = j.At(p.line, fmt.Errorf("a job has no key %q", p.key), hint)
		}
		if err != nil {
			return nil, err
		}
	}
	return j, nil
}

// located puts the file and the line before an error of a reader.
func (j *Job) located(err error) error {
	var at *strictyaml.LineError
	var character *plaintext.Error
	switch {
	case errors.As(err, &character) && character.Line > 0:
		return j.At(character.Line, fmt.Errorf("column %d: this %s", character.Column, character.What), "")
	case errors.As(err, &at):
		return j.At(at.Line, at.Err, "")
	}
	return j.At(0, err, "")
}

// queries reads the list of queries. Its entries are those of a query file, which package
// car reads; a job file is one.
func (j *Job) queries(p part, data []byte) error {
	if isNull(p.value) {
		return nil
	}
	if list, ok := p.value.(*ast.SequenceNode); ok && len(list.Values) == 0 {
		return nil
	}
	var err error
	if j.Queries, err = car.ReadQueries(bytes.NewReader(data), "job.yaml"); err == nil {
		return nil
	}
	const hint = "a query is a name, or has label, phrases, background, theta, presence, colour"
	located := j.located(err).(*Error)
	located.hint = hint
	return located
}

func (j *Job) outputs(p part) error {
	if isNull(p.value) {
		return nil
	}
	const hint = "an output is written - overlay: out.mp4, with its keys below"
	list, ok := p.value.(*ast.SequenceNode)
	if !ok {
		return j.At(p.line, errors.New("outputs are a list"), hint)
	}
	for _, node := range list.Values {
		out := Output{Line: lineOf(node)}
		if out.Line == 0 {
			out.Line = p.line
		}
		if text, ok := scalar(node); ok {
			out.Text = text
			j.Outputs = append(j.Outputs, out)
			continue
		}
		entries, err := j.mapping(node, "an output is a mapping or a text", hint)
		if err != nil {
			return err
		}
		if out.Entries, err = j.entries(entries); err != nil {
			return err
		}
		j.Outputs = append(j.Outputs, out)
	}
	return nil
}

func (j *Job) settings(p part) (err error) {
	if isNull(p.value) {
		return nil
	}
	parts, err := j.mapping(p.value, "settings are a mapping", "a setting is the long name of a flag and its value, as in every: 4")
	if err != nil {
		return err
	}
	j.Settings, err = j.entries(parts)
	return err
}

func (j *Job) entries(parts []part) (list []Entry, err error) {
	for _, p := range parts {
		e, err := j.entry(p)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// entry reads a value, or a list of values.
func (j *Job) entry(p part) (Entry, error) {
	e := Entry{Name: p.key, Line: p.line}
	nodes := []ast.Node{p.value}
	if list, ok := p.value.(*ast.SequenceNode); ok {
		nodes, e.List = list.Values, true
	}
	for _, node := range nodes {
		text, ok := scalar(node)
		switch {
		case isNull(node):
			return e, j.At(p.line, fmt.Errorf("%s has no value", p.key), `null and ~ stand for nothing in YAML; as names they are written in quotes`)
		case !ok:
			line := lineOf(node)
			if line == 0 {
				line = p.line
			}
			return e, j.At(line, fmt.Errorf("%s is %s; it is a value", p.key, shown(node)), "")
		}
		e.Values = append(e.Values, text)
	}
	return e, nil
}

// A part is a key of a mapping and its value.
type part struct {
	key   string
	value ast.Node
	line  int
}

// mapping returns the parts of a mapping. Otherwise the error says what it should be.
func (j *Job) mapping(node ast.Node, want, hint string) (parts []part, err error) {
	m, ok := node.(ast.MapNode)
	if !ok {
		return nil, j.At(lineOf(node), errors.New(want), hint)
	}
	for entries := m.MapRange(); entries.Next(); {
		key, ok := entries.Key().(*ast.StringNode)
		if !ok {
			return nil, j.At(lineOf(entries.Key()), fmt.Errorf("the key %s is no name", shown(entries.Key())), hint)
		}
		parts = append(parts, part{key.Value, entries.Value(), lineOf(key)})
	}
	return parts, nil
}

// scalar returns the text of a value as it is written: 007 is not 7, and no is not false.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func isNull(node ast.Node) bool {
	_, null := node.(*ast.NullNode)
	return null || node == nil
}

// shown describes a node in an error.
func shown(node ast.Node) string {
	switch node.(type) {
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a mapping"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or an alias, which only queries may have"
	case *ast.TagNode:
		return "a value with a tag"
	}
	if text, ok := scalar(node); ok {
		if runes := []rune(text); len(runes) > 40 {
			text = string(runes[:40]) + "…"
		}
		return plaintext.Printable(strings.TrimSpace(text))
	}
	return "nothing"
}

// lineOf returns the line in which a node begins, 0 if it has none.
func lineOf(node ast.Node) int {
	var at *strictyaml.LineError
	if errors.As(strictyaml.AtLine(node, errors.New("")), &at) {
		return at.Line
	}
	return 0
}
