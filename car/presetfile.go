package car

import (
	_ "embed" // the presets
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/strictyaml"
)

//go:embed presets.yaml
var presetsYAML []byte

// presetFileLimit is the largest size of a file of a preset or of templates.
const presetFileLimit = 1 << 20

// A presetEntry is a preset as it is written in a file. Keys that are not given are
// taken from the base.
type presetEntry struct {
	Name           string         `yaml:"name"`
	Base           string         `yaml:"base,omitempty"`
	About          *string        `yaml:"about,omitempty"`
	Mode           *string        `yaml:"mode,omitempty"`
	Eta            *float32       `yaml:"eta,omitempty"`
	Theta          *float32       `yaml:"theta,omitempty"`
	Lambda         *float32       `yaml:"lambda,omitempty"`
	Presence       *float32       `yaml:"presence,omitempty"`
	Prompts        *promptRows    `yaml:"prompts,omitempty"`
	CAMTemplate    *string        `yaml:"cam_template,omitempty"`
	JudgeTemplates *[]string      `yaml:"judge_templates,omitempty"`
	Background     *[]string      `yaml:"background,omitempty"`
	Contrast       *[][]string    `yaml:"contrast,omitempty"`
	Stuff          *[]string      `yaml:"stuff,omitempty"`
	StuffPrompts   *promptRows    `yaml:"stuff_prompts,omitempty"`
	View           *string        `yaml:"view,omitempty"`
	Overlap        *bool          `yaml:"overlap,omitempty"`
	CRF            *crfEntry      `yaml:"crf,omitempty"`
	MaxSide        *int           `yaml:"max_side,omitempty"`
	Tracking       map[string]any `yaml:"tracking,omitempty"`
	Quirks         *quirksEntry   `yaml:"quirks,omitempty"`
}

type crfEntry struct {
	Iterations      int     `yaml:"iterations"`
	Settled         float32 `yaml:"settled"`
	GaussianSXY     float32 `yaml:"gaussian_sxy"`
	GaussianCompat  float32 `yaml:"gaussian_compat"`
	BilateralSXY    float32 `yaml:"bilateral_sxy"`
	BilateralSRGB   float32 `yaml:"bilateral_srgb"`
	BilateralCompat float32 `yaml:"bilateral_compat"`
}

type quirksEntry struct {
	SkipLastBlock   bool `yaml:"skip_last_block"`
	WrapColours     bool `yaml:"wrap_colours"`
	SwapGray        bool `yaml:"swap_gray"`
	CutBoxes        bool `yaml:"cut_boxes"`
	KeepBest        bool `yaml:"keep_best"`
	FightBackground bool `yaml:"fight_background"`
}

// promptRows is read from [blur, gray], prompts that are applied together, or from
// [[blur, gray], [circle]], an ensemble of such rows.
type promptRows [][]Prompt

// UnmarshalYAML implements [yaml.InterfaceUnmarshaler].
func (r *promptRows) UnmarshalYAML(decode func(any) error) error {
	var row []Prompt
	if err := decode(&row); err == nil {
		*r = nil
		if len(row) > 0 {
			*r = promptRows{row}
		}
		return nil
	}
	var rows [][]Prompt
	if err := decode(&rows); err != nil {
		return errors.New("prompts are a list of names, or a list of such lists")
	}
	*r = rows
	return nil
}

var modeNames = map[Mode]string{Semantic: "semantic", Refer: "refer"}

// presets returns the presets of presets.yaml, which is parsed once.
var presets = sync.OnceValue(func() []Preset {
	presets, err := parsePresets(presetsYAML)
	if err != nil {
		panic("car: presets.yaml: " + err.Error()) // a test would fail first
	}
	return presets
})

// Presets returns copies of all presets.
func Presets() []Preset {
	var copies []Preset
	for _, p := range presets() {
		copies = append(copies, p.clone())
	}
	return copies
}

func parsePresets(data []byte) ([]Preset, error) {
	var file struct {
		Texts   map[string]any `yaml:"texts"` // for anchors
		Presets []presetEntry  `yaml:"presets"`
	}
	if err := strictyaml.Decode(data, &file); err != nil {
		return nil, err
	}
	var presets []Preset
	for _, e := range file.Presets {
		p, err := e.preset(presets)
		if err != nil {
			return nil, err
		}
		presets = append(presets, p)
	}
	return presets, nil
}

// ReadPreset reads a user's preset: a YAML mapping with the keys of presets.yaml.
// "base" names the preset that it starts from, voc if it is not given. An unknown key
// is an error. Errors name the line.
func ReadPreset(r io.Reader, name string) (Preset, error) {
	data, err := plaintext.Read(r, presetFileLimit)
	if err != nil {
		return Preset{}, fmt.Errorf("reading preset %s: %w", name, err)
	}
	p, err := readPreset(data, name)
	if err != nil {
		return Preset{}, fmt.Errorf("reading preset %s: %w", name, err)
	}
	return p, nil
}

func readPreset(data []byte, name string) (Preset, error) {
	var e presetEntry
	if err := strictyaml.Decode(data, &e); err != nil {
		return Preset{}, err
	}
	if err := checkText(e.Name, MaxLabel); err != nil {
		return Preset{}, fmt.Errorf("name: %w", err)
	}
	if e.Name == "" {
		e.Name = plaintext.Printable(name) // a path may contain any characters
	}
	if e.Base == "" {
		e.Base = "voc"
	}
	return e.preset(presets())
}

