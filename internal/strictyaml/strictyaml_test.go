package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/carve-video/carve/internal/hostile"
)

// within returns texts with this many lists or mappings around a word, in every
// notation.
func within(depth int) map[string]string {
	var steps, spaced, mixed strings.Builder
	for i := range depth {
		fmt.Fprintf(&steps, "%sa:\n", strings.Repeat(" ", i))
		fmt.Fprintf(&spaced, "%s-\n", strings.Repeat("   ", i))
		fmt.Fprintf(&mixed, "%s\n", strings.Repeat("  ", i)+[]string{"a:", "-"}[i%2])
	}
	return map[string]string{
		"brackets":       strings.Repeat("[", depth) + "a" + strings.Repeat("]", depth),
		"braces":         strings.Repeat("{a: ", depth) + "a" + strings.Repeat("}", depth),
		"braces, spread": strings.Repeat("{\na:\n", depth) + "a" + strings.Repeat("\n}", depth),
		"dashes":         strings.Repeat("- ", depth) + "a",
		"questions":      strings.Repeat("? ", depth) + "a",
		"both":           strings.Repeat("- ? ", depth/2) + "a",
		"steps":          steps.String() + strings.Repeat(" ", depth) + "a",
		"steps of lists": spaced.String() + strings.Repeat("   ", depth) + "a",
		"mixed steps":    mixed.String() + strings.Repeat("  ", depth) + "a",
		"in quotes":      "\"" + strings.Repeat("a\\\"[", 99) + "\": " + strings.Repeat("[", depth-1) + "a" + strings.Repeat("]", depth-1),
	}
}

