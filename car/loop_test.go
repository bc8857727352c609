package car

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSegment: things in the image are found where they are, others are dropped.
func TestSegment(t *testing.T) {
	wd := newWorld()
	res := wd.segment(t, worldPreset(), named("cow", "dog", "pig", "cat")...)
	if diff := cmp.Diff([]string{"dog", "cat"}, foundIn(res)); diff != "" {
		t.Fatal(diff)
	}
	for _, f := range res.Found {
		if v := iou(f.Mask, wd.truth(f.Label)); v < 0.8 {
			t.Errorf("IoU of %s is %.2f", f.Label, v)
		}
		for i, m := range f.Mask {
			if (res.Labels[i] == uint16(f.Query+1)) != (m == 1) {
				t.Fatalf("pixel %d: label %d, mask of %s %d", i, res.Labels[i], f.Label, m)
			}
			if p := f.Probability[i]; !(p >= 0 && p <= 1) || m == 1 && p < 1./3 {
				t.Fatalf("pixel %d: probability %g of %s, mask %d", i, p, f.Label, m)
			}
		}
	}
	// The second stage drops nothing, which ends the loop.
	want := []Stage{
		{Number: 1, Pass: "things", Evaluated: []int{0, 1, 2, 3}, Kept: []int{1, 3}},
		{Number: 2, Pass: "things", Evaluated: []int{1, 3}, Kept: []int{1, 3}},
	}
	for i := range res.Stages {
		if len(res.Stages[i].Scores) != len(res.Stages[i].Evaluated) {
			t.Errorf("stage %d has scores %v", i+1, res.Stages[i].Scores)
		}
		res.Stages[i].Scores, res.Stages[i].Presences = nil, nil
	}
	if diff := cmp.Diff(want, res.Stages); diff != "" {
		t.Error(diff)
	}
}

// TestSecondStage: if all names pass without the template, they are still proposed in
// it once more; the masks are those of the second stage.
func TestSecondStage(t *testing.T) {
	wd := newWorld()
	res := wd.segment(t, worldPreset(), named("dog", "cat")...)
	if len(res.Stages) != 2 || len(res.Stages[0].Kept) != 2 || len(wd.directions) != 2 {
		t.Errorf("stages %+v", res.Stages)
	}
}

// TestPromptThreshold: a mask is prompted if its heat sums to more than one pixel and
// any of it is above eta; otherwise the image stays unprompted (docs/algorithm.md 4.1).
func TestPromptThreshold(t *testing.T) {
	ctx := context.Background()
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	bank, err := s.EmbedQueries(ctx, named("dog", "cat"))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := s.EncodeImage(ctx, wd.image())
	if err != nil {
		t.Fatal(err)
	}
	defer encoded.Close()
	for _, c := range []struct {
		heat  float32
		n     int
		shown bool
	}{{1, 1, false}, {0.75, 2, true}, {0.5, 100, false}, {0, 100, false}, {0.25, 3, false}} {
		p := Proposal{Heat: make([]float32, wd.w*wd.h)}
		for i := range c.n {
			p.Heat[i] = c.heat
			p.sum += float64(c.heat)
		}
		tr := newTrace(&bank.passes[0], 1, []int{0})
		if _, err := s.encodePrompted(ctx, encoded, &bank.passes[0], []Proposal{p}, tr); err != nil {
			t.Fatal(err)
		}
		if tr.Prompted[0] != c.shown {
			t.Errorf("%d pixels of %g: prompted %v", c.n, c.heat, tr.Prompted[0])
		}
	}
}

// TestPhrasing: names are used without the template in the first stage and in it from
// the second on; background words are always in it (docs/algorithm.md section 2).
func TestPhrasing(t *testing.T) {
	wd := newWorld()
	wd.segment(t, worldPreset(), named("dog", "cat", "cow")...)
	for stage, directions := range wd.directions {
		for _, u := range directions {
			if bare := u[wd.bare()] != 0; bare != (stage == 0) {
				t.Errorf("call %d of CAM: part along bare names is %g", stage+1, u[wd.bare()])
			}
		}
	}
	if !slices.Contains(wd.proposerTexts, "a clean origami wall.") || slices.Contains(wd.proposerTexts, "wall") {
		t.Errorf("texts of the proposer: %q", wd.proposerTexts)
	}
}

