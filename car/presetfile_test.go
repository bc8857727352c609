package car

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPresetWritten: a preset that is written and read again is the same.
func TestPresetWritten(t *testing.T) {
	for _, p := range append(Presets(), Presets()[0].Compat(), worldPreset(), Preset{
		Name: "rows", CAMTemplate: "{}", Prompts: [][]Prompt{{Blur, Gray}, {Circle}}, CRF: Presets()[0].CRF, View: Window, Overlap: true,
	}) {
		text, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadPreset(strings.NewReader(string(text)), p.Name)
		if err != nil {
			t.Errorf("%s: %v\n%s", p.Name, err, text)
			continue
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", p), fmt.Sprintf("%+v", got)); diff != "" {
			t.Errorf("%s: %s", p.Name, diff)
		}
	}
}

func TestReadPreset(t *testing.T) {
	voc, err := PresetNamed("voc")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPreset(strings.NewReader(`
base: coco
theta: 0.45
prompts: [[blur, gray], [circle]]
background: [water, sand]
view: whole
quirks: {keep_best: true}
`), "mine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "mine.yaml" || got.Theta != 0.45 || got.Eta != 0.5 || len(got.Prompts) != 2 || got.View != Whole ||
		got.Quirks != (Quirks{KeepBest: true}) || len(got.Background) != 2 || got.CRF != voc.CRF || len(got.JudgeTemplates) != 15 {
		t.Errorf("read %+v", got)
	}
	if got, err := ReadPreset(strings.NewReader("# nothing\n"), "empty"); err != nil || got.Theta != voc.Theta || got.Name != "empty" {
		t.Errorf("an empty file is voc by another name: %+v, %v", got, err)
	}
	for want, text := range map[string]string{
		`line 2: unknown field "thetta"`: "eta: 0.5\nthetta: 0.4",
		"theta is 2":                     "theta: 2",
		`no preset "vox"`:                "base: vox",
		`mode is "both"`:                 "mode: both",
		`no view "left"`:                 "view: left",
		`no prompt "glow"`:               "prompts: [glow]",
		"a list of names, or a list of":  "prompts: {blur: 1}",
		"exactly one {}":                 "judge_templates: [a photo of, a]",
		"presence needs contrast":        "contrast: []\nbackground: []",
		"a word of its lists is empty":   "contrast: [[dog, ' ']]",
		"line 1":                         "[eta",
		"larger than 1048576 bytes":      "# " + strings.Repeat("x", presetFileLimit),
	} {
		if _, err := ReadPreset(strings.NewReader(text), "mine.yaml"); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "reading preset mine.yaml: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestReadTemplates(t *testing.T) {
	got, err := ReadTemplates(strings.NewReader("# mine\n\n a photo of a {}.\nthe {} in the room\n"), "t.txt")
	if diff := cmp.Diff([]string{"a photo of a {}.", "the {} in the room"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for text, want := range map[string]string{
		"":                  "there is none in it",
		"# {}\n":            "there is none in it",
		"a {}.\n{} and {}":  "line 2: template",
		"a {}.\n\na photo.": "line 3: template",
	} {
		if _, err := ReadTemplates(strings.NewReader(text), "t.txt"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// FuzzReadPreset: any file gives an error of one line, or a preset that can be written
// and read again.
func FuzzReadPreset(f *testing.F) {
	f.Add("base: refcoco\nmode: semantic\nview: whole\nmax_side: 9\noverlap: true\nquirks: {cut_boxes: true}\ncontrast: [[a, b], [c]]\n")
	f.Add("base: coco\nprompts: [[blur], []]\ncrf: {iterations: 3}\n")
	f.Add("a: &a [*a]\n")
	f.Add("theta: .nan\n")
	f.Add("---\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadPreset(strings.NewReader(text), "x")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		written, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadPreset(strings.NewReader(string(written)), "x")
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", p), fmt.Sprintf("%+v", again)); diff != "" {
			t.Error(diff)
		}
	})
}
