package car

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/plaintext"
)

// A Mode says how queries relate to each other.
type Mode int

const (
	// Semantic queries are names of different things. They compete with each other
	// while masks are proposed, judged and refined.
	Semantic Mode = iota
	// Refer queries are sentences that may mean the same thing. Each is proposed
	// alone against the background and refined alone (docs/algorithm.md 7.2).
	Refer
)

// A Preset holds all parameters of the loop except the queries: thresholds, prompts,
// texts, refinement. docs/algorithm.md section 8 lists those of the reference.
type Preset struct {
	Name  string
	About string // one line

	Mode Mode

	Eta    float32 // heat above which a pixel belongs to the mask that is judged, 0 to 1
	Theta  float32 // score above which a text stays, 0 to 1
	Lambda float32 // share of the maximal heat above which a patch opens an affinity box, 0 to 1

	// Presence is the presence probability above which a text stays, 0 to 1; with 0
	// presences are not computed. See [Judgement].
	Presence float32
	// Contrast are the words that compete with a query in its presence, in addition
	// to the background words. Each row has words of one kind: the first competes,
	// and the row is left out for a query that contains any of them.
	Contrast [][]string

	// Prompts are the visual prompts of the judge. Those of a row are applied
	// together. With several rows, every mask is judged once with each, and the
	// results are averaged.
	Prompts [][]Prompt

	// CAMTemplate wraps names from the second stage on, and background words
	// always; {} stands for the name.
	CAMTemplate string
	// JudgeTemplates wrap names for the judge, whose probabilities are summed
	// over them before a second softmax; none means CAMTemplate and one softmax.
	JudgeTemplates []string
	// Background words compete with the queries while masks are proposed, except
	// those that a query contains: "wall" does not compete with "brick wall".
	Background []string

	// Stuff are the names of queries that are not things. They are run in a second
	// pass, with the names of the things as background, and things overwrite them
	// (docs/algorithm.md 7.1). StuffPrompts replace Prompts in that pass.
	Stuff        []string
	StuffPrompts [][]Prompt

	View JudgeView

	// Overlap refines every query by itself against the background, so that masks
	// may overlap, such as those of a person and a shirt. Otherwise all queries
	// share one field and their masks do not overlap. Refer queries always may.
	Overlap bool

	CRF densecrf.Params

	// MaxSide is the long side, in pixels, of images that suit the model of this
	// preset; 0 is no preference.
	MaxSide int

	// Tracking are the parameters of package tracking that differ from its defaults, by
	// name. That package checks them: tracking.ReadParams.
	Tracking map[string]any

	// Quirks are the quirks of the released code that are on.
	Quirks Quirks
}

// Quirks are behaviours of the released code that are off by default;
// [Preset.Compat] turns them on. docs/algorithm.md section 12 has the list.
type Quirks struct {
	// SkipLastBlock: the judge omits its last transformer block. The published
	// figures and thresholds were made this way. The loop cannot choose it: the
	// judge has to be opened accordingly (models.Options). carve runs the block,
	// because the network was trained with it: on generated images it separates
	// present from absent queries better (docs/performance.md).
	SkipLastBlock bool
	// WrapColours: the mean is subtracted from the image of the CRF, and values
	// below 0 wrap around, so that a dark pixel and a bright one may look alike
	// (docs/algorithm.md 6.1). carve gives the CRF the image unchanged.
	WrapColours bool
	// SwapGray: grey prompts exchange the weights of red and blue. carve uses those
	// of ITU-R BT.601, which the released code intended.
	SwapGray bool
	// CutBoxes: an affinity box that touches the right or bottom edge loses its last
	// column or row (docs/algorithm.md 3.6). carve keeps it, because things touch edges.
	CutBoxes bool
	// KeepBest: the best text stays when none passes, so that something is always
	// found. carve may find nothing.
	KeepBest bool
	// FightBackground: a query competes also with background words that it contains.
	// In carve it does not.
	FightBackground bool
}

// clone returns a deep copy of the preset.
func (p *Preset) clone() Preset {
	c := *p
	for _, list := range []*[]string{&c.JudgeTemplates, &c.Background, &c.Stuff} {
		*list = slices.Clone(*list)
	}
	c.Tracking = maps.Clone(p.Tracking)
	c.Contrast, c.Prompts, c.StuffPrompts = clone2(p.Contrast), clone2(p.Prompts), clone2(p.StuffPrompts)
	return c
}

// Compat returns the preset as the released code runs it: all quirks, the centre crop
// for the judge, no presence, shared fields, a fixed number of iterations of the CRF. The
// published figures were made with it.
func (p Preset) Compat() Preset {
	p.Quirks = Quirks{true, true, true, true, true, true}
	p.CRF.Settled = 0
	p.View, p.Presence, p.Overlap = CenterCrop, 0, false
	return p
}

// The limits of a preset, well above anything published: the longest list of
// templates has 80, the presets' own lists of words have 60.
const (
	maxTemplates = 256
	maxWords     = 1000 // of a list, and rows of the contrast
	maxRow       = 64   // words of one kind
	maxPrompts   = 16   // rows of prompts
)

// MaxMaxSide is the largest value of [Preset.MaxSide]: the attention of a vision
// transformer grows with the fourth power of the side, and every CLIP was trained on
// images of less than a tenth of this.
const MaxMaxSide = 8192