// TestDepth: the maximal depth is accepted and a larger one refused, in every notation.
func TestDepth(t *testing.T) {
	for name, text := range within(maxDepth) {
		// The library does not support a complex key within a complex key.
		if _, err := Document([]byte(text)); err != nil && !strings.Contains(text, "?") {
			t.Errorf("%s, %d deep: %v", name, maxDepth, err)
		}
	}
	for name, text := range within(maxDepth + 2) {
		if _, err := Document([]byte(text)); err == nil || !strings.Contains(err.Error(), "nested more than 32 deep") {
			t.Errorf("%s, %d deep: error %v", name, maxDepth+2, err)
		}
	}
	// Entries side by side are not nested, and quoted text has no marks.
	for name, text := range map[string]string{
		"lists":    strings.Repeat("- [[a], {b: c}]\n", 900),
		"mappings": strings.Repeat("- a: 1\n  b: {c: [1, 2]}\n", 900),
		"entries":  "[" + strings.Repeat("[a], b: c, {d: [e]}, ", 900) + "f]",
		"quotes":   "a: '" + strings.Repeat("[{", 900) + "'\nb: \"" + strings.Repeat("[{", 900) + "\"",
		"comment":  "# " + strings.Repeat("[{", 900) + "\na: b # " + strings.Repeat("[", 900),
		"block":    "a: |\n" + strings.Repeat("  [[- - ? a:\n", 900),
		"plain":    "a: b" + strings.Repeat("[{", 900),
	} {
		if _, err := Document([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"size":           {strings.Repeat("#", Limit+1), "larger than 1048576 bytes"},
		"words":          {"[" + strings.Repeat("a,", 90_000) + "]", "more than 150000 words"},
		"keys":           {hostile.Counted("k%d: 1\n", 12_000), "line 1001: a mapping has more than 1000 keys"},
		"keys in braces": {"{" + hostile.Counted("k%d: 1,\n", 14_000), "a mapping has more than 1000 keys"},
		"empty entries":  {strings.Repeat("-\n", 1100), "more than 1000 entries are empty"},
		"long keys":      {strings.Repeat("k", 100_000) + ":\n" + strings.Repeat("  - a\n", 1000), "keys are too long"},
		"an alias":       {"a: &a [*a]", "*a stands within what it stands for"},
		"laughs":         {hostile.Laughs(9, 9), "aliases stand for too much"},
		"documents":      {strings.Repeat("--- a\n", 9), "more than one document"},
		"two documents":  {"a: 1\n---\nb: 1", "more than one document"},
		"tags":           {"a: " + strings.Repeat("!!str ", 40) + "b", "nested more than 32 deep"},
		"blank lines":    {"a: |\n  b\n" + strings.Repeat("\n", 200), "line 103: there are more than 100 blank lines"},
		"blanks of tabs": {"a: |\n  b\n" + strings.Repeat(" \t\n", 200), "more than 100 blank lines"},
		"angles":         {"a: " + strings.Repeat("<", 200), "line 1: there are more than 100 <"},
		"tabs":           {"a: \"" + strings.Repeat("\t", 200) + "\"", "line 1: there are more than 100 tabs"},
		"not UTF-8":      {"a: b\nc: \xff", "line 2, column 4: this is not UTF-8"},
		"NUL":            {"a: \x00", "line 1, column 4: this is the control character U+0000"},
		"UTF-16":         {"\xff\xfea\x00", "save it as UTF-8"},
	} {
		var v any
		if err := Decode([]byte(c.text), &v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	var v struct{ A, B []string }
	for text, wrong := range map[string]string{
		"":                      "",
		"# nothing":             "",
		"---\na: [x, y]\n":      "",
		"---\na: [x, y]\n...\n": "",
		"\ufeffa: [x, y]":       "",
		"a:\r\n- x\r\n- y\r\n":  "",
		"b: &l [x, y]\na: *l":   "",
		"a: [x, y]\nc: 1":       "line 2: unknown field",
		"a: [x":                 "line 1: ",
		"a: [x, y]\na: []":      "line 2: ",
		"a: *l":                 "line 1: ",
		"a: !!binary [x, y]":    "",
	} {
		v.A = nil
		err := Decode([]byte(text), &v)
		switch {
		case wrong == "" && err != nil && !strings.Contains(text, "!!"):
			t.Errorf("%q: %v", text, err)
		case wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), wrong)):
			t.Errorf("%q: error %v, want %q", text, err, wrong)
		case wrong == "" && strings.Contains(text, "a:") && err == nil && strings.Join(v.A, "") != "xy":
			t.Errorf("%q: %v", text, v.A)
		}
	}
	var some struct{ A int }
	if err := DecodeSome([]byte("a: 7\nb: 8"), &some); err != nil || some.A != 7 {
		t.Errorf("some of it: %+v, %v", some, err)
	}
}

// TestLineError: the line can be had as a number, of the library's errors and of our own.
func TestLineError(t *testing.T) {
	for text, line := range map[string]int{
		"a: 1\n\na: 2":                       3,
		"\na: [1":                            2,
		"\n\na: " + strings.Repeat("<", 200): 3,
		"\na: " + strings.Repeat("[", 200):   2,
	} {
		_, err := Document([]byte(text))
		var at *LineError
		if !errors.As(err, &at) || at.Line != line || err.Error() != fmt.Sprintf("line %d: %v", line, at.Err) {
			t.Errorf("%.20q: error %v, want one of line %d", text, err, line)
		}
	}
}

// depthOf returns the depth of a document.
func depthOf(node ast.Node) int {
	deepest := 0
	var walk func(node ast.Node, depth int)
	walk = func(node ast.Node, depth int) {
		deepest = max(deepest, depth)
		switch n := node.(type) {
		case *ast.MappingNode:
			for _, v := range n.Values {
				walk(v.Key, depth+1)
				walk(v.Value, depth+1)
			}
		case *ast.MappingKeyNode:
			walk(n.Value, depth+1)
		case *ast.SequenceNode:
			for _, v := range n.Values {
				walk(v, depth+1)
			}
		case *ast.AnchorNode:
			walk(n.Value, depth)
		case *ast.TagNode:
			walk(n.Value, depth)
		}
	}
	walk(node, 0)
	return deepest
}

// FuzzDecode: no panic, no error of several lines, no text that takes long, and no
// depth beyond the bound by more than a bracket and its key.
func FuzzDecode(f *testing.F) {
	for _, text := range hostile.YAML(64) {
		f.Add(text)
	}
	for _, text := range within(6) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		var v any
		err := Decode([]byte(text), &v)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v", took)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error of several lines: %q", err)
		}
		if node, err := Document([]byte(text)); err == nil && depthOf(node) > 2*maxDepth {
			t.Errorf("%d deep", depthOf(node))
		}
	})
}
