package jobfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/car"
)

// Format writes a job as a file that [Parse] reads.
func (j *Job) Format() ([]byte, error) {
	w := new(writer)
	w.text("# carve --job runs this file. Relative paths begin in its folder.\nversion: " + Version + "\n")
	if j.Input != "" {
		w.text("input: " + w.value(j.Input, false) + "\n")
	}
	if len(j.Queries) > 0 {
		w.text("queries:\n")
	}
	for i := range j.Queries {
		w.query(&j.Queries[i])
	}
	if len(j.Outputs) > 0 {
		w.text("outputs:\n")
	}
	for _, out := range j.Outputs {
		if out.Text != "" {
			w.text("  - " + w.value(out.Text, false) + "\n")
		}
		// The first entry is the kind and the path, which is never a number.
		for i, e := range out.Entries {
			indent := "    "
			if i == 0 {
				indent = "  - "
			}
			w.entry(indent, e, i > 0)
		}
	}
	if len(j.Settings) > 0 {
		w.text("settings:\n")
	}
	for _, e := range j.Settings {
		w.entry("  ", e, true)
	}
	return []byte(w.String()), w.err
}

// A writer writes YAML.
type writer struct {
	strings.Builder
	err error
}

func (w *writer) text(s string) { w.WriteString(s) }

// entry writes a key with its value. A bare value may be a number or a word such as no.
func (w *writer) entry(indent string, e Entry, bare bool) {
	value := ""
	if e.List {
		value = w.list(e.Values, bare)
	} else {
		value = w.value(e.Values[0], bare)
	}
	w.text(indent + e.Name + ": " + value + "\n")
}

// query writes a name alone if that is all that a query has.
func (w *writer) query(q *car.Query) {
	named, err := car.ParseQuery(q.Label)
	alone := q.Background == nil && q.Theta == nil && q.Presence == nil && q.Colour == ""
	if alone && err == nil && named.Label == q.Label && slices.Equal(named.Phrases, q.Phrases) {
		w.text("  - " + w.value(q.Label, false) + "\n")
		return
	}
	w.text("  - label: " + w.value(q.Label, false) + "\n")
	if !slices.Equal(q.Phrases, []string{q.Label}) {
		w.text("    phrases: " + w.list(q.Phrases, false) + "\n")
	}
	if len(q.Background) > 0 {
		w.text("    background: " + w.list(q.Background, false) + "\n")
	}
	for _, f := range []struct {
		name  string
		value *float32
	}{{"theta", q.Theta}, {"presence", q.Presence}} {
		if f.value != nil {
			w.text(fmt.Sprintf("    %s: %s\n", f.name, strconv.FormatFloat(float64(*f.value), 'f', -1, 32)))
		}
	}
	if q.Colour != "" {
		w.text("    colour: " + w.value(q.Colour, false) + "\n")
	}
}

func (w *writer) list(values []string, bare bool) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, w.value(v, bare))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

var (
	// A plain value is one that no reader of YAML takes for anything but a text.
	plain = regexp.MustCompile(`^(/|(\.{1,2}/)+)?[\pL_][\pL\pM\pN_./-]*( [\pL\pN_./][\pL\pM\pN_./-]*)*$`)
	// Words that are not texts, at least for some readers.
	words = regexp.MustCompile(`(?i)^(null|true|false|yes|no|on|off|y|n)$`)
	// Values that need no quotes where a number or a word is meant.
	bareValue = regexp.MustCompile(`^(-?(0|[1-9][0-9]*)(\.[0-9]+)?|[0-9]+[A-Za-z]+|true|false|yes|no|on|off)$`)
)

// value writes a text, in quotes if it needs them. The escapes of Go are escapes of YAML.
func (w *writer) value(s string, bare bool) string {
	switch {
	case !utf8.ValidString(s):
		w.err = fmt.Errorf("%q cannot be written: it is not UTF-8", s)
	case bare && bareValue.MatchString(s), plain.MatchString(s) && !words.MatchString(s):
		return s
	}
	return strconv.Quote(s)
}
