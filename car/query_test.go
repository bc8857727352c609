package car

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseQuery(t *testing.T) {
	for text, want := range map[string]Query{
		"dog":                       Named("dog"),
		" red frisbee ":             Named("red frisbee"),
		"pup=puppy|small dog":       {Label: "pup", Phrases: []string{"puppy", "small dog"}},
		"pup = puppy | small dog ":  {Label: "pup", Phrases: []string{"puppy", "small dog"}},
		"x=E=mc2":                   {Label: "x", Phrases: []string{"E=mc2"}},
		"person, man, human":        Named("person, man, human"),
		"собака":                    Named("собака"),
		"hund=a dog with a red hat": {Label: "hund", Phrases: []string{"a dog with a red hat"}},
	} {
		got, err := ParseQuery(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"":          "the name is empty",
		"  \t":      "the name is empty",
		"=dog":      "the name is empty",
		"dog=":      "a phrase is empty",
		"dog=a||b":  "a phrase is empty",
		"dog=|":     "a phrase is empty",
		"dog|puppy": "write LABEL=PHRASE|PHRASE",
	} {
		if q, err := ParseQuery(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v and error %v, want %q", text, q, err, want)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"dog", "a=b|c", "=", "|", "a=b=c", " x = y ", "\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseQuery(s)
		if err != nil {
			return
		}
		if err := q.check(); err != nil {
			t.Fatalf("%q is read as %+v: %v", s, q, err)
		}
		// A query that was read can be written and read again.
		again, err := ParseQuery(q.Label + "=" + strings.Join(q.Phrases, "|"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(q, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestCheckQueries(t *testing.T) {
	named := func(names ...string) (queries []Query) {
		for _, n := range names {
			queries = append(queries, Named(n))
		}
		return queries
	}
	if err := CheckQueries(named("dog", "cat", "hot dog")); err != nil {
		t.Error(err)
	}
	for want, queries := range map[string][]Query{
		"there is no query":      nil,
		`"dog" is given twice`:   named("dog", "cat", "dog"),
		"have the same phrases":  {Named("dog"), {Label: "hund", Phrases: []string{"Dog"}}},
		"the name is empty":      named("dog", ""),
		"there is no phrase":     {{Label: "dog"}},
		"not between 0 and 1":    {{Label: "dog", Phrases: []string{"dog"}, Theta: ptr(-1)}},
		"background word is emp": {{Label: "dog", Phrases: []string{"dog"}, Background: []string{""}}},
	} {
		if err := CheckQueries(queries); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