// TestFilterIsStrict: a score equal to theta does not pass; if no query passes, the
// best stays.
func TestFilterIsStrict(t *testing.T) {
	queries := named("cat", "dog")
	preset := worldPreset()
	preset.Theta = 0
	first := newWorld().segment(t, preset, queries...).Stages[0].Scores
	low, best := 0, 1
	if first[0] > first[1] {
		low, best = 1, 0
	}
	if first[low] == first[best] {
		t.Fatalf("both score %g", first[0])
	}
	for _, c := range []struct {
		theta float32
		kept  []int
	}{
		{first[low] - 1e-4, []int{0, 1}},
		{first[low], []int{best}},
		{first[best], []int{best}}, // none passes
		{1, []int{best}},
	} {
		preset.Theta = c.theta
		res := newWorld().segment(t, preset, queries...)
		if diff := cmp.Diff(c.kept, res.Stages[0].Kept); diff != "" {
			t.Errorf("theta %g: %s", c.theta, diff)
		}
	}
	// Each query may have a theta of its own.
	preset.Theta = 1
	queries[low].Theta = ptr(0)
	if res := newWorld().segment(t, preset, queries...); !slices.Equal(res.Stages[0].Kept, []int{low}) {
		t.Errorf("kept %v, want the one that is never dropped", res.Stages[0].Kept)
	}
	// Without KeepBest the set may become empty.
	queries[low].Theta = nil
	preset.Quirks.KeepBest = false
	res := newWorld().segment(t, preset, queries...)
	if len(res.Found) != 0 || len(res.Stages) != 1 || slices.Max(res.Labels) != 0 || len(res.Labels) != res.W*res.H {
		t.Errorf("found %v in %d stages", foundIn(res), len(res.Stages))
	}
}

// TestFirstBest: of queries with equal scores the first stays.
func TestFirstBest(t *testing.T) {
	preset := worldPreset()
	preset.Theta = 1
	res := newWorld().segment(t, preset, named("cow", "pig")...)
	if s := res.Stages[0].Scores; s[0] != s[1] {
		t.Fatalf("scores of two absent things are %v", s)
	}
	if !slices.Equal(res.Stages[0].Kept, []int{0}) {
		t.Errorf("kept %v", res.Stages[0].Kept)
	}
}

// TestLoneQuery: a single query cannot be dropped, so it is not judged and there is no
// first stage.
func TestLoneQuery(t *testing.T) {
	wd := newWorld()
	res := wd.segment(t, worldPreset(), Named("dog"))
	if wd.judged != 0 || len(wd.directions) != 1 {
		t.Errorf("%d images were judged in %d stages", wd.judged, len(wd.directions))
	}
	if len(res.Found) != 1 || res.Found[0].Score != 1 || iou(res.Found[0].Mask, wd.truth("dog")) < 0.8 {
		t.Errorf("found %v", foundIn(res))
	}
	// The same in a set that shrinks to one.
	wd = newWorld()
	wd.segment(t, worldPreset(), named("dog", "cow")...)
	if want := 2; wd.judged != want || len(wd.directions) < 2 {
		t.Errorf("%d images were judged in %d stages, want %d in the first alone", wd.judged, len(wd.directions), want)
	}
}

// TestDuplicates: equal queries are found as the first of them.
func TestDuplicates(t *testing.T) {
	preset := worldPreset()
	preset.Theta = 0.3
	wd := newWorld()
	res := wd.segment(t, preset, named("dog", "cat", "dog")...)
	if diff := cmp.Diff([]string{"dog", "cat"}, foundIn(res)); diff != "" {
		t.Fatal(diff)
	}
	for _, f := range res.Found {
		if v := iou(f.Mask, wd.truth(f.Label)); v < 0.8 {
			t.Errorf("IoU of %s is %.2f", f.Label, v)
		}
	}
	if top := slices.Max(res.Labels); top != 2 {
		t.Errorf("labels go up to %d", top)
	}
}

// TestSynonyms: the phrases of a query have one mean vector.
func TestSynonyms(t *testing.T) {
	wd := newWorld()
	pet := Query{Label: "pet", Phrases: []string{"dog", "cat"}}
	preset := worldPreset()
	preset.Theta = 0
	res := wd.segment(t, preset, pet, Named("cow"))
	both := wd.truth("dog")
	for i, m := range wd.truth("cat") {
		both[i] |= m
	}
	if f := res.Lookup(0); f == nil || f.Label != "pet" || iou(f.Mask, both) < 0.8 {
		t.Errorf("found %v", foundIn(res))
	}
}

