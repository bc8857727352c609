package jobfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/hostile"
)

func ptr(v float32) *float32 { return &v }

// TestParse: values are texts as they are written, with their lines.
func TestParse(t *testing.T) {
	const text = `# a shot
version: 1
input: shot.mov   # beside this file
queries:
  - dog
  - {label: frisbee, phrases: ["a red frisbee"], colour: "#ff8800", theta: 0.5}
  - pup=puppy|small dog
outputs:
  - overlay: out.mp4
    opacity: 0.60
    soft: no
  - split: concept
    masks: masks/
    concept: [dog, "007", 1e3]
  - other.mkv
settings:
  every: 4
  overlap: true
  preset: ~x
  max-memory: 0x10
`
	got, err := Parse([]byte(text), "shot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	one := func(line int, name, value string) Entry {
		return Entry{Name: name, Values: []string{value}, Line: line}
	}
	want := &Job{
		Name: "shot.yaml", Input: "shot.mov",
		Queries: []car.Query{
			car.Named("dog"),
			{Label: "frisbee", Phrases: []string{"a red frisbee"}, Colour: "#ff8800", Theta: ptr(0.5)},
			{Label: "pup", Phrases: []string{"puppy", "small dog"}},
		},
		Outputs: []Output{
			{Line: 9, Entries: []Entry{one(9, "overlay", "out.mp4"), one(10, "opacity", "0.60"), one(11, "soft", "no")}},
			{Line: 12, Entries: []Entry{one(12, "split", "concept"), one(13, "masks", "masks/"), {Name: "concept", Values: []string{"dog", "007", "1e3"}, List: true, Line: 14}}},
			{Line: 15, Text: "other.mkv"},
		},
		Settings: []Entry{one(17, "every", "4"), one(18, "overlap", "true"), one(19, "preset", "~x"), one(20, "max-memory", "0x10")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, text := range []string{"version: 1\n", "queries:\noutputs:\nsettings:\n", "queries: []\noutputs: []\nsettings: {}\n", `{"input": "x"}`} {
		if j, err := Parse([]byte(text), "x"); err != nil || len(j.Queries)+len(j.Outputs)+len(j.Settings) > 0 {
			t.Errorf("%q: %+v (%v)", text, j, err)
		}
	}
}

// TestErrors: an error has the file, the line and what to do.
func TestErrors(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                                       {"x.yaml: there is no job in it", "the keys of a job"},
		"- a\n":                                  {"x.yaml:1: a job is a mapping", "the keys of a job"},
		"dog\n":                                  {"x.yaml:1: a job is a mapping", ""},
		"input: a\n\nouputs: []\n":               {`x.yaml:3: a job has no key "ouputs"`, "did you mean outputs? the keys"},
		"input: a\nmodel: demo\n":                {`x.yaml:2: a job has no key "model"`, "the keys of a job are"},
		"new: 1\nversion: 2\n":                   {"x.yaml:2: version is 2; this carve reads version 1", "a newer carve"},
		"version: [1]\n":                         {"x.yaml:1: version is a list", ""},
		"version:\n":                             {"x.yaml:1: version is nothing", ""},
		"input: [a, b]\n":                        {"x.yaml:1: input is one file", ""},
		"input: {a: b}\n":                        {"x.yaml:1: input is a mapping", ""},
		"input:\n":                               {"x.yaml:1: input has no value", "in quotes"},
		"input: ''\n":                            {"x.yaml:1: input is one file", ""},
		"input: a\ninput: b\n":                   {"x.yaml:2: mapping key \"input\" already defined", ""},
		"input: a\n---\ninput: b\n":              {"x.yaml:3: a second document", ""},
		"input: a\nqueries: dog\n":               {"x.yaml:2: queries must be a list", "a query is a name"},
		"queries:\n  - dog\n  - ~\n":             {"x.yaml:3: null is not a name", "a query is a name"},
		"queries:\n  - {labl: dog}\n":            {`x.yaml:2: unknown field "labl"`, "label, phrases"},
		"queries:\n  - {label: dog, theta: 2}\n": {`x.yaml:2: query "dog": theta is 2`, ""},
		"queries: [[dog]]\n":                     {"x.yaml:1: an entry must be a name", ""},
		"outputs: out.mp4\n":                     {"x.yaml:1: outputs are a list", "an output is written"},
		"outputs:\n  - [a]\n":                    {"x.yaml:2: an output is a mapping or a text", ""},
		"outputs:\n  - a\n  -\n":                 {"x.yaml:3: an output is a mapping or a text", ""},
		"outputs:\n  - masks: m\n    concept: [a, [b]]\n": {"x.yaml:3: concept is a list; it is a value", ""},
		"outputs:\n  - masks: m\n    masks: n\n":          {"x.yaml:3: mapping key \"masks\"", ""},
		"settings: [a]\n":                                 {"x.yaml:1: settings are a mapping", "as in every: 4"},
		"settings:\n  every:\n":                           {"x.yaml:2: every has no value", ""},
		"settings:\n  1: 2\n":                             {"x.yaml:2: the key 1 is no name", ""},
		"settings: &a {every: 1}\n":                       {"x.yaml:1: settings are a mapping", ""},
		"settings:\n  <<: {every: 1}\n":                   {"x.yaml:2: the key ", ""},
		"settings:\n  every: !!str 1\n":                   {"x.yaml:2: every is a value with a tag", ""},
		"settings:\n  every: &a 1\n  batch: *a\n":         {"x.yaml:2: every is an anchor", ""},
		"input: a\n\tb: 1\n":                              {"x.yaml:2: ", ""},
		"input: a\x01\n":                                  {"x.yaml:1: column 9: this is the control character", ""},
		"input: \"\\z\"\n":                                {"x.yaml", ""},
		strings.Repeat("#", Limit+1):                      {"x.yaml: the file is larger than", ""},
		"a: &a [*a]\n":                                    {"x.yaml: the alias *a stands within", ""},
	} {
		_, err := Parse([]byte(text), "x.yaml")
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%.40q: error %v", text, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), want[0]) || !strings.Contains(wrong.Hint(), want[1]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: error %q, hint %q, want %q, %q", text, err, wrong.Hint(), want[0], want[1])
		}
	}
}

