package car

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/hostile"
)

// readers are all functions of this package that read a text.
var readers = map[string]func(text string) error{
	"lines": func(text string) error {
		_, err := ReadQueries(strings.NewReader(text), "q.txt")
		return err
	},
	"YAML": func(text string) error {
		_, err := ReadQueries(strings.NewReader(text), "q.yaml")
		return err
	},
	"preset": func(text string) error {
		_, err := ReadPreset(strings.NewReader(text), "p.yaml")
		return err
	},
	"templates": func(text string) error {
		_, err := ReadTemplates(strings.NewReader(text), "t.txt")
		return err
	},
}

// TestHostileTexts: no text makes a reader take long or use much memory.
func TestHostileTexts(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size = 64 << 10
	}
	hostile.Usual.Hold(t, hostile.Lines(size), readers["lines"])
	hostile.Usual.Hold(t, hostile.Lines(size), readers["templates"])
	hostile.Usual.Hold(t, hostile.YAML(20<<10), readers["YAML"])
	hostile.Usual.Hold(t, hostile.YAML(20<<10), readers["preset"])
	// The same texts as values of known keys.
	nested := map[string]string{}
	for name, text := range hostile.YAML(8 << 10) {
		nested[name] = "background: " + text
		nested[name+", indented"] = "prompts:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	hostile.Usual.Hold(t, nested, readers["preset"])
}

// TestRefusedTexts: every reader refuses invisible characters and names their place.
func TestRefusedTexts(t *testing.T) {
	for reader, read := range readers {
		for name, text := range hostile.Refused() {
			err := read(text)
			switch {
			case err == nil:
				t.Errorf("%s: %s is accepted", reader, name)
			case strings.HasPrefix(text, "a\n") && !strings.Contains(err.Error(), "line 2, column "):
				t.Errorf("%s: %s: error %q has no place", reader, name, err)
			}
		}
	}
}

// TestTexts: the texts that common editors write are accepted.
func TestTexts(t *testing.T) {
	for _, c := range []struct{ reader, text string }{
		{"lines", "\ufeff# mine\r\ndog\r\n\r\nпёс=犬|собака\r\n"},
		{"YAML", "\ufeff- dog\r\n- label: пёс\r\n  phrases: [犬, собака]\r\n"},
		{"preset", "\ufeffbase: coco\r\ntheta: 0.4\r\nabout: >\r\n  for dives\r\n"},
		{"templates", "\ufeffa {}\tof old\r\n# no\r\n"},
		{"templates", "{}" + strings.Repeat("a", MaxPhrase-2) + "\n# " + strings.Repeat("x", 70<<10) + "\n{}"},
		{"lines", "dog # " + strings.Repeat("x", 70<<10) + "\ncat"},
		{"lines", lines(MaxQueryLines)},
	} {
		err := readers[c.reader](c.text)
		if c.reader == "templates" && strings.Contains(c.text, "\t") {
			// A tab within a sentence is refused.
			if err == nil || !strings.Contains(err.Error(), "character 5 is the control character U+0009") {
				t.Errorf("a tab: %v", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %.40q: %v", c.reader, c.text, err)
		}
	}
	// The template after a line that is too long for a bufio.Scanner is not lost.
	got, err := ReadTemplates(strings.NewReader("a {}\n#"+strings.Repeat("x", 100<<10)+"\nb {}\n"), "t.txt")
	if err != nil || len(got) != 2 {
		t.Errorf("templates %q, %v", got, err)
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "thing %d\n", i)
	}
	return b.String()
}

func list(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
	}
	return "[" + b.String() + "]"
}

