package car

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// presencePreset is worldPreset with presences and without KeepBest.
func presencePreset() Preset {
	p := worldPreset()
	p.Quirks = Quirks{}
	p.Presence, p.Contrast = 0.5, [][]string{{"cat"}, {"dog"}, {"pig"}, {"cow"}}
	return p
}

// TestPresence: a single query can be absent, and its presence does not depend on the
// other queries.
func TestPresence(t *testing.T) {
	alone := make(map[string]float32)
	for _, name := range []string{"dog", "cat", "cow", "pig"} {
		wd := newWorld()
		res := wd.segment(t, presencePreset(), Named(name))
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
		if wd.judged != 1 {
			t.Errorf("%s: %d images were judged, want one", name, wd.judged)
		}
		alone[name] = v.Presence
	}
	wd := newWorld()
	res := wd.segment(t, presencePreset(), named("pig", "dog", "cow", "cat")...)
	for _, v := range res.Verdicts {
		if d := math.Abs(float64(v.Presence - alone[v.Label])); d > 0.02 {
			t.Errorf("%s: presence %g among others, %g alone", v.Label, v.Presence, alone[v.Label])
		}
	}
	if !slices.Equal(foundIn(res), []string{"dog", "cat"}) {
		t.Errorf("found %v", foundIn(res))
	}
	// Presence needs no further images to be judged.
	plain := presencePreset()
	plain.Presence = 0
	other := newWorld()
	other.segment(t, plain, named("pig", "dog", "cow", "cat")...)
	if wd.judged != other.judged {
		t.Errorf("%d images were judged with presence, %d without", wd.judged, other.judged)
	}
	if f := other.segment(t, plain, Named("cow")).Lookup(0); f == nil || f.Presence != 0 {
		t.Error("without presence a lone query stays, and has none")
	}
}

// TestPresenceOnce: a query that is the only one left after the first stage was judged
// there, and a query that is never dropped is not judged.
func TestPresenceOnce(t *testing.T) {
	wd := newWorld()
	res := wd.segment(t, presencePreset(), named("dog", "cow")...)
	if wd.judged != 2 || len(res.Found) != 1 || res.Found[0].Presence < 0.9 {
		t.Errorf("%d images were judged, found %+v", wd.judged, res.Verdicts)
	}
	wd = newWorld()
	cow := Named("cow")
	cow.Theta = ptr(0)
	res = wd.segment(t, presencePreset(), cow)
	if wd.judged != 0 || len(res.Found) != 1 {
		t.Errorf("a query that is never dropped: %d images were judged, found %v", wd.judged, foundIn(res))
	}
	// A threshold of the query's own.
	dog := Named("dog")
	dog.Presence = ptr(1)
	if res := newWorld().segment(t, presencePreset(), dog, Named("cat")); !slices.Equal(foundIn(res), []string{"cat"}) {
		t.Errorf("found %v, and the presence of a dog can be no more than 1", foundIn(res))
	}
	cow = Named("cow")
	cow.Presence = ptr(0)
	if res := newWorld().segment(t, presencePreset(), cow); len(res.Found) != 1 || res.Found[0].Presence <= 0 {
		t.Errorf("with a threshold of 0: %+v", res.Verdicts)
	}
}

// TestContrastWords: a query competes with all contrast and background words except
// those that it contains and those of the same row. Its own background words compete
// with it and with no other query.
func TestContrastWords(t *testing.T) {
	preset := presencePreset()
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
		for j, excluded := range bank.contrast.excluded[i] {
			if !excluded {
				got = append(got, words[j])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q competes with %q, want %q", queries[i].Label, got, want)
		}
	}
	if len(bank.contrast.texts) != len(words) {
		t.Errorf("%d words are encoded, want %d", len(bank.contrast.texts), len(words))
	}
}

// TestQueryIsBackgroundWord: a query that is a background word does not compete with
// itself, neither in its heat nor in its presence; in the released code it does.
func TestQueryIsBackgroundWord(t *testing.T) {
	preset := presencePreset()
	preset.Background = []string{"wall", "sky"}
	wd := newWorld()
	res := wd.segment(t, preset, Named("sky"))
	if f := res.Lookup(0); f == nil || iou(f.Mask, wd.truth("sky")) < 0.6 || f.Presence < 0.5 {
		t.Errorf("the sky is not found: %+v", res.Verdicts)
	}
	preset.Quirks.FightBackground = true
	if res := newWorld().segment(t, preset, Named("sky")); len(res.Found) != 0 {
		t.Errorf("competing with itself, the sky has presence %g", res.Found[0].Presence)
	}
}

// TestNotANumber: NaN is an error wherever it comes from, the error names the query,
// and all Features are closed.
func TestNotANumber(t *testing.T) {
	for _, where := range []string{"heat", "attention", "vector"} {
		for _, queries := range [][]Query{named("dog"), named("dog", "cat")} {
			wd := newWorld()
			wd.nan = where
			_, err := wd.segmenter(t, presencePreset()).Segment(context.Background(), wd.image(), queries)
			if err == nil || !strings.Contains(err.Error(), `"dog"`) || !strings.Contains(err.Error(), "not a number") {
				t.Errorf("%s, %d queries: error %v", where, len(queries), err)
			}
			if wd.encodes != wd.closes {
				t.Errorf("%s: %d Features were opened and %d closed", where, wd.encodes, wd.closes)
			}
		}
	}
}
