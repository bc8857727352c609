package tracking

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/spelling"
)

// Params are the numbers that tune memory across frames. The defaults were chosen on the
// standing suite and on clips of seeds 2 and 3 with the demo model, and checked on seed 4
// (docs/memory.md); none has been tuned with a real CLIP. A preset may change any of them,
// by the name in its tag:
//
//	tracking:
//	  miss_limit: 3
//	  retain_time: 1s
//
// Brightness and residuals are of 255; the resolution of the flow is 160 pixels on the
// long side at most (package flow).
type Params struct {
	// Shots and abrupt changes, as the MotionAnalyzer sees them.

	// Gap is the pause between two frames after which a new shot begins.
	Gap time.Duration `yaml:"gap"`
	// CutHistogram is the share of pixels whose colour must change for a cut. Objects that
	// move displace their own area at most, and fades spread the change over many frames.
	CutHistogram float64 `yaml:"cut_histogram"`
	// CutResidual and CutResidualLevel are what motion and a change of light must leave
	// unexplained in addition: a share of the contrast, and a mean difference. A new shot
	// leaves nearly all; a fade leaves grain, which is a large share of little.
	CutResidual      float64 `yaml:"cut_residual"`
	CutResidualLevel float64 `yaml:"cut_residual_level"`
	// BlankContrast is the standard deviation of brightness below which an image shows
	// nothing. Grain at the flow's resolution stays below it.
	BlankContrast float64 `yaml:"blank_contrast"`
	// A change is abrupt if the occluded share of the frame is more than AbruptRatio times
	// the mean of the shot plus AbruptMargin. ChangeRate is the weight of a new frame in
	// that mean.
	AbruptRatio  float64 `yaml:"abrupt_ratio"`
	AbruptMargin float64 `yaml:"abrupt_margin"`
	ChangeRate   float64 `yaml:"change_rate"`
	// FadeInGain is the growth of contrast from one frame to the next that is a fade-in.
	FadeInGain float64 `yaml:"fade_in_gain"`

	// Key frames.

	// FirstSpacing is how many frames after the first key frame of a shot the second comes.
	FirstSpacing float64 `yaml:"first_spacing"`
	// The spacing of key frames grows by SpacingGrowth where the propagated masks overlap
	// with the new ones by more than SpacingGrowIoU. It is halved where they overlap by
	// less than SpacingShrinkIoU, or the masks at the flow's resolution by less than
	// SpacingShrinkRoughIoU.
	SpacingGrowth         float64 `yaml:"spacing_growth"`
	SpacingGrowIoU        float64 `yaml:"spacing_grow_iou"`
	SpacingShrinkIoU      float64 `yaml:"spacing_shrink_iou"`
	SpacingShrinkRoughIoU float64 `yaml:"spacing_shrink_rough_iou"`
	// MissAfter is how many frames after a missed judgement the next key frame comes.
	MissAfter int64 `yaml:"miss_after"`
	// OccludedAfter is how many frames after a key frame an occluded mask makes the next
	// one. A mask is occluded if motion does not explain a share of OccludedShare of it,
	// or if less than ShrunkShare of its area is left from one frame to the next.
	OccludedAfter int64   `yaml:"occluded_after"`
	OccludedShare float64 `yaml:"occluded_share"`
	ShrunkShare   float64 `yaml:"shrunk_share"`

	// Which queries are evaluated at a key frame.

	// FullProbe is the time between two key frames that evaluate every query, unless a shot
	// begins: a flickering lamp changes abruptly all the time.
	FullProbe time.Duration `yaml:"full_probe"`
	// SimilarityGain is by how much, in logits, the similarity of the whole image to an
	// absent query must exceed its mean for an evaluation out of turn. The mean goes over
	// SimilarityWindow key frames.
	SimilarityGain   float64 `yaml:"similarity_gain"`
	SimilarityWindow int     `yaml:"similarity_window"`
	// ReuseIoU is the overlap of a proposal with the propagated mask above which the query
	// has only moved, so that its judgement is used again. It is well below 1 because heat is
	// coarse, and its outline is never quite the same.
	ReuseIoU float64 `yaml:"reuse_iou"`
	// PresenceFall is the share of its last presence below which a query, though it passes,
	// is judged again at the next key frame, and gets no new template.
	PresenceFall float64 `yaml:"presence_fall"`

	// Which queries stay.

	// CertainPresence is the presence above which one judgement is enough for a query to
	// enter the set.
	CertainPresence float64 `yaml:"certain_presence"`
	// MissLimit is the number of missed judgements in a row after which a query is dropped,
	// and MissLimitMoved the same while its proposal overlaps with the propagated mask by
	// more than PropagatedIoU.
	MissLimit      int     `yaml:"miss_limit"`
	MissLimitMoved int     `yaml:"miss_limit_moved"`
	PropagatedIoU  float64 `yaml:"propagated_iou"`
	// AbsentShare is the share of the threshold of presence below which one missed
	// judgement is enough for a query to be dropped.
	AbsentShare float64 `yaml:"absent_share"`
	// A proposal of an absent query that lies on other queries which match their templates
	// by more than OccupiedShare must pass for ConfirmTime before the query enters the set:
	// the judge sees both objects and may take one for the other.
	OccupiedShare float64       `yaml:"occupied_share"`
	ConfirmTime   time.Duration `yaml:"confirm_time"`

	// Templates: how a query looked when it last passed, at the flow's resolution.

	// TemplateMatch is the correlation above which a query matches its template, and
	// TemplateMismatch the one below which the object is no longer visible.
	TemplateMatch    float64 `yaml:"template_match"`
	TemplateMismatch float64 `yaml:"template_mismatch"`
	// TemplateStrength is the value below which both the correlation and the strength of the
	// pattern mean a mismatch: in a dissolve both are about the share of the old image.
	TemplateStrength float64 `yaml:"template_strength"`
	// TemplateContrast is the standard deviation of brightness below which a template is not
	// compared.
	TemplateContrast float64 `yaml:"template_contrast"`
	// RetainTime bounds how long a query that misses stays because it matches its template;
	// it never stays longer than it had passed before. RetainArea is the share of its mask
	// that must be left, because what leaves the frame matches to the last pixel.
	RetainTime time.Duration `yaml:"retain_time"`
	RetainArea float64       `yaml:"retain_area"`

	// Propagation of masks.

	// A propagated mask is mixed into that of the next key frame from an overlap of
	// SmoothFrom on, and with its whole weight from SmoothFull on. Smoothing is for edges
	// that flicker, not for masks that do not fit.
	SmoothFrom float64 `yaml:"smooth_from"`
	SmoothFull float64 `yaml:"smooth_full"`
	// CorrectBelow is the overlap below which masks that were propagated forward are
	// corrected by the next key frame.
	CorrectBelow float64 `yaml:"correct_below"`
	// MinConfidence is the mean confidence below which a mask that was propagated backward
	// is taken to be hidden.
	MinConfidence float64 `yaml:"min_confidence"`
	// MinArea is the area, as a share of the frame's, below which a mask is emptied: about
	// a third of a patch's side. Such masks are what motion leaves at the edge of a frame.
	MinArea float64 `yaml:"min_area"`
	// VisibleShare is the share of an object's brightness pattern in a frame above which it
	// is visible there. The two images that are compared must differ by VisibleDifference,
	// and VisibleResidual is the share of their difference that may be left unexplained.
	VisibleShare      float64 `yaml:"visible_share"`
	VisibleDifference float64 `yaml:"visible_difference"`
	VisibleResidual   float64 `yaml:"visible_residual"`

	// Instances.

	// MaxAge is how long a hidden instance keeps its number.
	MaxAge time.Duration `yaml:"max_age"`
	// MinSimilarity is the score above which a hidden instance is re-identified: the overlap
	// of colour histograms, less DistancePenalty times the distance in sides of the frame.
	MinSimilarity   float64 `yaml:"min_similarity"`
	DistancePenalty float64 `yaml:"distance_penalty"`
	// MinRegionShare is the area, as a share of the query's mask, below which a region is
	// no instance: a piece of an outline, or of what something thin cuts off.
	// MinRegionPixels is the same in pixels.
	MinRegionShare  float64 `yaml:"min_region_share"`
	MinRegionPixels int     `yaml:"min_region_pixels"`
	// SplitAfter is how long two parts of an instance may be apart before they become two
	// instances. Objects in front of an instance seldom cut it in two for that long.
	SplitAfter time.Duration `yaml:"split_after"`
	// HiddenShare is the share of its area below which an instance in a group counts as
	// hidden, so that its pixels no longer tell which one it is.
	HiddenShare float64 `yaml:"hidden_share"`
	// SpeedRate is the weight of a new value in the mean speed of an instance, and
	// MaxSpeedGap the longest time between two frames from which a speed is taken.
	SpeedRate   float64       `yaml:"speed_rate"`
	MaxSpeedGap time.Duration `yaml:"max_speed_gap"`
	// AppearanceWeight is the distance, in lengths of the instance, that counts as much as
	// colours that have nothing in common.
	AppearanceWeight float64 `yaml:"appearance_weight"`
	// MaxGroup bounds the instances of a group that are matched at once, since n instances
	// can be matched in n! ways.
	MaxGroup int `yaml:"max_group"`
}