// TestTextLimits: every limit holds, and its error gives the number.
func TestTextLimits(t *testing.T) {
	for _, c := range []struct{ reader, text, want string }{
		{"lines", lines(MaxQueryLines + 1), "there are 5001 lines in it; 5000 at most"},
		{"lines", strings.Repeat("\n", MaxQueryLines) + "dog", "there are 5001 lines in it"},
		{"YAML", "- dog\n" + strings.Repeat("#\n", MaxQueryLines), "there are 5001 lines in it"},
		{"YAML", list(MaxQueryLines+1, "a%d,"), "there are 5001 queries in it; 5000 at most"},
		{"YAML", "- label: \"a\\e[2J\"\n", `line 1: query "a\x1b[2J": the name: character 2 is the control character U+001B`},
		{"YAML", "- dog\n- \"a\\0b\"\n", `line 2: query "a\x00b": the name: character 2 is the control character U+0000`},
		{"YAML", "- label: a\n  phrases: [b, \"\\u202ec\"]\n", "line 1: query \"a\": phrase 2: character 1 is U+202E"},
		{"YAML", "- label: a\n  background: [\"b\\n\"]\n", "background word 1: character 2 is the control character U+000A"},
		{"YAML", "- label: a\n  colour: \"red\\r\"\n", "the colour: character 4 is the control character U+000D"},
		{"YAML", "- label: a\n  phrases: " + list(MaxPhrases+1, "b%d,"), "there are 65 phrases; 64 at most"},
		{"YAML", "- label: a\n  background: " + list(MaxBackground+1, "b%d,"), "there are 257 background words; 256 at most"},
		{"YAML", "- label: " + strings.Repeat("é", MaxLabel+1), "the name: it is 401 characters long; 400 at most"},
		{"YAML", "- label: a\n  theta: .inf\n", "theta is +Inf"},
		{"lines", "a=" + strings.Repeat("b", MaxPhrase+1), "phrase 1: it is 1001 characters long; 1000 at most"},
		{"lines", "dog\ta", "the name: character 4 is the control character U+0009"},
		{"templates", strings.Repeat("{}\n", maxTemplates+1), "there are 257 in it; 256 at most"},
		{"templates", "{}" + strings.Repeat("a", MaxPhrase), "it is 1002 characters long"},
		{"preset", "name: \"a\\e\"", "name: character 2 is the control character U+001B"},
		{"preset", "about: \"a\\eb\"", "about: character 2 is the control character U+001B"},
		{"preset", "cam_template: \"{}\\u2028\"", "character 3 is the line separator"},
		{"preset", "judge_templates: " + list(maxTemplates+1, "a{}%d,"), "line 1: "},
		{"preset", "judge_templates: " + list(maxTemplates+1, "'a {} %d',"), "judge_templates has 257 entries; 256 at most"},
		{"preset", "background: " + list(maxWords+1, "a%d,"), "background has 1001 entries; 1000 at most"},
		{"preset", "background: [\"a\\a\"]", "\"a\\a\" in its lists: character 2 is the control"},
		{"preset", "contrast: " + list(maxWords+1, "[a%d],"), "contrast has 1001 entries"},
		{"preset", "contrast: [" + list(maxRow+1, "a%d,") + "]", "a row of contrast has 65 words; 64 at most"},
		{"preset", "prompts: " + list(maxPrompts+1, "[blur],"), "prompts has 17 entries; 16 at most"},
		{"preset", "prompts: " + list(7, "blur,"), "a row of prompts has 7 of them; there are 6"},
		{"preset", "max_side: 100000", "max_side is 100000, which is not between 0 and 8192"},
		{"preset", "max_side: 1e99", "line 1: "},
		{"preset", "crf: {iterations: 1000000000}", "iterations is 1000000000, which is not between 0 and 1000"},
		{"preset", crfWith("iterations: 9999999999999999999999"), "line 1: "},
		{"preset", crfWith("gaussian_sxy: .inf"), "gaussian_sxy is +Inf"},
		{"preset", crfWith("bilateral_sxy: 1e30"), "bilateral_sxy is 1e+30"},
		{"preset", crfWith("bilateral_srgb: .nan"), "bilateral_srgb is NaN"},
		{"preset", crfWith("gaussian_compat: -.inf"), "gaussian_compat is -Inf"},
		{"preset", crfWith("bilateral_compat: 1e38"), "bilateral_compat is 1e+38"},
		{"preset", "eta: .nan", "eta is NaN"},
		{"preset", "theta: .inf", "theta is +Inf"},
		{"preset", "lambda: -.inf", "lambda is -Inf"},
		{"preset", "presence: 1e39", "presence is "},
	} {
		err := readers[c.reader](c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %.40q: error %v, want %q", c.reader, c.text, err, c.want)
		}
	}
	var many []Query
	for i := range MaxQueries + 1 {
		many = append(many, Named(fmt.Sprint("thing ", i)))
	}
	if err := CheckQueries(many[:MaxQueries]); err != nil {
		t.Error(err)
	}
	if err := CheckQueries(many); err == nil || !strings.Contains(err.Error(), "there are 5065 queries; 5064 at most") {
		t.Errorf("%d queries: %v", len(many), err)
	}
	if _, err := ParseQuery("d\x1b]0;x\x07og"); err == nil || !strings.Contains(err.Error(), "the name: character 2 is the control character U+001B") {
		t.Errorf("an escape on the command line: %v", err)
	}
	if _, err := ParseQuery(strings.Repeat("dog ", 1<<18)); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long query: %.400v", err)
	}
}

// crfWith returns CRF parameters of which one is replaced.
func crfWith(one string) string {
	name, _, _ := strings.Cut(one, ":")
	all := one
	for _, other := range []string{"gaussian_sxy: 1", "gaussian_compat: 3", "bilateral_sxy: 67", "bilateral_srgb: 3", "bilateral_compat: 4", "iterations: 10"} {
		if !strings.HasPrefix(other, name+":") {
			all += ", " + other
		}
	}
	return "crf: {" + all + "}"
}

func FuzzReadTemplates(f *testing.F) {
	f.Add("a {}\n")
	for _, text := range hostile.Lines(64) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		templates, err := ReadTemplates(strings.NewReader(text), "t.txt")
		if (err == nil) != (len(templates) > 0) {
			t.Fatalf("%d templates and error %v", len(templates), err)
		}
		for _, one := range templates {
			if err := CheckTemplate(one); err != nil {
				t.Error(err)
			}
		}
	})
}
