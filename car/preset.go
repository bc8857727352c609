package car

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carve-video/carve/car/densecrf"
)

// A Mode says how queries relate to each other.
type Mode int

const (
	// Semantic queries are names of different things: they compete for the
	// picture while masks are proposed, judged and refined.
	Semantic Mode = iota
	// Refer queries are sentences that may mean the same thing: each is
	// proposed alone against the background and refined alone (car.md 7.2).
	Refer
)

// A JudgeView says what of a prompted image the judge sees.
type JudgeView int

const (
	// CenterCrop is CLIP's own preprocessing: short side to the input size,
	// then the central square. What lies beside it is invisible to the judge.
	CenterCrop JudgeView = iota
	// NativeAspect brings the short side to the input size and keeps the whole
	// picture; the sides are rounded to whole patches.
	NativeAspect
)

// A Contest says against which texts a proposal is judged.
type Contest int

const (
	// AgainstStage: the texts that are still in the set, as in the paper.
	// Scores grow as the set shrinks, and the last text always wins.
	AgainstStage Contest = iota
	// AgainstAll: all texts that were asked for. A score then means the same
	// in every stage and, on a video, in every frame.
	AgainstAll
)

// A Preset is everything about the loop that is not a query: thresholds,
// prompts, texts, refinement. car.md section 8 lists the reference's.
type Preset struct {
	Name  string
	About string // one line

	Mode Mode

	Eta    float32 // heat above which a pixel belongs to the mask the judge is shown, 0 to 1
	Theta  float32 // score above which a text stays, 0 to 1
	Lambda float32 // share of the maximal heat above which a patch opens an affinity box, 0 to 1

	Prompts []Prompt // how a mask is shown to the judge

	// CAMTemplate wraps names from the second stage on, and background words
	// always; {} stands for the name.
	CAMTemplate string
	// JudgeTemplates wrap names for the judge, whose probabilities are summed
	// over them before a second softmax; none means CAMTemplate and one softmax.
	JudgeTemplates []string
	// Background words compete with the queries while masks are proposed.
	Background []string
	// YieldBackground spares a query the background words that it says itself:
	// "wall" does not compete with "brick wall". The reference knows no such
	// thing; for the names of its data sets it makes no difference.
	YieldBackground bool

	// Stuff names queries that are not things: they are run in a second pass,
	// against the names of the things as background, and things overwrite them
	// (car.md 7.1). StuffPrompts replace Prompts in that pass.
	Stuff        []string
	StuffPrompts []Prompt

	View    JudgeView
	Contest Contest
	// KeepBest keeps the best text when none passes Theta, as the reference
	// does. Without it a set may come out empty.
	KeepBest bool

	CRF densecrf.Params
	// WrapColours shows the CRF the picture as the released code does, mean
	// subtracted and wrapped around at 0 (car.md 6.1), not as it is.
	WrapColours bool

	// MaxSide is the long side, in pixels, at which pictures suit the model
	// this preset was made for; 0 is no opinion.
	MaxSide int
}

// Check finds what is wrong with a preset.
func (p *Preset) Check() error {
	for _, v := range []struct {
		name  string
		value float32
	}{{"eta", p.Eta}, {"theta", p.Theta}, {"lambda", p.Lambda}} {
		if v.value < 0 || v.value > 1 || v.value != v.value {
			return fmt.Errorf("preset %s: %s is %g, which is not between 0 and 1", p.Name, v.name, v.value)
		}
	}
	for _, t := range append([]string{p.CAMTemplate}, p.JudgeTemplates...) {
		if strings.Count(t, "{}") != 1 {
			return fmt.Errorf("preset %s: template %q has not exactly one {}", p.Name, t)
		}
	}
	for _, prompt := range slices.Concat(p.Prompts, p.StuffPrompts) {
		if !slices.Contains(promptOrder, prompt) {
			return fmt.Errorf("preset %s: %w", p.Name, unknownPrompt(string(prompt)))
		}
	}
	if p.CRF.Iterations < 0 {
		return fmt.Errorf("preset %s: %d iterations of the CRF", p.Name, p.CRF.Iterations)
	}
	return nil
}

// PresetNamed returns a preset by its name.
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

func (e *UnknownPresetError) Error() string { return fmt.Sprintf("there is no preset %q", e.Name) }

// Hint lists the names there are.
func (e *UnknownPresetError) Hint() string {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return "the presets are " + strings.Join(names, ", ")
}

// fill puts a name into a template.
func fill(template, name string) string { return strings.Replace(template, "{}", name, 1) }