// ReadTemplates reads a list of templates, one a line; blank lines and those that
// begin with # are ignored.
func ReadTemplates(r io.Reader, name string) ([]string, error) {
	data, err := plaintext.Read(r, presetFileLimit)
	if err != nil {
		return nil, fmt.Errorf("reading templates from %s: %w", name, err)
	}
	var templates []string
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		t := strings.TrimSpace(line)
		if t == "" || strings.HasPrefix(t, "#") {
			continue
		}
		if err := CheckTemplate(t); err != nil {
			return nil, fmt.Errorf("reading templates from %s: line %d: %w", name, n, err)
		}
		templates = append(templates, t)
	}
	switch {
	case len(templates) == 0:
		return nil, fmt.Errorf("reading templates from %s: there is none in it", name)
	case len(templates) > maxTemplates:
		return nil, fmt.Errorf("reading templates from %s: there are %d in it; %d at most", name, len(templates), maxTemplates)
	}
	return templates, nil
}

// preset applies the entry to its base, which is one of bases.
func (e *presetEntry) preset(bases []Preset) (Preset, error) {
	var p Preset
	if e.Base != "" {
		found := false
		for _, b := range bases {
			if b.Name == e.Base {
				p, found = b.clone(), true
			}
		}
		if !found {
			return p, fmt.Errorf("base: %w", &UnknownPresetError{Name: e.Base})
		}
	}
	p.Name = e.Name
	if e.About != nil {
		p.About = strings.TrimSpace(*e.About) // a YAML block ends with a newline
	}
	setIfGiven(&p.Eta, e.Eta)
	setIfGiven(&p.Theta, e.Theta)
	setIfGiven(&p.Lambda, e.Lambda)
	setIfGiven(&p.Presence, e.Presence)
	setIfGiven(&p.CAMTemplate, e.CAMTemplate)
	setIfGiven(&p.JudgeTemplates, e.JudgeTemplates)
	setIfGiven(&p.Background, e.Background)
	setIfGiven(&p.Contrast, e.Contrast)
	setIfGiven(&p.Stuff, e.Stuff)
	setIfGiven(&p.Overlap, e.Overlap)
	setIfGiven(&p.MaxSide, e.MaxSide)
	setIfGiven(&p.Prompts, (*[][]Prompt)(e.Prompts))
	setIfGiven(&p.StuffPrompts, (*[][]Prompt)(e.StuffPrompts))
	for name, v := range e.Tracking {
		if p.Tracking == nil {
			p.Tracking = make(map[string]any)
		}
		p.Tracking[name] = v
	}
	if e.Mode != nil {
		m, ok := keyOf(modeNames, *e.Mode)
		if !ok {
			return p, fmt.Errorf("mode is %q; it is semantic or refer", excerpt(*e.Mode))
		}
		p.Mode = m
	}
	if e.View != nil {
		v, err := ParseView(*e.View)
		if err != nil {
			return p, err
		}
		p.View = v
	}
	if c := e.CRF; c != nil {
		p.CRF = densecrf.Params{
			Iterations: c.Iterations, Settled: c.Settled,
			GaussianSXY: c.GaussianSXY, GaussianCompat: c.GaussianCompat,
			BilateralSXY: c.BilateralSXY, BilateralSRGB: c.BilateralSRGB, BilateralCompat: c.BilateralCompat,
		}
	}
	if e.Quirks != nil {
		p.Quirks = Quirks(*e.Quirks)
	}
	return p, p.Check()
}

// YAML writes the preset as a file that [ReadPreset] reads, with every key.
func (p Preset) YAML() ([]byte, error) {
	mode, view := modeNames[p.Mode], p.View.String()
	crf := crfEntry{p.CRF.Iterations, p.CRF.Settled, p.CRF.GaussianSXY, p.CRF.GaussianCompat, p.CRF.BilateralSXY, p.CRF.BilateralSRGB, p.CRF.BilateralCompat}
	quirks := quirksEntry(p.Quirks)
	prompts, stuffPrompts := promptRows(p.Prompts), promptRows(p.StuffPrompts)
	return yaml.MarshalWithOptions(presetEntry{
		Name: p.Name, About: &p.About, Mode: &mode, Eta: &p.Eta, Theta: &p.Theta, Lambda: &p.Lambda, Presence: &p.Presence,
		Prompts: &prompts, CAMTemplate: &p.CAMTemplate, JudgeTemplates: &p.JudgeTemplates, Background: &p.Background,
		Contrast: &p.Contrast, Stuff: &p.Stuff, StuffPrompts: &stuffPrompts, View: &view, Overlap: &p.Overlap,
		CRF: &crf, MaxSide: &p.MaxSide, Tracking: p.Tracking, Quirks: &quirks,
	}, yaml.IndentSequence(true))
}

func setIfGiven[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

func keyOf[K comparable](names map[K]string, name string) (key K, ok bool) {
	for k, n := range names {
		if n == name {
			return k, true
		}
	}
	return key, false
}