// TestEncodedOnce: no image is encoded once per template or again in a later stage,
// and equal images are encoded once.
func TestEncodedOnce(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	stages, shown := 0, 0
	s.Trace = func(tr *Trace) {
		stages++
		for _, p := range tr.Inputs {
			if p.Input != nil {
				shown++
			}
		}
	}
	// Neither cow nor pig has any heat: both leave the image unprompted. Dog and
	// "small dog" have the same mask.
	if _, err := s.Segment(context.Background(), wd.image(), named("cow", "dog", "pig", "small dog")); err != nil {
		t.Fatal(err)
	}
	if wd.judged != 2 || shown != 2 || stages < 2 {
		t.Errorf("%d images encoded, %d prompted in %d stages; want 2", wd.judged, shown, stages)
	}
}

// TestBackgroundWords: a query competes with its own background words and with those
// of the preset that it does not contain.
func TestBackgroundWords(t *testing.T) {
	queries := []Query{
		Named("brick wall"),
		{Label: "dog", Phrases: []string{"dog"}, Background: []string{"cat", "wall", "cat"}},
		Named("wallpaper"),
	}
	for _, fight := range []bool{false, true} {
		wd := newWorld()
		preset := worldPreset()
		preset.Background = []string{"Wall", "sky"}
		preset.Quirks.FightBackground = fight
		s := wd.segmenter(t, preset)
		var rows []int
		s.Trace = func(tr *Trace) {
			if tr.Stage == 1 {
				for _, p := range tr.Probabilities {
					rows = append(rows, len(p))
				}
			}
		}
		if _, err := s.Segment(context.Background(), wd.image(), queries); err != nil {
			t.Fatal(err)
		}
		want := []int{5, 7, 5}
		if !fight {
			want[0]--
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("fight %v: texts in competition: %s", fight, diff)
		}
	}
	// The words have an effect: with the cat as background of the dog, heat on the
	// cat's patches is suppressed.
	wd := newWorld()
	preset := worldPreset()
	preset.Background = nil
	res := wd.segment(t, preset, Query{Label: "pet", Phrases: []string{"dog", "cat"}, Background: []string{"cat"}})
	if f := res.Lookup(0); f == nil || iou(f.Mask, wd.truth("dog")) < 0.8 {
		t.Error("the background word changes nothing")
	}
}

// TestNoHeat: if a stage has no heat at all, the masks of the stage before are used,
// also if that stage was skipped.
func TestNoHeat(t *testing.T) {
	for _, queries := range [][]Query{named("dog", "cow"), named("cow", "dog"), named("dog")} {
		wd := newWorld()
		wd.blind = map[string]int{"dog": 2}
		res := wd.segment(t, worldPreset(), queries...)
		if len(res.Found) != 1 || iou(res.Found[0].Mask, wd.truth("dog")) < 0.8 {
			t.Errorf("%d queries: the heat of the bare name is lost", len(queries))
		}
	}
	// Without heat in any stage, the query is found with an empty mask.
	wd := newWorld()
	wd.blind = map[string]int{"dog": 3}
	if f := wd.segment(t, worldPreset(), Named("dog")).Lookup(0); f == nil || f.Area != 0 || f.Score != 1 {
		t.Errorf("found %+v", f)
	}
}

// TestStuff: stuff has its own pass with the things as background, and things
// overwrite it.
func TestStuff(t *testing.T) {
	wd := newWorld()
	wd.things[0].y0 = 0 // the dog reaches into the sky
	preset := worldPreset()
	preset.Stuff, preset.StuffPrompts = []string{"sky"}, [][]Prompt{{Black}}
	res := wd.segment(t, preset, named("dog", "sky", "cow")...)
	if diff := cmp.Diff([]string{"dog", "sky"}, foundIn(res)); diff != "" {
		t.Fatal(diff)
	}
	if last := res.Stages[len(res.Stages)-1]; last.Pass != "stuff" || last.Scores[0] != 1 {
		t.Errorf("the last stage is %+v", last)
	}
	for i, m := range res.Lookup(0).Mask {
		if m == 1 && res.Labels[i] != 1 {
			t.Fatalf("pixel %d of the dog is labelled %d", i, res.Labels[i])
		}
	}
	if v := iou(res.Lookup(1).Mask, wd.truth("sky")); v < 0.6 {
		t.Errorf("IoU of the sky is %.2f", v)
	}
	// The masks of the things do not change in later stages of the stuff.
	preset.Stuff = []string{"sky", "wall", "pig"}
	again := newWorld()
	again.things[0].y0 = 0
	more := again.segment(t, preset, named("dog", "sky", "cow", "wall", "pig")...)
	if diff := cmp.Diff([]string{"dog", "sky", "wall"}, foundIn(more)); diff != "" {
		t.Fatal(diff)
	}
	if !slices.Equal(more.Lookup(0).Mask, res.Lookup(0).Mask) {
		t.Error("another stuff query changes the things")
	}
	// Stuff alone competes with the background words.
	wd = newWorld()
	res = wd.segment(t, preset, named("sky")...)
	if f := res.Lookup(0); f == nil || iou(f.Mask, wd.truth("sky")) < 0.6 {
		t.Error("stuff alone is not found")
	}
}

