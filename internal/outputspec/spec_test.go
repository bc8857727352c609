package outputspec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type shaping struct {
	Grow float64 `key:"grow" doc:"grows the mask" unit:"pixels"`
}

type maskKeys struct {
	Concepts []string `key:"concept" doc:"only this query"`
	Split    string   `key:"split" doc:"one file for each" values:"none|concept|instance"`
	Soft     bool     `key:"soft" doc:"keeps soft edges"`
	Depth    int      `key:"depth" doc:"bits"`
	Start    start    `key:"start" doc:"number of the first file"`
	shaping
	Hidden string
}

type start struct {
	Source bool
	Number string
}

func (s *start) UnmarshalText(b []byte) error {
	if string(b) == "bad" {
		return Wanted("a number, or source")
	}
	*s = start{string(b) == "source", string(b)}
	return nil
}

var kinds = []Kind{
	{Name: "masks", About: "a mask sequence", Example: "masks:frames/", New: func() any { return &maskKeys{Split: "none", Depth: 8} }},
	{Name: "overlay", About: "the video, painted", Example: "overlay:out.mp4", New: func() any { return new(struct{}) }},
}

// TestPaths: what does not begin with a kind and a comma or a colon is a path.
func TestPaths(t *testing.T) {
	for _, text := range []string{"out.mp4", "12:30.mp4", "rtsp://host:554/x", "a,b.mp4", "masks", "masks.mp4", "./masks:x", "/masks:x",
		"Masks:x", "mask:x", "masksx:y", "masks=1:y", "C:\\masks", "-", "ünïcode:x", ":x", ",x"} {
		if s, err := Parse(text, kinds); err != nil || !cmp.Equal(s, Spec{Path: text}) {
			t.Errorf("%s: %+v (%v)", text, s, err)
		}
	}
}

// TestSpecs: keys are set, quotes are removed, and what follows the colon is the path.
func TestSpecs(t *testing.T) {
	for text, want := range map[string]struct {
		path string
		keys maskKeys
	}{
		"masks:frames/":                           {"frames/", maskKeys{Split: "none", Depth: 8}},
		"masks:a,b:c.png":                         {"a,b:c.png", maskKeys{Split: "none", Depth: 8}},
		`masks:"x"`:                               {`"x"`, maskKeys{Split: "none", Depth: 8}},
		"masks::":                                 {":", maskKeys{Split: "none", Depth: 8}},
		"masks,split=concept:x":                   {"x", maskKeys{Split: "concept", Depth: 8}},
		"masks,soft,depth=16,grow=-1.5:x":         {"x", maskKeys{Split: "none", Depth: 16, Soft: true, shaping: shaping{-1.5}}},
		"masks,soft=no:x":                         {"x", maskKeys{Split: "none", Depth: 8}},
		"masks,concept=dog,concept=red frisbee:x": {"x", maskKeys{Split: "none", Depth: 8, Concepts: []string{"dog", "red frisbee"}}},
		`masks,concept="a:b, c",split=instance:"q":y.z`: {`"q":y.z`, maskKeys{Split: "instance", Depth: 8, Concepts: []string{"a:b, c"}}},
		"masks,start=source:x":                          {"x", maskKeys{Split: "none", Depth: 8, Start: start{true, "source"}}},
		"masks,concept=a=b:x":                           {"x", maskKeys{Split: "none", Depth: 8, Concepts: []string{"a=b"}}},
	} {
		s, err := Parse(text, kinds)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want.keys, *s.Keys.(*maskKeys), cmp.AllowUnexported(maskKeys{})); d != "" || s.Path != want.path || s.Kind != "masks" {
			t.Errorf("%s: %s %s\n%s", text, s.Kind, s.Path, d)
		}
	}
}

// TestGiven: an output that is set key by key is the one that is parsed.
func TestGiven(t *testing.T) {
	parsed, err := Parse(`masks,concept=dog,soft,concept="a:b",grow=2:x`, kinds)
	if err != nil {
		t.Fatal(err)
	}
	want := []Key{{"concept", "dog"}, {"soft", "yes"}, {"concept", "a:b"}, {"grow", "2"}}
	if d := cmp.Diff(want, parsed.Given); d != "" {
		t.Error(d)
	}
	made := kinds[0].Begin("x")
	for _, k := range want {
		if err := made.Set(k.Name, k.Value); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(parsed, made, cmp.AllowUnexported(maskKeys{})); d != "" {
		t.Error(d)
	}
	if err := made.Set("soft", "no"); err == nil || err.Error() != "soft is given twice" {
		t.Errorf("a second soft: %v", err)
	}
}

// TestErrors: what is wrong is named with its key.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "without a name",
		"masks:":                 "no path after the colon",
		"masks,split=concept":    "no colon before the path",
		"masks,soft":             "no colon before the path",
		"masks,:x":               "no key before",
		"masks,=1:x":             "no key before",
		"masks,split=both:x":     `split is "both"; it is one of none, concept, instance`,
		"masks,splitt=none:x":    `masks has no key "splitt"`,
		"masks,Hidden=1:x":       `masks has no key "Hidden"`,
		"overlay,grow=1:x":       `overlay has no key "grow"`,
		"masks,grow=big:x":       `grow is "big"; it is a number`,
		"masks,grow=NaN:x":       `grow is "NaN"; it is a number`,
		"masks,depth=1.5:x":      `depth is "1.5"; it is a whole number`,
		"masks,soft=maybe:x":     `soft is "maybe"; it is yes or no`,
		"masks,start=bad:x":      `start is "bad"; it is a number, or source`,
		"masks,concept=:x":       `concept is ""; it is not empty`,
		"masks,grow=1,grow=2:x":  "grow is given twice",
		`masks,concept="dog:x`:   "the quotes of concept are not closed",
		`masks,concept="dog"`:    "no colon before the path",
		`masks,concept="dog"x:y`: "neither a comma nor a colon",
	} {
		if _, err := Parse(text, kinds); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	_, err := Parse("masks,splitt=none:x", kinds)
	var unknown *UnknownKeyError
	if !errors.As(err, &unknown) || unknown.Hint() != "did you mean split? carve outputs masks lists all keys" {
		t.Errorf("an unknown key gives %v", err)
	}
}

// TestFields: a kind describes its keys and their defaults.
func TestFields(t *testing.T) {
	want := []Field{
		{Key: "concept", Doc: "only this query", List: true},
		{Key: "split", Doc: "one file for each", Values: []string{"none", "concept", "instance"}, Default: "none"},
		{Key: "soft", Doc: "keeps soft edges", Values: []string{"yes", "no"}, Default: "no"},
		{Key: "depth", Doc: "bits", Default: "8"},
		{Key: "start", Doc: "number of the first file"},
		{Key: "grow", Doc: "grows the mask", Unit: "pixels", Default: "0"},
	}
	if d := cmp.Diff(want, kinds[0].Fields()); d != "" {
		t.Error(d)
	}
}

// FuzzParse: parsing returns; a spec has a kind and a path, and its path ends the text.
func FuzzParse(f *testing.F) {
	f.Add("masks,split=concept,grow=2:frames/")
	f.Add(`masks,concept="a:b",soft:x`)
	f.Add("12:30.mp4")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, kinds)
		if err != nil {
			return
		}
		if s.Path == "" || !strings.HasSuffix(text, s.Path) || s.Kind == "" && s.Path != text {
			t.Errorf("%q is %+v", text, s)
		}
	})
}