// DefaultParams returns the default parameters.
func DefaultParams() Params {
	return Params{
		Gap: time.Second, CutHistogram: .45, CutResidual: .35, CutResidualLevel: 5, BlankContrast: 4,
		AbruptRatio: 2, AbruptMargin: .006, ChangeRate: .1, FadeInGain: 1.04,

		FirstSpacing: 2, SpacingGrowth: 1.5, SpacingGrowIoU: .88, SpacingShrinkIoU: .78, SpacingShrinkRoughIoU: .4,
		MissAfter: 2, OccludedAfter: 2, OccludedShare: .5, ShrunkShare: .75,

		FullProbe: 250 * time.Millisecond, SimilarityGain: 1.5, SimilarityWindow: 8, ReuseIoU: .7, PresenceFall: .5,

		CertainPresence: .5, MissLimit: 2, MissLimitMoved: 4, PropagatedIoU: .5, AbsentShare: .25,
		OccupiedShare: .85, ConfirmTime: time.Second,

		TemplateMatch: .8, TemplateMismatch: .4, TemplateStrength: .65, TemplateContrast: 2,
		RetainTime: 2 * time.Second, RetainArea: .5,

		SmoothFrom: .6, SmoothFull: .95, CorrectBelow: .93, MinConfidence: .5, MinArea: 1. / 4000,
		VisibleShare: .5, VisibleDifference: 6, VisibleResidual: .15,

		MaxAge: 2 * time.Second, MinSimilarity: .5, DistancePenalty: .2, MinRegionShare: .05, MinRegionPixels: 12, SplitAfter: time.Second,
		HiddenShare: .25, SpeedRate: .3, MaxSpeedGap: time.Second, AppearanceWeight: 4, MaxGroup: 5,
	}
}

