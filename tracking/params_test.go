package tracking

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// TestReadParams: a preset changes the parameters that it names, and all can be written and
// read again.
func TestReadParams(t *testing.T) {
	var values map[string]any
	if err := yaml.Unmarshal([]byte("{miss_limit: 3, retain_time: 1.5s, min_area: 0.001, cut_histogram: 1}"), &values); err != nil {
		t.Fatal(err)
	}
	got, err := ReadParams(values)
	want := DefaultParams()
	want.MissLimit, want.RetainTime, want.MinArea, want.CutHistogram = 3, 1500*time.Millisecond, .001, 1
	if err != nil || got != want {
		t.Errorf("read %+v (%v), want %+v", got, err, want)
	}
	if again, err := ReadParams(got.Map()); err != nil || again != got {
		t.Errorf("written and read again: %+v (%v), want %+v", again, err, got)
	}
	if p, err := ReadParams(nil); err != nil || p != DefaultParams() {
		t.Errorf("nothing is %+v (%v)", p, err)
	}
}

// TestParamsNames: every parameter has a name of its own, and a value that passes the check.
func TestParamsNames(t *testing.T) {
	p := DefaultParams()
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	if n := reflect.TypeOf(p).NumField(); len(p.Map()) != n {
		t.Errorf("%d parameters have %d names", n, len(p.Map()))
	}
}

// TestWrongParams: a parameter that is not there, of another kind, or out of its range is an
// error that names it.
func TestWrongParams(t *testing.T) {
	for text, want := range map[string]string{
		"{mis_limit: 3}":          `there is no tracking parameter "mis_limit"; the nearest is miss_limit`,
		"{miss_limit: often}":     "miss_limit is often; it is a number",
		"{miss_limit: -1}":        "miss_limit is -1",
		"{retain_time: -1s}":      "retain_time is -1s",
		"{retain_time: 3}":        "retain_time is 3; it is a time such as 1.5s or 250ms",
		"{occluded_share: 1.5}":   "occluded_share is 1.5; it is from 0 to 1",
		"{reuse_iou: .nan}":       "reuse_iou is NaN",
		"{min_area: .inf}":        "min_area is +Inf",
		"{spacing_growth: 0.5}":   "spacing_growth is 0.5",
		"{first_spacing: 0}":      "first_spacing is 0",
		"{similarity_window: 0}":  "similarity_window is 0",
		"{smooth_full: 0.5}":      "smooth_full is 0.5",
		"{max_group: 2.5}":        "max_group is 2.5; it is a whole number",
		"{max_group: 50}":         "max_group is 50",
		"{cut_histogram: [1, 2]}": "cut_histogram is [1 2]; it is a number",
		"{gap: {nested: {x: 1}}}": "gap is map[nested:map[x:1]]; it is a time",
	} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadParams(values); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