// TestRefer: sentences may mean the same thing and do not compete for pixels.
func TestRefer(t *testing.T) {
	preset := worldPreset()
	preset.Mode, preset.JudgeTemplates, preset.Theta = Refer, nil, 0.1
	wd := newWorld()
	s := wd.segmenter(t, preset)
	s.Trace = func(tr *Trace) {
		for _, p := range tr.Probabilities {
			if want := 1 + len(preset.Background); len(p) != want {
				t.Errorf("a sentence is proposed among %d texts, want itself and the background: %d", len(p), want)
			}
		}
	}
	res, err := s.Segment(context.Background(), wd.image(), named("the red dog", "a dog on the left"))
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Found) != 2 {
		t.Fatalf("found %q", foundIn(res))
	}
	truth := wd.truth("dog")
	for _, f := range res.Found {
		if v := iou(f.Mask, truth); v < 0.8 {
			t.Errorf("IoU of %q is %.2f", f.Label, v)
		}
	}
	if v := iou(res.Merge(res.W, res.H), truth); v < 0.8 {
		t.Errorf("IoU of the merged mask is %.2f", v)
	}
}

// TestCancel: a cancelled context ends the loop between and within stages with its
// error, and all Features are closed.
func TestCancel(t *testing.T) {
	for when := range 4 {
		ctx, cancel := context.WithCancel(context.Background())
		wd := newWorld()
		s := wd.segmenter(t, worldPreset())
		switch when {
		case 0:
			cancel()
		case 1:
			s.Trace = func(*Trace) { cancel() }
		case 2:
			wd.onEncode = func() error { cancel(); return nil }
		case 3:
			wd.onEncode = func() error { return errWorld }
		}
		_, err := s.Segment(ctx, wd.image(), named("dog", "cat", "cow"))
		want := context.Canceled
		if when == 3 {
			want = errWorld
		}
		if !errors.Is(err, want) {
			t.Errorf("case %d: error %v, want %v", when, err, want)
		}
		if wd.encodes != wd.closes {
			t.Errorf("case %d: %d Features were opened and %d closed", when, wd.encodes, wd.closes)
		}
		cancel()
	}
}

func TestSegmentErrors(t *testing.T) {
	wd := newWorld()
	ctx := context.Background()
	s := wd.segmenter(t, worldPreset())
	for want, run := range map[string]func() error{
		"there is no query": func() error { _, err := s.Segment(ctx, wd.image(), nil); return err },
		`query "": the name is empty`: func() error {
			_, err := s.Segment(ctx, wd.image(), []Query{{}})
			return err
		},
		"image of 0x0": func() error { _, err := s.Segment(ctx, &Image{}, named("dog")); return err },
		"image of 9x9": func() error { _, err := s.Segment(ctx, &Image{W: 9, H: 9}, named("dog")); return err },
		"one that judges": func() error {
			_, err := New(worldProposer{wd}, nil, worldPreset())
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestShapes: images of any size and shape are segmented.
func TestShapes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 90}, {90, 1}, {7, 9}, {200, 3}, {65, 63}} {
		wd := newWorld()
		for _, set := range [][]Prompt{{Circle, Blur}, {Contour, Rectangle, Gray}} {
			for _, features := range []JudgeView{CenterCrop, Whole, Window} {
				preset := worldPreset()
				preset.Prompts, preset.View = [][]Prompt{set, {Black}}, features
				img := NewImage(size[0], size[1])
				for i := range img.Pix {
					img.Pix[i] = uint8(250 * (i / 3 % 2))
				}
				res, err := wd.segmenter(t, preset).Segment(context.Background(), img, named("dog", "cat", "wall"))
				if err != nil {
					t.Fatalf("%v: %v", size, err)
				}
				if res.W != size[0] || res.H != size[1] || len(res.Labels) != size[0]*size[1] {
					t.Errorf("%v: result of %dx%d", size, res.W, res.H)
				}
			}
		}
	}
}