// ReadParams returns the default parameters, changed by values, which has parameters by
// name as in [car.Preset].Tracking. An unknown name, a value of another kind and a value
// out of range are errors.
func ReadParams(values map[string]any) (Params, error) {
	p := DefaultParams()
	fields := make(map[string]reflect.Value)
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		fields[v.Type().Field(i).Tag.Get("yaml")] = v.Field(i)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, ok := fields[name]
		if !ok {
			if near, ok := spelling.Nearest(name, slices.Sorted(maps.Keys(fields))); ok {
				return p, fmt.Errorf("there is no tracking parameter %q; the nearest is %s", name, near)
			}
			return p, fmt.Errorf("there is no tracking parameter %q", name)
		}
		if kind := setParam(f, values[name]); kind != "" {
			return p, fmt.Errorf("tracking parameter %s is %v; it is %s", name, values[name], kind)
		}
	}
	return p, p.Check()
}

// setParam sets a parameter to a value that was read from YAML or JSON. If the value is of
// the wrong kind, setParam returns the right kind.
func setParam(f reflect.Value, value any) (kind string) {
	v := reflect.ValueOf(value)
	if f.Type() == reflect.TypeFor[time.Duration]() {
		text, ok := value.(string)
		d, err := time.ParseDuration(text)
		if !ok || err != nil {
			return "a time such as 1.5s or 250ms"
		}
		f.SetInt(int64(d))
		return ""
	}
	number := 0.
	switch {
	case !v.IsValid():
		return "a number"
	case v.CanFloat():
		number = v.Float()
	case v.CanInt():
		number = float64(v.Int())
	case v.CanUint():
		number = float64(v.Uint())
	default:
		return "a number"
	}
	if f.CanFloat() {
		f.SetFloat(number)
		return ""
	}
	if number != math.Trunc(number) || math.Abs(number) > 1e6 {
		return "a whole number"
	}
	f.SetInt(int64(number))
	return ""
}

// Map returns all parameters by name, as ReadParams takes them.
func (p *Params) Map() map[string]any {
	v := reflect.ValueOf(p).Elem()
	m := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		value := v.Field(i).Interface()
		if d, ok := value.(time.Duration); ok {
			value = d.String()
		}
		m[v.Type().Field(i).Tag.Get("yaml")] = value
	}
	return m
}

// Check returns an error if a parameter is out of range: none may be negative, shares and
// IoUs are at most 1, and some have limits of their own.
func (p *Params) Check() error {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		switch {
		case f.CanFloat() && !(f.Float() >= 0 && f.Float() < 1e6), f.CanInt() && f.Int() < 0:
			return fmt.Errorf("tracking parameter %s is %v; it is a number from 0 on", name, f.Interface())
		case f.CanFloat() && f.Float() > 1 && (strings.HasSuffix(name, "_share") || strings.HasSuffix(name, "_iou")):
			return fmt.Errorf("tracking parameter %s is %v; it is from 0 to 1", name, f.Interface())
		}
	}
	switch {
	case p.SpacingGrowth < 1:
		return fmt.Errorf("tracking parameter spacing_growth is %g; it is 1 or more", p.SpacingGrowth)
	case p.FirstSpacing < 1:
		return fmt.Errorf("tracking parameter first_spacing is %g; it is 1 or more", p.FirstSpacing)
	case p.SimilarityWindow < 1:
		return fmt.Errorf("tracking parameter similarity_window is %d; it is 1 or more", p.SimilarityWindow)
	case p.SmoothFull <= p.SmoothFrom:
		return fmt.Errorf("tracking parameter smooth_full is %g; it is above smooth_from, which is %g", p.SmoothFull, p.SmoothFrom)
	case p.MaxGroup > 8:
		return fmt.Errorf("tracking parameter max_group is %d; it is at most 8", p.MaxGroup)
	}
	return nil
}

var defaultParams = DefaultParams()

// orDefault returns the parameters, or the default ones for nil.
func (p *Params) orDefault() *Params {
	if p == nil {
		return &defaultParams
	}
	return p
}
