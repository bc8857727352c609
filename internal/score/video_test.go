package score

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var nan = math.NaN()

func near(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12 }

func TestSummarise(t *testing.T) {
	row := func(n int) (v []float64) {
		for i := range n {
			v = append(v, float64(i)/float64(n))
		}
		return v
	}
	for _, c := range []struct {
		values []float64
		want   Stat
	}{
		{nil, Stat{nan, nan, nan}},
		{[]float64{.7}, Stat{.7, 1, 0}},
		{[]float64{1, 0}, Stat{.5, .5, 1}}, // 1, 1.25, 1.5, 1.75, 2 become 1, 1, 2, 2, 2
		{[]float64{1, .8, .6, .5, .1}, Stat{.6, .6, .6}},
		// 1, 3.25, 5.5, 7.75, 10 become 1, 3, 6, 8, 10: the first three minus the last
		// three.
		{row(10), Stat{.45, .4, .1 - .8}},
		// 300 frames, where 8 bits would wrap around: 1, 75.75, 150.5, 225.25, 300
		// become 1, 76, 151, 225, 300.
		{row(300), Stat{299. / 600, 149. / 300, 37.5/300 - 261.5/300}},
	} {
		got := Summarise(c.values)
		if !near(got.Mean, c.want.Mean) || !near(got.Recall, c.want.Recall) || !near(got.Decay, c.want.Decay) {
			t.Errorf("%d values: %+v, want %+v", len(c.values), got, c.want)
		}
	}
}

func TestRegions(t *testing.T) {
	o := tracked(t, "4 4 .4 4", "2 4 0 0")
	got := o.Regions(false)
	if want := 1.5 / 3; !near(got.J.Mean, want) || !near(got.J.Recall, 1./3) {
		t.Errorf("all: %+v, want a mean of %g", got, want)
	}
	if got := o.Regions(true).J.Mean; got != 1 {
		t.Errorf("without ends: %g, want 1", got)
	}
	if got := MeanRegions([]Regions{{J: Stat{Mean: 1}}, {J: Stat{Mean: nan}}, {J: Stat{Mean: .5}}}).J.Mean; got != .75 {
		t.Errorf("mean over objects: %g", got)
	}
	if r := (Regions{J: Stat{Mean: 1}, F: Stat{Mean: .5}}); r.JF() != .75 {
		t.Errorf("J&F: %g", r.JF())
	}
}