// Check returns an error if the preset is invalid.
func (p *Preset) Check() error {
	if err := plaintext.Check(p.Name); err != nil {
		return fmt.Errorf("a preset's name: %w", err)
	}
	if err := p.checkSizes(); err != nil {
		return fmt.Errorf("preset %s: %w", p.Name, err)
	}
	for _, v := range []struct {
		name  string
		value float32
	}{{"eta", p.Eta}, {"theta", p.Theta}, {"lambda", p.Lambda}, {"presence", p.Presence}} {
		if !(v.value >= 0 && v.value <= 1) {
			return fmt.Errorf("preset %s: %s is %g, which is not between 0 and 1", p.Name, v.name, v.value)
		}
	}
	for _, t := range append([]string{p.CAMTemplate}, p.JudgeTemplates...) {
		if err := CheckTemplate(t); err != nil {
			return fmt.Errorf("preset %s: %w", p.Name, err)
		}
	}
	for _, prompt := range slices.Concat(slices.Concat(p.Prompts, p.StuffPrompts)...) {
		if !slices.Contains(promptOrder, prompt) {
			return fmt.Errorf("preset %s: %w", p.Name, unknownPrompt(string(prompt)))
		}
	}
	for _, row := range append([][]string{p.Background, p.Stuff}, p.Contrast...) {
		for _, w := range row {
			if strings.TrimSpace(w) == "" {
				return fmt.Errorf("preset %s: a word of its lists is empty", p.Name)
			}
			if err := checkText(w, MaxPhrase); err != nil {
				return fmt.Errorf("preset %s: %q in its lists: %w", p.Name, excerpt(w), err)
			}
		}
	}
	if slices.ContainsFunc(p.Contrast, func(row []string) bool { return len(row) == 0 }) {
		return fmt.Errorf("preset %s: a row of its contrast is empty", p.Name)
	}
	if p.Presence > 0 && len(p.Contrast)+len(p.Background) == 0 {
		return fmt.Errorf("preset %s: presence needs contrast or background words, and there are none", p.Name)
	}
	if err := p.CRF.Check(); err != nil {
		return fmt.Errorf("preset %s: %w", p.Name, err)
	}
	if p.MaxSide < 0 || p.MaxSide > MaxMaxSide {
		return fmt.Errorf("preset %s: max_side is %d, which is not between 0 and %d", p.Name, p.MaxSide, MaxMaxSide)
	}
	return nil
}

// checkSizes returns an error if a list or a text is too long.
func (p *Preset) checkSizes() error {
	if err := checkText(p.About, MaxPhrase); err != nil {
		return fmt.Errorf("about: %w", err)
	}
	for _, l := range []struct {
		name    string
		n, most int
	}{
		{"judge_templates", len(p.JudgeTemplates), maxTemplates}, {"background", len(p.Background), maxWords},
		{"stuff", len(p.Stuff), maxWords}, {"contrast", len(p.Contrast), maxWords},
		{"prompts", len(p.Prompts), maxPrompts}, {"stuff_prompts", len(p.StuffPrompts), maxPrompts},
	} {
		if l.n > l.most {
			return fmt.Errorf("%s has %d entries; %d at most", l.name, l.n, l.most)
		}
	}
	for _, row := range p.Contrast {
		if len(row) > maxRow {
			return fmt.Errorf("a row of contrast has %d words; %d at most", len(row), maxRow)
		}
	}
	for _, row := range slices.Concat(p.Prompts, p.StuffPrompts) {
		if len(row) > len(promptOrder) {
			return fmt.Errorf("a row of prompts has %d of them; there are %d", len(row), len(promptOrder))
		}
	}
	return nil
}

// CheckTemplate returns an error if a template does not contain {} exactly once, or is
// too long.
func CheckTemplate(t string) error {
	if strings.Count(t, "{}") != 1 {
		return fmt.Errorf("template %q has not exactly one {}", excerpt(t))
	}
	if err := checkText(t, MaxPhrase); err != nil {
		return fmt.Errorf("template %q: %w", excerpt(t), err)
	}
	return nil
}

// Texts returns the texts that the models encode for a phrase of a query or for a
// background word. All of them have to fit into the context.
func (p *Preset) Texts(phrase string) []string {
	texts := []string{phrase}
	for _, t := range append([]string{p.CAMTemplate, presenceTemplate}, p.JudgeTemplates...) {
		texts = append(texts, fillTemplate(t, phrase))
	}
	return texts
}

// PresetNamed returns the preset of that name.
func PresetNamed(name string) (Preset, error) {
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
	}
	return Preset{}, &UnknownPresetError{Name: name}
}

// An UnknownPresetError says that there is no preset of that name.
type UnknownPresetError struct{ Name string }

func (e *UnknownPresetError) Error() string {
	return fmt.Sprintf("there is no preset %q", excerpt(e.Name))
}

// Hint lists the names of all presets.
func (e *UnknownPresetError) Hint() string {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return "the presets are " + strings.Join(names, ", ") + "; a file of your own ends in .yaml"
}

// fillTemplate puts a name into a template.
func fillTemplate(template, name string) string { return strings.Replace(template, "{}", name, 1) }
