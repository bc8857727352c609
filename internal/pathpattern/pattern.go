// Package pathpattern expands patterns in the paths of outputs that have many files,
// such as masks/{concept}/%06d.png.
//
//	%06d, %d     number of the frame, with or without leading zeros
//	{frame}      number of the frame
//	{concept}    name of the concept
//	{instance}   number of the instance among those of its concept
//	{pts}        time of the frame, in ticks of the source's time base
//	{timecode}   time code of the frame; its colons become "-"
//	{name}       base name of the input, without its extension
//
// %% is a percent sign, {{ an opening brace and }} a closing one. Every other % and }
// stands for itself.
//
// A text from outside, such as the name of a concept, becomes one element of a path or
// a part of one, whatever it contains: see [Clean].
package pathpattern

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/spelling"
)

// A Field is a part of a pattern that a value replaces.
type Field string

// The fields. Frame stands for %06d and {frame}.
const (
	Frame    Field = "frame"
	Concept  Field = "concept"
	Instance Field = "instance"
	PTS      Field = "pts"
	Timecode Field = "timecode"
	Name     Field = "name"
)

var fields = []string{string(Frame), string(Concept), string(Instance), string(PTS), string(Timecode), string(Name)}

// A Pattern is a parsed pattern. It is not changed by its methods.
type Pattern struct{ parts []part }

// A part is a text or, if it has a field, a place for a value.
type part struct {
	field Field
	text  string
	width int // of %0Nd; 0 for %d and -1 for {frame}
}

// Parse reads a pattern. On Windows a backslash separates elements, too.
func Parse(pattern string) (Pattern, error) {
	var p Pattern
	rest := filepath.ToSlash(pattern)
	for rest != "" {
		at := strings.IndexAny(rest, "%{}")
		if at < 0 {
			break
		}
		p = p.literal(rest[:at])
		rest = rest[at:]
		switch {
		case strings.HasPrefix(rest, "%%"), strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			p, rest = p.literal(rest[:1]), rest[2:]
		case rest[0] == '%':
			if n, width := verb(rest); n > 0 {
				p, rest = p.add(part{field: Frame, width: width}), rest[n:]
				continue
			}
			p, rest = p.literal("%"), rest[1:]
		case rest[0] == '{':
			name, after, ok := strings.Cut(rest[1:], "}")
			if !ok {
				return Pattern{}, fmt.Errorf("%s: a { is not closed; {{ stands for the character", pattern)
			}
			if !slices.Contains(fields, name) {
				return Pattern{}, unknown(pattern, name)
			}
			p, rest = p.add(part{field: Field(name), width: -1}), after
		default:
			p, rest = p.literal("}"), rest[1:]
		}
	}
	return p.literal(rest), nil
}

func unknown(pattern, name string) error {
	known := "known are {" + strings.Join(fields, "}, {") + "}"
	if meant, ok := spelling.Nearest(name, fields); ok {
		known = "did you mean {" + meant + "}?"
	}
	return fmt.Errorf("%s: {%s} is unknown; %s", pattern, name, known)
}

// maxWidth bounds the zeros before a number: an int64 has 19 digits.
const maxWidth = 19

// verb reads %d or %0Nd. n is its length, 0 if there is none.
func verb(s string) (n, width int) {
	if strings.HasPrefix(s, "%d") {
		return 2, 0
	}
	if !strings.HasPrefix(s, "%0") {
		return 0, 0
	}
	digits, _, ok := strings.Cut(s[2:], "d")
	if !ok || len(digits) == 0 || len(digits) > 2 || strings.Trim(digits, "0123456789") != "" {
		return 0, 0
	}
	width, _ = strconv.Atoi(digits)
	if width > maxWidth {
		return 0, 0
	}
	return len("%0d") + len(digits), width
}

func (p Pattern) add(q part) Pattern { return Pattern{append(slices.Clone(p.parts), q)} }

// literal appends a text.
func (p Pattern) literal(text string) Pattern {
	if text == "" {
		return p
	}
	parts := slices.Clone(p.parts)
	if n := len(parts); n > 0 && parts[n-1].field == "" {
		parts[n-1].text += text
		return Pattern{parts}
	}
	return Pattern{append(parts, part{text: text})}
}

// Has reports whether a pattern has a place for a field.
func (p Pattern) Has(f Field) bool {
	return slices.ContainsFunc(p.parts, func(q part) bool { return q.field == f })
}

