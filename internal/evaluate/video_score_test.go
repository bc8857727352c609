package evaluate

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carve-video/carve/internal/score"
)

// sameFigures treats two values that are not numbers as equal.
var sameFigures = cmp.Comparer(func(a, b Figure) bool {
	return math.IsNaN(float64(a)) && math.IsNaN(float64(b)) || math.Abs(float64(a-b)) < 1e-12
})

// twoVideos are results in which everything occurs once.
func twoVideos() []*SampleResult {
	stat := func(v float64) *score.Stat { return &score.Stat{Mean: v} }
	nan := Figure(math.NaN())
	return []*SampleResult{
		{ID: "a", Frames: 10, Film: &VideoResult{Seconds: 1, Evaluated: 30, Cuts: 1, AfterCut: 2, Concepts: []ConceptResult{
			{Concept: "dog", InTruth: true, J: stat(.5), F: stat(.7), Instability: .1, ExtraToggles: 2,
				Presence: score.Presence{Frames: 10, There: 8, Found: 7, Both: 6, Large: 4, LargeFound: 3, Reentries: 3, Missed: 1, Latency: []int{4, 1}}},
			{Concept: "car", InTruth: true, J: stat(.9), F: stat(.9), Instability: .3,
				Presence: score.Presence{Frames: 10, There: 10, Found: 10, Both: 10, Large: 6, LargeFound: 6}},
			{Concept: "pizza", Instability: nan, Presence: score.Presence{Frames: 10, Found: 1}},
			{Concept: "cake", Instability: nan, Presence: score.Presence{Frames: 10}},
		}}},
		{ID: "b", Frames: 30, Film: &VideoResult{Seconds: 1, Evaluated: 30, Concepts: []ConceptResult{
			{Concept: "bee", InTruth: true, J: stat(1), F: stat(1), Presence: score.Presence{Frames: 30, There: 30, Found: 30, Both: 30, Large: 30, LargeFound: 30, Reentries: 1, Latency: []int{0}}},
		}}},
	}
}

func TestFilmScores(t *testing.T) {
	nan := Figure(math.NaN())
	want := []VideoScore{
		{Clip: "a", J: .7, F: .8, JF: .75, Found: .9, False: .05, Away: .5, Absent: 2, Returns: 3, Missed: 1, Median: 2.5, Latest: 4,
			Instability: .2, ExtraToggles: 1, Cuts: 1, AfterCut: 2, Frames: 10, Evaluated: 3, Time: 100},
		{Clip: "b", J: 1, F: 1, JF: 1, Found: 1, False: nan, Away: nan, Returns: 1, Latest: 0, Frames: 30, Evaluated: 1, Time: 1000. / 30},
		// Means over videos; shares of all frames, concepts and returns together.
		{Clip: "all", J: .85, F: .9, JF: .875, Found: .975, False: .05, Away: .5, Absent: 2, Returns: 4, Missed: 1, Median: 1, Latest: 4,
			Instability: .1, ExtraToggles: .5, Cuts: 1, AfterCut: 2, Frames: 40, Evaluated: 1.5, Time: 50},
	}
	got := videoScores(twoVideos())
	if d := cmp.Diff(want, got, sameFigures, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Error(d)
	}
	var b bytes.Buffer
	if err := videoTable(got).Write(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 || len(strings.Fields(strings.Replace(lines[0], "after cut", "after", 1))) != len(strings.Fields(lines[1])) {
		t.Errorf("table:\n%s", b.String())
	}
}

// When results are read back from their file, null becomes not a number again.
func TestFilmResultFile(t *testing.T) {
	for _, s := range twoVideos() {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back := new(SampleResult)
		if err := json.Unmarshal(b, back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, back, sameFigures); d != "" {
			t.Errorf("%s: %s", s.ID, d)
		}
	}
}