// TestHostile: reading a hostile text ends soon; strictyaml has the bounds.
func TestHostile(t *testing.T) {
	for name, text := range hostile.YAML(2 << 10) {
		for _, text := range []string{text, "settings:\n  " + strings.ReplaceAll(text, "\n", "\n  "), "queries:\n  - " + text} {
			if j, err := Parse([]byte(text), "x"); err == nil {
				if _, err := j.Format(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// The texts that YAML reads as something else, or as two things.
var texts = []string{"", " ", " lead", "trail ", "007", "0", "-1", "1.50", "1e3", "0x1f", "0o7", "1_000", ".5", ".inf", "-.inf", ".nan", "no", "No", "NO", "yes", "y", "on", "off",
	"null", "Null", "~", "true", "TRUE", "2024-01-01", "12:30", "12:30.mp4", "a: b", "a:", ":a", "a #b", "#a", "a#b", "- a", "-", "--", "---", "...", "..", ".", "? a", "&a", "*a", "!a", "!!str",
	"%a", "@a", "`a`", "|", ">", "a|b", "[a]", "{a}", "a, b", "a,b", "'a'", `"a"`, `a"b`, `a\nb`, "a\nb", "a\tb", "\x00", "\x7f", "\u0085", "\u00a0", "\u2028", "\u202e", "\ufeff", "é", "собака", "日本語", "e\u0301", "👩‍🚀",
	"<<", "=", "a=b", "a=b|c", "a  b", "a red frisbee", "red -frisbee", "a - b", "masks/", "./masks:x", "../x", "/a/b", "C:\\x", "%06d.png", "{concept}.png", "rtsp://h:5/x", "dog ", "\\", "a\r", "\r\n", "..."}

// TestRoundTrip: what is written is read as the same, whatever the texts are.
func TestRoundTrip(t *testing.T) {
	for _, a := range texts {
		for _, b := range []string{"x", a} {
			roundTrip(t, a, b)
		}
	}
	roundTrip(t, strings.Join(texts, ""), "x")
}

func FuzzRoundTrip(f *testing.F) {
	for i, s := range texts {
		f.Add(s, texts[(i+7)%len(texts)])
	}
	f.Fuzz(func(t *testing.T, a, b string) { roundTrip(t, a, b) })
}

// roundTrip writes two texts in every place, and reads them again.
func roundTrip(t *testing.T, a, b string) {
	t.Helper()
	want := &Job{Name: "x", Input: a,
		Outputs: []Output{
			{Entries: []Entry{{Name: "overlay", Values: []string{a}}, {Name: "opacity", Values: []string{b}}}},
			{Text: b},
			{Entries: []Entry{{Name: "masks", Values: []string{b}}, {Name: "concept", Values: []string{a, b}, List: true}}},
		},
		Settings: []Entry{{Name: "every", Values: []string{b}}, {Name: "prompts", Values: []string{b, a}, List: true}, {Name: "none", List: true}},
	}
	if b == "" {
		want.Outputs = append(want.Outputs[:1], want.Outputs[2:]...)
	}
	queries := []car.Query{{Label: a, Phrases: []string{a}}, {Label: b, Phrases: []string{a, b}, Background: []string{b}, Theta: ptr(1e-7), Presence: ptr(0.3)}}
	if car.CheckQueries(queries) == nil {
		want.Queries = queries
	}
	data, err := want.Format()
	if err != nil {
		if utf8.ValidString(a) && utf8.ValidString(b) {
			t.Errorf("writing %q, %q: %v", a, b, err)
		}
		return
	}
	if len(data) > Limit {
		return
	}
	got, err := Parse(data, "x")
	if err != nil {
		t.Errorf("reading %q, %q: %v\n%s", a, b, err, data)
		return
	}
	lines := cmpopts.IgnoreFields(Entry{}, "Line")
	if d := cmp.Diff(want, got, lines, cmpopts.IgnoreFields(Output{}, "Line"), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%q, %q: %s\n%s", a, b, d, data)
	}
}

// TestFormat: a file reads as if it were written by hand.
func TestFormat(t *testing.T) {
	one := func(name, value string) Entry { return Entry{Name: name, Values: []string{value}} }
	j := &Job{Input: "clips/shot.mov",
		Queries:  []car.Query{car.Named("dog"), car.Named("red frisbee"), car.Named("007"), {Label: "pup", Phrases: []string{"puppy", "small dog"}, Theta: ptr(0.5), Colour: "#0072b2"}},
		Outputs:  []Output{{Entries: []Entry{one("overlay", "out.mp4"), one("opacity", "0.6")}}, {Entries: []Entry{one("masks", "masks/"), one("soft", "no"), {Name: "concept", Values: []string{"dog", "a, b"}, List: true}}}},
		Settings: []Entry{one("model", "demo"), one("every", "4"), one("max-memory", "2GB"), one("overlap", "true"), one("view", "no"), one("encoder", "1e3")}}
	const want = `# carve --job runs this file. Relative paths begin in its folder.
version: 1
input: clips/shot.mov
queries:
  - dog
  - red frisbee
  - "007"
  - label: pup
    phrases: [puppy, small dog]
    theta: 0.5
    colour: "#0072b2"
outputs:
  - overlay: out.mp4
    opacity: 0.6
  - masks: masks/
    soft: no
    concept: [dog, "a, b"]
settings:
  model: demo
  every: 4
  max-memory: 2GB
  overlap: true
  view: no
  encoder: "1e3"
`
	got, err := j.Format()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
	if _, err := (&Job{Input: "a\xff"}).Format(); err == nil || fmt.Sprint(err) != `"a\xff" cannot be written: it is not UTF-8` {
		t.Errorf("a path that is not UTF-8: %v", err)
	}
}
