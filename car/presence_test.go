package car

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// presentPreset is the world's with presences, and nothing that must be found.
func presentPreset() Preset {
	p := worldPreset()
	p.Quirks = Quirks{}
	p.Presence, p.Contrast = 0.5, [][]string{{"cat"}, {"dog"}, {"pig"}, {"cow"}}
	return p
}

// TestPresence: a thing asked for alone can be absent, and its presence is the
// same beside whatever else is asked for.
func TestPresence(t *testing.T) {
	alone := make(map[string]float32)
	for _, name := range []string{"dog", "cat", "cow", "pig"} {
		wd := newWorld()
		res := wd.segment(t, presentPreset(), Named(name))
		here := name == "dog" || name == "cat"
		v := res.Verdicts[0]
		if (len(res.Found) == 1) != here || v.Label != name || v.Score != 1 {
			t.Errorf("%s: found %v, verdict %+v", name, foundIn(res), v)
		}
		if want := map[bool]Reason{true: "", false: LowPresence}[here]; v.Reason != want {
			t.Errorf("%s: reason %q, want %q", name, v.Reason, want)
		}
		if here != (v.Presence > 0.9) && here != (v.Presence < 0.2) {
			t.Errorf("%s: presence %g", name, v.Presence)
		}
		if wd.encoded != 1 {
			t.Errorf("%s: %d images were judged, want one", name, wd.encoded)
		}
		alone[name] = v.Presence
	}
	wd := newWorld()
	res := wd.segment(t, presentPreset(), named("pig", "dog", "cow", "cat")...)
	for _, v := range res.Verdicts {
		if d := math.Abs(float64(v.Presence - alone[v.Label])); d > 0.02 {
			t.Errorf("%s: presence %g among others, %g alone", v.Label, v.Presence, alone[v.Label])
		}
	}
	if !slices.Equal(foundIn(res), []string{"dog", "cat"}) {
		t.Errorf("found %v", foundIn(res))
	}
	// Nothing is judged for it that would not be judged without it.
	plain := presentPreset()
	plain.Presence = 0
	other := newWorld()
	other.segment(t, plain, named("pig", "dog", "cow", "cat")...)
	if wd.encoded != other.encoded {
		t.Errorf("%d images were judged with presence, %d without", wd.encoded, other.encoded)
	}
	if f := other.segment(t, plain, Named("cow")).Lookup(0); f == nil || f.Presence != 0 {
		t.Error("without presence a lone query stays, and has none")
	}
}

// TestPresenceOnce: what is left alone by the first stage was judged there, and a
// query that is never dropped needs no judge.
func TestPresenceOnce(t *testing.T) {
	wd := newWorld()
	res := wd.segment(t, presentPreset(), named("dog", "cow")...)
	if wd.encoded != 2 || len(res.Found) != 1 || res.Found[0].Presence < 0.9 {
		t.Errorf("%d images were judged, found %+v", wd.encoded, res.Verdicts)
	}
	wd = newWorld()
	cow := Named("cow")
	cow.Theta = ptr(0)
	res = wd.segment(t, presentPreset(), cow)
	if wd.encoded != 0 || len(res.Found) != 1 {
		t.Errorf("a query that is never dropped: %d images were judged, found %v", wd.encoded, foundIn(res))
	}
	// A threshold of one's own.
	dog := Named("dog")
	dog.Presence = ptr(1)
	if res := newWorld().segment(t, presentPreset(), dog, Named("cat")); !slices.Equal(foundIn(res), []string{"cat"}) {
		t.Errorf("found %v, and the presence of a dog can be no more than 1", foundIn(res))
	}
	cow = Named("cow")
	cow.Presence = ptr(0)
	if res := newWorld().segment(t, presentPreset(), cow); len(res.Found) != 1 || res.Found[0].Presence <= 0 {
		t.Errorf("with a threshold of 0: %+v", res.Verdicts)
	}
}

// TestContrastWords: a query is held against everything but what it says itself
// and its kin, and against its own background words, which are nobody else's.
func TestContrastWords(t *testing.T) {
	preset := presentPreset()
	preset.Contrast = [][]string{{"dog", "puppy", "pet"}, {"cat", "kitten", "pet"}, {"cow"}}
	preset.Background = []string{"wall", "water"}
	queries := []Query{
		Named("small puppy"), Named("pet"), Named("water"),
		{Label: "brick wall", Phrases: []string{"brick wall"}, Background: []string{"wall", "sky"}},
		{Label: "puppy", Phrases: []string{"puppy"}, Background: []string{"dog"}},
	}
	s := newWorld().segmenter(t, preset)
	bank, err := s.EmbedQueries(context.Background(), queries)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"dog", "cat", "cow", "wall", "water", "wall", "sky", "dog"}
	words = slices.Compact(words[:5:5])
	words = append(words, "sky")
	for i, want := range [][]string{
		{"cat", "cow", "wall", "water"},
		{"cow", "wall", "water"},
		{"dog", "cat", "cow", "wall"},
		{"dog", "cat", "cow", "wall", "water", "sky"},
		{"dog", "cat", "cow", "wall", "water"},
	} {
		var got []string
		for j, spared := range bank.contrast.spared[i] {
			if !spared {
				got = append(got, words[j])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is held against %q, want %q", queries[i].Label, got, want)
		}
	}
	if len(bank.contrast.texts) != len(words) {
		t.Errorf("%d words are encoded, want %d", len(bank.contrast.texts), len(words))
	}
}

// TestWater: a query that is a background word does not fight itself, in the
// heat nor in its presence; in the released code it does.
func TestWater(t *testing.T) {
	preset := presentPreset()
	preset.Background = []string{"wall", "sky"}
	wd := newWorld()
	res := wd.segment(t, preset, Named("sky"))
	if f := res.Lookup(0); f == nil || iou(f.Mask, wd.truth("sky")) < 0.6 || f.Presence < 0.5 {
		t.Errorf("the sky is not found: %+v", res.Verdicts)
	}
	preset.Quirks.FightBackground = true
	if res := newWorld().segment(t, preset, Named("sky")); len(res.Found) != 0 {
		t.Errorf("fighting itself, the sky has presence %g", res.Found[0].Presence)
	}
}

// TestNotANumber: NaN is refused wherever it comes from, with the query's name,
// and nothing is left open.
func TestNotANumber(t *testing.T) {
	for _, where := range []string{"heat", "attention", "vector"} {
		for _, queries := range [][]Query{named("dog"), named("dog", "cat")} {
			wd := newWorld()
			wd.nan = where
			_, err := wd.segmenter(t, presentPreset()).Segment(context.Background(), wd.picture(), queries)
			if err == nil || !strings.Contains(err.Error(), `"dog"`) || !strings.Contains(err.Error(), "not a number") {
				t.Errorf("%s, %d queries: error %v", where, len(queries), err)
			}
			if wd.looks != wd.closes {
				t.Errorf("%s: %d views were opened and %d closed", where, wd.looks, wd.closes)
			}
		}
	}
}
