package tracking

import (
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
)

// TestSetQueries: a query that stays keeps its mask, its instances' IDs and its judgement,
// also at another index. One that is new is found at once; one that is removed is gone.
func TestSetQueries(t *testing.T) {
	if testing.Short() {
		t.Skip("has no goroutine that TestThreads has not")
	}
	for _, every := range []int{0, 6} {
		unchanged := countJudged(t, every, 16, 32) // how often without any change
		s, _ := newSession(t, 4, func(s *Session) {
			s.Tracker.Queries = s.Tracker.Queries[:2]
			s.Tracker.Every, s.Propagator.Lookahead, s.Propagator.InstanceTracker = every, 4, new(InstanceTracker)
			// The first query is not judged again because its last judgement is old.
			s.Tracker.JudgeEvery = Interval{Time: time.Hour}
		})
		var numbering car.Numbering
		if _, err := numbering.Number(s.Tracker.Queries); err != nil {
			t.Fatal(err)
		}
		set := func(names ...string) {
			t.Helper()
			var queries []car.Query
			for _, n := range names {
				queries = append(queries, car.Named(n))
			}
			all, err := numbering.Number(queries)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(all) // so that the indices change
			bank, err := s.Tracker.Segmenter.EmbedQueries(t.Context(), all)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Tracker.SetQueries(bank); err != nil {
				t.Fatal(err)
			}
		}
		const n = 48
		a, c := func(i int) square { return square{0, 4 + i/4, 8, 14} }, square{2, 44, 26, 14}
		found := make([][]string, n)
		keys := make([]bool, n)
		take := func(steps []*Step) {
			for _, step := range steps {
				i := int(step.Frame)
				keys[i] = step.Key
				for _, f := range step.Result.Found {
					if f.Area > 0 {
						found[i] = append(found[i], f.Label)
					}
					if q := step.Bank.Queries()[f.Query]; q.Label != f.Label {
						t.Errorf("frame %d: %s is query %d, which is %s", i, f.Label, f.Query, q.Label)
					}
				}
				if f := step.Result.Lookup(slices.IndexFunc(step.Bank.Queries(), func(q car.Query) bool { return q.ID == 1 })); f != nil {
					if got := maskIoU(f.Mask, a(i)); got < .75 {
						t.Errorf("every %d, frame %d: the IoU of the mask is %.2f", every, i, got)
					}
				}
				for _, in := range step.Instances {
					if in.ID != 1 {
						t.Errorf("frame %d: an instance has the ID %d", i, in.ID)
					}
				}
				step.Close()
			}
		}
		judged := 0 // how often the query that stays is judged, meanwhile
		s.Tracker.Explain = func(x *Explanation) {
			for _, q := range x.Queries {
				if q.Label == "concept0" && q.Verdict == "judged" && x.Frame >= 16 && x.Frame < 32 {
					judged++
				}
			}
		}
		for i := range n {
			switch i {
			case 16:
				set("concept0", "concept1", "concept2") // one is added
			case 24:
				set("concept2", "concept0") // an absent one is removed
			case 32:
				set("concept2") // a present one is removed
			case 40:
				set("concept0", "concept2") // and added again
			}
			steps, err := s.Next(t.Context(), paint(a(i), c), time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			take(steps)
		}
		take(s.Flush())
		for i, got := range found {
			slices.Sort(got)
			want := []string{"concept0"}
			switch {
			case i >= 40, i >= 16 && i < 32:
				want = []string{"concept0", "concept2"}
			case i >= 32:
				want = []string{"concept2"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("every %d: frame %d shows %v, want %v", every, i, got, want)
			}
		}
		if judged > unchanged+1 { // in one more key frame
			t.Errorf("every %d: the query that stays was judged %d times, and %d times without any change", every, judged, unchanged)
		}
		if !keys[16] || !keys[40] {
			t.Error("a new query is not evaluated at once")
		}
	}
}

// countJudged is how often the first query is judged between two frames of the video of
// [TestSetQueries] when the queries don't change.
func countJudged(t *testing.T, every int, from, to int64) (judged int) {
	s, _ := newSession(t, 4, func(s *Session) {
		s.Tracker.Queries, s.Tracker.Every, s.Propagator.Lookahead = s.Tracker.Queries[:3], every, 4
		s.Tracker.JudgeEvery = Interval{Time: time.Hour}
		s.Tracker.Explain = func(x *Explanation) {
			if x.Queries[0].Verdict == "judged" && x.Frame >= from && x.Frame < to {
				judged++
			}
		}
	})
	play(t, s, makeFrames(int(to), func(i int) *car.Image { return paint(square{0, 4 + i/4, 8, 14}, square{2, 44, 26, 14}) }))
	return judged
}

// maskIoU is the IoU of a mask with a square.
func maskIoU(mask []uint8, s square) float64 {
	both, either := 0, 0
	for i, m := range mask {
		in := s.contains(i%frameW, i/frameW)
		if in && m != 0 {
			both++
		}
		if in || m != 0 {
			either++
		}
	}
	return float64(both) / float64(either)
}

// TestChangedMeaning: a query whose meaning changes is judged anew.
func TestChangedMeaning(t *testing.T) {
	s, _ := newSession(t, 3, func(s *Session) { s.Tracker.Queries = s.Tracker.Queries[:1] })
	img := paint(square{0, 10, 10, 16})
	labelsAfter := func(from, to int) (found []string) {
		for i := from; i < to; i++ {
			steps, err := s.Next(t.Context(), img, time.Duration(i)*40*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			found = nil
			for _, step := range steps {
				for _, f := range step.Result.Found {
					found = append(found, f.Label)
				}
				step.Close()
			}
		}
		return found
	}
	if got := labelsAfter(0, 6); !slices.Equal(got, []string{"concept0"}) {
		t.Fatalf("at first the frame shows %v", got)
	}
	threshold := float32(1)
	for i, c := range []struct {
		query car.Query
		want  []string
	}{
		{car.Query{ID: 1, Label: "another name", Phrases: []string{"concept0"}}, []string{"another name"}},
		{car.Query{ID: 1, Label: "another thing", Phrases: []string{"concept1"}}, nil},
		{car.Query{ID: 1, Label: "as before", Phrases: []string{"concept0"}}, []string{"as before"}},
		{car.Query{ID: 1, Label: "never", Phrases: []string{"concept0"}, Presence: &threshold}, nil},
	} {
		bank, err := s.Tracker.Segmenter.EmbedQueries(t.Context(), []car.Query{c.query})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tracker.SetQueries(bank); err != nil {
			t.Fatal(err)
		}
		if got := labelsAfter(6+14*i, 6+14*(i+1)); !slices.Equal(got, c.want) {
			t.Errorf("as %q the frame shows %v, want %v", c.query.Label, got, c.want)
		}
	}
	bank, err := s.Tracker.Segmenter.EmbedQueries(t.Context(), []car.Query{{ID: 1, Label: "a", Phrases: []string{"a"}}, {Label: "b", Phrases: []string{"b"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tracker.SetQueries(bank); err == nil {
		t.Error("a query without an ID is taken")
	}
}

// TestRetainedEndsWithShot: a query that was retained at the last key frame of a shot gets a
// mask of its own in the next shot.
func TestRetainedEndsWithShot(t *testing.T) {
	s, _ := newSession(t, 1, nil)
	tr := &s.Tracker
	tr.observed[0] = observation{mask: []byte{1}, template: []byte{1}, matches: true, retained: true, iou: 1}
	tr.forget(0)
	if o := tr.observed[0]; o.retained || o.matches || o.iou != 0 || len(o.mask)+len(o.template) != 0 {
		t.Errorf("a query that is forgotten is still observed: %+v", o)
	}
}
