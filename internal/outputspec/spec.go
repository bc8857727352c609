// Package outputspec parses what an output is to be: [KIND[,key=value…]:]PATH.
//
//	out.mp4                              a path; its extension decides the kind
//	masks:frames/                        a kind and a path
//	masks,split=concept,grow=2:frames/   with keys
//	masks,concept="a:b, c":frames/       a value that holds , or : is quoted
//
// Text is a spec only if its first word is a known kind, followed by a comma or a colon.
// Therefore 12:30.mp4, rtsp://host/x and a,b.mp4 are paths, and ./masks:x is one too. All
// that follows the colon is the path, verbatim.
//
// The keys of a kind are the fields of a struct, see [Fields].
package outputspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/spelling"
)

// A Kind is one kind of output.
type Kind struct {
	Name    string // lower-case letters
	About   string // one line
	Example string // a spec
	// New returns a pointer to a struct with the kind's keys, set to their defaults.
	New func() any
}

// A Spec is a parsed output.
type Spec struct {
	Kind string // empty: the path decides
	Path string
	// Keys is what the kind's New returned, with the given keys set; nil without a kind.
	Keys any
	// Given are the keys that were set, as texts in their order. Those of a list repeat.
	Given []Key
}

// A Key is a key of an output and its value.
type Key struct{ Name, Value string }

// Begin returns an output of the kind, with the defaults of all keys.
func (k *Kind) Begin(path string) Spec { return Spec{Kind: k.Name, Path: path, Keys: k.New()} }

// Set sets a key from text. A key that is no list is given once.
func (s *Spec) Set(name, value string) error {
	again := slices.ContainsFunc(s.Given, func(k Key) bool { return k.Name == name })
	if err := set(s.Keys, s.Kind, name, value, again); err != nil {
		return err
	}
	s.Given = append(s.Given, Key{name, value})
	return nil
}

// An UnknownKeyError says that a kind does not have a key.
type UnknownKeyError struct {
	Kind, Key string
	Known     []string
}

func (e *UnknownKeyError) Error() string { return fmt.Sprintf("%s has no key %q", e.Kind, e.Key) }

// Hint names the nearest key, or all of them.
func (e *UnknownKeyError) Hint() string {
	if near, ok := spelling.Nearest(e.Key, e.Known); ok {
		return fmt.Sprintf("did you mean %s? carve outputs %s lists all keys", near, e.Kind)
	}
	return fmt.Sprintf("the keys of %s are %s", e.Kind, strings.Join(e.Known, ", "))
}

// Parse parses text with the kinds that there are.
func Parse(text string, kinds []Kind) (Spec, error) {
	word := text[:len(text)-len(strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz"))]
	at := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == word })
	rest := text[len(word):]
	if at < 0 || rest == "" || rest[0] != ',' && rest[0] != ':' {
		if text == "" {
			return Spec{}, fmt.Errorf("an output without a name")
		}
		return Spec{Path: text}, nil
	}
	spec := kinds[at].Begin("")
	for rest[0] == ',' {
		key, value, after, err := readKey(rest[1:])
		if err != nil {
			return Spec{}, fmt.Errorf("output %s: %w", text, err)
		}
		if err := spec.Set(key, value); err != nil {
			return Spec{}, fmt.Errorf("output %s: %w", text, err)
		}
		rest = after
	}
	if spec.Path = rest[1:]; spec.Path == "" {
		return Spec{}, fmt.Errorf("output %s: there is no path after the colon", text)
	}
	return spec, nil
}

// readKey reads key=value, or key alone, which stands for key=yes. What follows begins with a
// comma or a colon.
func readKey(text string) (key, value, rest string, err error) {
	end := strings.IndexAny(text, "=,:")
	if end < 0 {
		return "", "", "", fmt.Errorf("there is no colon before the path")
	}
	if key = text[:end]; key == "" {
		return "", "", "", fmt.Errorf("there is no key before %q", text[end:end+1])
	}
	if text[end] != '=' {
		return key, "yes", text[end:], nil
	}
	text = text[end+1:]
	if !strings.HasPrefix(text, `"`) {
		if end = strings.IndexAny(text, ",:"); end < 0 {
			return "", "", "", fmt.Errorf("there is no colon before the path")
		}
		return key, text[:end], text[end:], nil
	}
	value, rest, ok := strings.Cut(text[1:], `"`)
	switch {
	case !ok:
		return "", "", "", fmt.Errorf("the quotes of %s are not closed", key)
	case rest == "":
		return "", "", "", fmt.Errorf("there is no colon before the path")
	case rest[0] != ',' && rest[0] != ':':
		return "", "", "", fmt.Errorf("after the quotes of %s comes %q, which is neither a comma nor a colon", key, rest[:1])
	}
	return key, value, rest, nil
}