func TestPresence(t *testing.T) {
	for _, c := range []struct {
		name          string
		truth, result string
		want          Presence
	}{
		{"there and found", "9 9 9", "9 9 9", Presence{Frames: 3, There: 3, Found: 3, Both: 3}},
		{"found too often", "9 0 0", "9 9 0", Presence{Frames: 3, There: 1, Found: 2, Both: 1}},
		{"late by two", "9 0 9 9 9", "9 0 0 0 9", Presence{Frames: 5, There: 4, Found: 2, Both: 2, Reentries: 1, Latency: []int{2}}},
		{"at once", "9 0 9", "9 0 9", Presence{Frames: 3, There: 2, Found: 2, Both: 2, Reentries: 1, Latency: []int{0}}},
		{"never again", "9 0 9 9", "9 0 0 0", Presence{Frames: 4, There: 3, Found: 1, Both: 1, Reentries: 1, Missed: 1}},
		{"gone before it is found", "9 0 9 0", "9 0 0 9", Presence{Frames: 4, There: 2, Found: 2, Both: 1, Reentries: 1, Missed: 1}},
		{"the first time is no return", "0 0 9 9", "0 0 0 9", Presence{Frames: 4, There: 2, Found: 1, Both: 1}},
		{"ignored frames neither count nor end a stay", "9 .0 9 .9", "9 9 0 0", Presence{Frames: 2, There: 2, Found: 1, Both: 1}},
		{"ignored, then back", "9 0 .0 9", "9 0 0 9", Presence{Frames: 3, There: 2, Found: 2, Both: 2, Reentries: 1, Latency: []int{0}}},
		{"twice", "9 0 9 0 9", "9 0 9 0 9", Presence{Frames: 5, There: 3, Found: 3, Both: 3, Reentries: 2, Latency: []int{0, 0}}},
	} {
		got := tracked(t, c.truth, c.result).Presence(100)
		c.want.Large, c.want.LargeFound = c.want.There, c.want.Both // each covers 9 % of the image
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	// In a larger image 9 pixels are less than 1 %: the object is not expected before
	// it has 20 of 2000, and the frames before do not count as latency.
	got := tracked(t, "30 0 9 20 20", "30 0 0 0 9").Presence(2000)
	if got.Reentries != 1 || len(got.Latency) != 1 || got.Latency[0] != 1 {
		t.Errorf("creeping in: %+v", got)
	}
	if got := tracked(t, "30 0 9 9 9", "30 0 0 0 0").Presence(2000); got.Reentries != 0 || got.Missed != 0 {
		t.Errorf("too small to ask for: %+v", got)
	}
	p := Presence{Frames: 10, There: 4, Found: 5, Both: 3, Latency: []int{1, 4}}
	if p.Precision() != .6 || p.Recall() != .75 || !near(p.FalsePresent(), 2./6) || p.MeanLatency() != 2.5 {
		t.Errorf("%g %g %g %g", p.Precision(), p.Recall(), p.FalsePresent(), p.MeanLatency())
	}
	var none Presence
	for _, v := range []float64{none.Precision(), none.Recall(), none.FalsePresent(), none.MeanLatency()} {
		if !math.IsNaN(v) {
			t.Errorf("of nothing: %g", v)
		}
	}
	if sum := p.Add(Presence{Frames: 1, Missed: 2, Reentries: 2, Latency: []int{7}}); sum.Frames != 11 || sum.Missed != 2 || len(sum.Latency) != 3 {
		t.Errorf("sum: %+v", sum)
	}
}

// Large objects, and what remains after a cut.
func TestLargeAndAfter(t *testing.T) {
	// An image of 200 pixels: two are 1 %.
	o := tracked(t, "1 2 3 0 0 2 0", "1 2 0 4 4 4 4")
	p := o.Presence(200)
	if p.Large != 3 || p.LargeFound != 2 || !near(p.Seen(), 2./3) {
		t.Errorf("%+v", p)
	}
	if sum := p.Add(p); sum.Large != 6 || sum.LargeFound != 4 {
		t.Errorf("joined: %+v", sum)
	}
	if v := (Presence{}).Seen(); !math.IsNaN(v) {
		t.Errorf("of nothing %g is seen", v)
	}
	// At frame 3 a cut removes the object, and two frames still have it; after the cut
	// at frame 6 the last one has. At 5 it appears, at 2 it stays; 0 and 7 are not
	// cuts.
	for cut, want := range []int{0, 0, 0, 2, 0, 0, 1, 0} {
		if n := o.After(cut); n != want {
			t.Errorf("after a cut at %d: %d, want %d", cut, n, want)
		}
	}
}

func TestVoidPresence(t *testing.T) {
	truth := annotation.New(4, 1, 1, dog, func(int) (*annotation.Frame, error) {
		return &annotation.Frame{W: 4, H: 1, Masks: []*annotation.Mask{drawn("x...")}, Void: drawn("..xx")}, nil
	})
	result := annotation.New(4, 1, 1, dog, func(int) (*annotation.Frame, error) {
		return &annotation.Frame{W: 4, H: 1, Masks: []*annotation.Mask{drawn("..x.")}}, nil
	})
	o := follow(t, truth, result, Pair{dog[0], 0, 0})
	if o.Found[0] || o.Area[0] != 1 || o.J(0) != 0 || o.Union[0] != 1 {
		t.Errorf("%+v", o)
	}
}

func TestFlicker(t *testing.T) {
	// The areas are 10, 10, 20, 0, 10, the overlaps 1, .5, 0, 0.
	f := tracked(t, "10 10 10 10 10", "10 10 20 0 10").Flicker(100, 2)
	want := Flicker{Coverage: .8, Area: .1, Stability: .375, Worst: 0, Jitter: 1. / 3, Toggles: 2,
		Instability: .625, ExtraJitter: 1. / 3, ExtraToggles: 2, seconds: 2}
	if diff := cmp.Diff(want, f, cmp.AllowUnexported(Flicker{}), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Error(diff)
	}
	if f.PerMinute(2) != 60 {
		t.Errorf("toggles a minute: %g", f.PerMinute(2))
	}
	// The truth moves as well: only the excess over it counts.
	f = tracked(t, "10 20 0 10", "10 20 0 10").Flicker(100, 0)
	if f.Instability != 0 || f.ExtraJitter != 0 || f.ExtraToggles != 0 || f.Toggles != 2 || !math.IsNaN(f.PerMinute(2)) {
		t.Errorf("like the truth: %+v", f)
	}
	// The same when played backwards.
	if a, b := tracked(t, "0 0 0", "5 20 10").Flicker(100, 1), tracked(t, "0 0 0", "10 20 5").Flicker(100, 1); !near(a.Jitter, b.Jitter) || !near(a.Stability, b.Stability) {
		t.Errorf("forwards %+v, backwards %+v", a, b)
	}
	// An empty mask has no flicker, and no coverage.
	if f = tracked(t, "9 9", "0 0").Flicker(100, 1); f.Coverage != 0 || f.Stability != 1 || f.Toggles != 0 || !math.IsNaN(f.Jitter) {
		t.Errorf("empty: %+v", f)
	}
	// A single frame has no neighbour.
	if f = tracked(t, "9", "9").Flicker(100, 1); f.Coverage != 1 || !math.IsNaN(f.Stability) || !math.IsNaN(f.Worst) || !math.IsNaN(f.PerMinute(0)) {
		t.Errorf("one frame: %+v", f)
	}
}

func TestFlickerWithoutTruth(t *testing.T) {
	result := strip(dog, "10 10 20")
	pairs, err := Match(nil, result)
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := Follow(context.Background(), nil, result, pairs, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := tracks.Objects[0].Flicker(100, 25)
	if tracks.HasTruth || f.Stability != .75 || !math.IsNaN(f.Instability) || !math.IsNaN(f.ExtraJitter) || !math.IsNaN(f.ExtraToggles) {
		t.Errorf("%+v", f)
	}
}

func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, nan}, {[]float64{3}, 3}, {[]float64{1, 0}, .05}, {[]float64{4, 1, 3, 2, 5}, 1.2}} {
		if got := percentile(c.values, .05); !near(got, c.want) {
			t.Errorf("%v: %g, want %g", c.values, got, c.want)
		}
	}
}

