package car

import (
	"slices"
	"testing"
)

// TestNumbering: a query keeps its ID.
func TestNumbering(t *testing.T) {
	var n Numbering
	ids := func(queries ...Query) []int {
		t.Helper()
		numbered, err := n.Number(queries)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int
		for _, q := range numbered {
			ids = append(ids, q.ID)
		}
		return ids
	}
	dog, cat, car := Named("dog"), Named("cat"), Named("car")
	puppy := Query{ID: 1, Label: "puppy", Phrases: []string{"puppy"}}
	for _, c := range []struct{ got, want []int }{
		{ids(dog, cat), []int{1, 2}},
		{ids(cat, car), []int{2, 3}},   // one dropped, one new
		{ids(car, dog), []int{3, 1}},   // one comes back
		{ids(puppy, cat), []int{1, 2}}, // one has another name
		{ids(dog, puppy), []int{4, 1}}, // and a new query has its old name
		{ids(puppy, dog), []int{1, 4}}, // in whatever order
		{ids(Query{ID: 9, Label: "sun"}, Named("moon")), []int{9, 10}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	for _, bad := range [][]Query{{{ID: 3, Label: "a"}, {ID: 3, Label: "b"}}, {{ID: -1, Label: "a"}}} {
		if _, err := n.Number(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestSameMeaning(t *testing.T) {
	half, third := float32(.5), float32(1./3)
	base := Query{Label: "dog", Phrases: []string{"dog", "puppy"}, Background: []string{"grass"}, Theta: &half}
	again := half
	same := Query{Label: "my dog", Phrases: []string{"Puppy", "dog"}, Background: []string{"grass"}, Theta: &again, Colour: "red"}
	if !base.SameMeaning(&same) {
		t.Error("a label and a colour change the meaning")
	}
	for i, change := range []func(*Query){
		func(q *Query) { q.Phrases = []string{"dog"} },
		func(q *Query) { q.Background = nil },
		func(q *Query) { q.Theta = &third },
		func(q *Query) { q.Theta = nil },
		func(q *Query) { q.Presence = &third },
	} {
		other := base
		if change(&other); base.SameMeaning(&other) {
			t.Errorf("change %d does not change the meaning", i)
		}
	}
}