// Fill replaces a field by a value, as [Clean] returns it.
func (p Pattern) Fill(f Field, value string) Pattern {
	var filled Pattern
	for _, q := range p.parts {
		switch q.field {
		case f:
			filled = filled.literal(Clean(value))
		case "":
			filled = filled.literal(q.text)
		default:
			filled = filled.add(q)
		}
	}
	return filled
}

// Join appends the elements of another pattern.
func (p Pattern) Join(sub Pattern) Pattern {
	if n := len(p.parts); n > 0 && !strings.HasSuffix(p.parts[n-1].text, "/") {
		p = p.literal("/")
	}
	for _, q := range sub.parts {
		if q.field == "" {
			p = p.literal(q.text)
		} else {
			p = p.add(q)
		}
	}
	return p
}

// Cut splits a pattern into the folder before its first field, and what lies in it. The
// rest has no element that is "." or "..".
func (p Pattern) Cut() (dir string, rest Pattern, err error) {
	parts := slices.Clone(p.parts)
	if len(parts) > 0 && parts[0].field == "" {
		at := strings.LastIndexByte(parts[0].text, '/') + 1
		dir, parts[0].text = parts[0].text[:at], parts[0].text[at:]
	}
	for _, q := range parts {
		if q.field == "" {
			for strings.Contains(q.text, "//") {
				q.text = strings.ReplaceAll(q.text, "//", "/")
			}
			rest = rest.literal(q.text)
		} else {
			rest = rest.add(q)
		}
	}
	for element := range strings.SplitSeq(rest.shape(), "/") {
		switch element {
		case "":
			return "", Pattern{}, fmt.Errorf("%s: it does not end with the name of a file", p)
		case ".", "..":
			return "", Pattern{}, fmt.Errorf("%s: %q cannot follow a place for a value", p, element)
		}
	}
	return filepath.FromSlash(path.Clean(dir)), rest, nil
}

// shape is a pattern with "x" for every value.
func (p Pattern) shape() string {
	var s strings.Builder
	for _, q := range p.parts {
		if q.field == "" {
			s.WriteString(q.text)
		} else {
			s.WriteByte('x')
		}
	}
	return s.String()
}

// ErrAmbiguous says that two files could get the same name.
var ErrAmbiguous = errors.New("two fields need a text between them that is not a number, else two files could get the same name")

// Check reports whether different values always give different names. It takes the
// numbers of frames and instances not to be negative.
func (p Pattern) Check() error {
	if !p.Has(Frame) {
		return fmt.Errorf("%s: it has no number of the frame, such as %%06d", p)
	}
	value := false // since the last text that separates
	for _, q := range p.parts {
		switch {
		case q.field == "":
			if strings.Trim(q.text, "0123456789") != "" {
				value = false
			}
		case value:
			return fmt.Errorf("%s: %w", p, ErrAmbiguous)
		default:
			value = true
		}
	}
	return nil
}

// Ext returns the extension of the files, in lower case; empty if they have none or it
// is not the same for all.
func (p Pattern) Ext() string {
	if n := len(p.parts); n > 0 && p.parts[n-1].field == "" {
		return strings.ToLower(path.Ext(p.parts[n-1].text))
	}
	return ""
}

// A Time is the values of one frame.
type Time struct {
	Frame    int64
	PTS      int64
	Timecode string
}

// File returns the path of the file for a frame, with slashes. All other fields have
// been filled.
func (p Pattern) File(t Time) string {
	b := make([]byte, 0, 64)
	for _, q := range p.parts {
		switch q.field {
		case "":
			b = append(b, q.text...)
		case Frame:
			b = appendNumber(b, t.Frame, q.width)
		case PTS:
			b = strconv.AppendInt(b, t.PTS, 10)
		case Timecode:
			b = append(b, Clean(strings.NewReplacer(":", "-", ";", "-").Replace(t.Timecode))...)
		}
	}
	return string(b)
}

func appendNumber(b []byte, n int64, width int) []byte {
	digits := strconv.FormatInt(n, 10)
	for range width - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// String returns the pattern as [Parse] reads it.
func (p Pattern) String() string {
	var s strings.Builder
	escape := strings.NewReplacer("%", "%%", "{", "{{", "}", "}}")
	for _, q := range p.parts {
		switch {
		case q.field == "":
			s.WriteString(escape.Replace(q.text))
		case q.width == 0:
			s.WriteString("%d")
		case q.width > 0:
			fmt.Fprintf(&s, "%%0%dd", q.width)
		default:
			s.WriteString("{" + string(q.field) + "}")
		}
	}
	return s.String()
}