func TestRefer(t *testing.T) {
	// The IoUs are .5, 1 and 0. The frame without the object is no sample, though
	// found.
	o := tracked(t, "10 20 0 5 .9", "20 20 7 0 0")
	got := Refer(o)
	want := Referring{Samples: 3, Overall: 30. / 45, Mean: .5, Precision: [5]float64{2. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Error(diff)
	}
	if r := Refer(); r.Samples != 0 || !math.IsNaN(r.Mean) || !math.IsNaN(r.Overall) || !math.IsNaN(r.Precision[0]) {
		t.Errorf("of nothing: %+v", r)
	}
}

func TestMatch(t *testing.T) {
	named := []annotation.Object{{ID: 1, Name: "dog"}, {ID: 2, Name: "cat"}, {Name: "rocket"}}
	other := []annotation.Object{{Name: "cat"}, {Name: "pig"}}
	numbers := []annotation.Object{{ID: 2}, {ID: 7}}
	for _, c := range []struct {
		name          string
		truth, result []annotation.Object
		want          []Pair
	}{
		{"by name", named, other, []Pair{{named[0], 0, -1}, {named[1], 1, 0}, {named[2], 2, -1}, {other[1], -1, 1}}},
		{"by number", named, numbers, []Pair{{named[0], 0, -1}, {named[1], 1, 0}, {named[2], 2, -1}, {numbers[1], -1, 1}}},
		{"nothing found", named[:1], nil, []Pair{{named[0], 0, -1}}},
		{"nothing there", nil, numbers[:1], []Pair{{numbers[0], -1, 0}}},
	} {
		got, err := Match(blank(c.truth, 2, 3), blank(c.result, 2, 3))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	var nothing *NothingInCommonError
	if _, err := Match(blank(named[:1], 2, 3), blank(other, 2, 3)); !errors.As(err, &nothing) || !nothing.ByName {
		t.Errorf("other names: %v", err)
	}
	if _, err := Match(blank(other, 2, 3), blank(numbers, 2, 3)); !errors.As(err, &nothing) || nothing.ByName {
		t.Errorf("names against numbers: %v", err)
	}
}

func TestMismatch(t *testing.T) {
	numbered := func(first, n int) *annotation.Sequence {
		s := blank(dog, 8, n)
		s.Numbered, s.First, s.Path = true, first, map[int]string{0: "one", 1: "two"}[first]
		return s
	}
	for _, c := range []struct {
		truth, result *annotation.Sequence
		want          string
	}{
		{blank(dog, 8, 3), blank(dog, 9, 3), "8x8, and of memory 9x9"},
		{numbered(0, 3), numbered(1, 3), "frame 00000 is missing in two, and one has it"},
		{numbered(1, 3), numbered(0, 3), "frame 00000 is missing in two, and one has it"},
		{numbered(0, 3), numbered(0, 5), "frame 00003 is missing in one: it has 3 frames, and one has 5"},
		{blank(dog, 8, 4), blank(dog, 8, 2), "frame 00002 is missing"},
	} {
		if _, err := Match(c.truth, c.result); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// blank is a sequence of empty square frames.
func blank(objects []annotation.Object, side, n int) *annotation.Sequence {
	return annotation.New(side, side, n, objects, func(int) (*annotation.Frame, error) {
		return &annotation.Frame{W: side, H: side, Masks: make([]*annotation.Mask, len(objects))}, nil
	})
}

// The number of goroutines changes neither figures nor errors.
func TestWorkers(t *testing.T) {
	objects := []annotation.Object{{ID: 1}, {ID: 2}}
	var truth, result [2]string
	for i := range 50 {
		truth[0] += string("0359"[i%4]) + " "
		truth[1] += string("99400"[i%5]) + " "
		result[0] += string("3059"[i%4]) + " "
		result[1] += string("194"[i%3]) + " "
	}
	a, b := strip(objects, truth[:]...), strip(objects, result[:]...)
	pairs, err := Match(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var first *Tracks
	var confusion *Confusion
	for _, workers := range []int{1, 2, 3, 16} {
		tracks, err := Follow(context.Background(), a, b, pairs, workers)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Confuse(context.Background(), a, b, pairs, workers)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, confusion = tracks, c
		}
		if diff := cmp.Diff(first, tracks, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
		if !reflect.DeepEqual(confusion, c) {
			t.Errorf("%d workers: another confusion", workers)
		}
		broken := annotation.New(10, 10, 50, objects, func(i int) (*annotation.Frame, error) {
			if i >= 21 {
				return nil, errors.New("frame " + string(rune('A'+i)))
			}
			return a.Frame(i)
		})
		if _, err := Follow(context.Background(), broken, b, pairs, workers); err == nil || err.Error() != "frame "+string(rune('A'+21)) {
			t.Errorf("%d workers: error %v", workers, err)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Follow(stopped, a, b, pairs, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Confuse(stopped, a, b, pairs, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
