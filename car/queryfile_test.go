package car

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr(v float32) *float32 { return &v }

func TestReadQueries(t *testing.T) {
	dog := Query{Label: "dog", Phrases: []string{"dog"}}
	pup := Query{Label: "pup", Phrases: []string{"puppy", "small dog"}}
	for _, c := range []struct {
		title, name, text string
		want              []Query
	}{
		{"lines", "q.txt", "# animals\n\ndog\n  pup = puppy | small dog # young\r\n", []Query{dog, pup}},
		{"a hash inside a word", "q.txt", "C#\n", []Query{Named("C#")}},
		{"no newline at the end", "q", "dog", []Query{dog}},
		{"a list", "q.yaml", "- dog\n- pup=puppy|small dog\n", []Query{dog, pup}},
		{"under a key", "q.yml", "queries:\n  - dog\n  - label: pup\n    phrases: [puppy, small dog]\n", []Query{dog, pup}},
		{"a label alone", "q.yaml", "- label: dog\n", []Query{dog}},
		{"in JSON's dress", "q.yaml", `["dog", {"label": "pup", "phrases": ["puppy", "small dog"]}]`, []Query{dog, pup}},
		{"a number and a quoted truth", "q.yaml", "- 7\n- \"yes\"\n", []Query{Named("7"), Named("yes")}},
		{"numbers as they are written", "q.yaml", "- 007\n- 1.50\n", []Query{Named("007"), Named("1.50")}},
		{"numbers in mappings", "q.yaml", "- {label: 007, phrases: [1.50, 0x1f], background: [1e3]}\n- label: 08\n- {label: !!str 09}\n- .inf\n",
			[]Query{{Label: "007", Phrases: []string{"1.50", "0x1f"}, Background: []string{"1e3"}}, Named("08"), Named("09"), Named(".inf")}},
		{"a job file", "q.yaml", "version: 1\ninput: a.mp4\nqueries: [dog]\noutputs:\n  - a.mp4\nsettings: {every: 4}\n", []Query{dog}},
		{"everything", "q.yaml",
			"- label: pup\n  phrases:\n    - puppy\n    - small dog\n  background: [lawn]\n  theta: 0\n  colour: \"#0072b2\"\n",
			[]Query{{Label: "pup", Phrases: []string{"puppy", "small dog"}, Background: []string{"lawn"}, Theta: ptr(0), Colour: "#0072b2"}}},
	} {
		t.Run(c.title, func(t *testing.T) {
			got, err := ReadQueries(strings.NewReader(c.text), c.name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadQueriesErrors: errors say what is wrong and in which line.
func TestReadQueriesErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"q.txt", "", "there is no query in it"},
		{"q.txt", "# nothing\n", "there is no query in it"},
		{"q.txt", "dog\n=x\n", "line 2: "},
		{"q.yaml", "", "there is no query in it"},
		{"q.yaml", "queries:\n", "there is no query in it"},
		{"q.yaml", "[]", "there is no query in it"},
		{"q.yaml", "input: a.mp4\n", "there is no query in it"},
		{"q.yaml", "dog\n", "line 1: queries must be a list"},
		{"q.yaml", "- dog\n- label: pup\n  color: red\n", "line 3: unknown field \"color\""},
		{"q.yaml", "- dog\n- label: pup\n  theta: high\n", "line 3: "},
		{"q.yaml", "- dog\n- label: pup\n  theta: 2\n", "theta is 2"},
		{"q.yaml", "- dog\n- label: pup\n  theta: .nan\n", "theta is NaN"},
		{"q.yaml", "- dog\n- phrases: [puppy]\n", "line 2: "},
		{"q.yaml", "- dog\n- label: pup\n  phrases: [\"\"]\n", "a phrase is empty"},
		{"q.yaml", "- dog\n- label: pup\n  background: [\" \"]\n", "a background word is empty"},
		{"q.yaml", "- dog\n- true\n", "line 2: true is not a name"},
		{"q.yaml", "- dog\n-\n", "line 2: "},
		{"q.yaml", "- dog\n- [cat]\n", "line 2: an entry must be"},
		{"q.yaml", "preset: voc\nqueries:\n  - dog\n", "line 1: unknown key \"preset\""},
		{"q.yaml", "- dog\n---\n- cat\n", "second document"},
		{"q.yaml", "- label: dog\n  label: cat\n", "line 2: "},
		{"q.yaml", "- [dog\n", "line "},
		{"q.yaml", "- *dog\n", "line 1: "},
		{"q.txt", strings.Repeat("dog\n", queryFileLimit/4+1), "larger than"},
	} {
		got, err := ReadQueries(strings.NewReader(c.text), c.name)
		text := c.text[:min(len(c.text), 60)]
		if err == nil {
			t.Errorf("%q: no error, but %v", text, got)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error is %q, want one line with %q", text, err, c.want)
		}
	}
}

func FuzzReadQueries(f *testing.F) {
	for _, s := range []string{"- dog\n", "queries: [dog, {label: pup, phrases: [a, b], theta: .5}]", "dog # x\n", "a: &b [*b]", "{}", "- !!str 1"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, yaml bool) {
		name := "q.txt"
		if yaml {
			name = "q.yaml"
		}
		queries, err := ReadQueries(strings.NewReader(text), name)
		if (err == nil) != (len(queries) > 0) {
			t.Fatalf("%d queries and error %v", len(queries), err)
		}
		for i := range queries {
			if err := queries[i].check(); err != nil {
				t.Fatalf("%+v: %v", queries[i], err)
			}
		}
	})
}
