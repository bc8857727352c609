package car

import (
	"fmt"
	"slices"
	"strings"
)

// A Query is one thing to look for.
type Query struct {
	// Label is what outputs call it.
	Label string

	// Phrases are the texts that mean it, at least one. The embeddings of
	// several are averaged and brought to unit length again.
	Phrases []string

	// Background are further words that compete with this query while its mask
	// is proposed, beside the preset's: what the picture holds and what is not
	// meant.
	Background []string

	// Theta is the score above which the query stays, 0..1; nil stands for the
	// preset's. With 0 it is never dropped, whatever its presence.
	Theta *float32

	// Presence is the presence probability above which the query stays, 0..1;
	// nil stands for the preset's.
	Presence *float32

	// Colour is how outputs paint it, as a name or #rrggbb; empty lets them
	// choose.
	Colour string
}

// Named returns the query whose label is its only phrase.
func Named(name string) Query { return Query{Label: name, Phrases: []string{name}} }

// ParseQuery reads NAME or LABEL=PHRASE|PHRASE….
func ParseQuery(s string) (Query, error) {
	label, phrases, found := strings.Cut(s, "=")
	label = strings.TrimSpace(label)
	if !found {
		phrases = label
	}
	q := Query{Label: label}
	for p := range strings.SplitSeq(phrases, "|") {
		q.Phrases = append(q.Phrases, strings.TrimSpace(p))
	}
	if !found && len(q.Phrases) > 1 {
		return Query{}, fmt.Errorf("query %q has several phrases and no label: write LABEL=PHRASE|PHRASE", s)
	}
	if err := q.check(); err != nil {
		return Query{}, fmt.Errorf("query %q: %w", s, err)
	}
	return q, nil
}

func (q *Query) check() error {
	if q.Label == "" {
		return fmt.Errorf("the name is empty")
	}
	if len(q.Phrases) == 0 {
		return fmt.Errorf("there is no phrase")
	}
	for _, p := range q.Phrases {
		if strings.TrimSpace(p) == "" {
			return fmt.Errorf("a phrase is empty")
		}
	}
	for _, b := range q.Background {
		if strings.TrimSpace(b) == "" {
			return fmt.Errorf("a background word is empty")
		}
	}
	if t := q.Theta; t != nil && !(*t >= 0 && *t <= 1) {
		return fmt.Errorf("theta is %g, which is not between 0 and 1", *t)
	}
	if t := q.Presence; t != nil && !(*t >= 0 && *t <= 1) {
		return fmt.Errorf("presence is %g, which is not between 0 and 1", *t)
	}
	return nil
}

// CheckQueries finds what is wrong with a set of queries: none at all, an
// empty one, two with the same label, two that mean the same.
//
// Two that mean the same are refused because neither would be found: each has
// half of the score, and the thresholds are made for the whole.
func CheckQueries(queries []Query) error {
	if len(queries) == 0 {
		return fmt.Errorf("there is no query")
	}
	labels, meanings := make(map[string]bool), make(map[string]string)
	for i := range queries {
		q := &queries[i]
		if err := q.check(); err != nil {
			return fmt.Errorf("query %q: %w", q.Label, err)
		}
		if labels[q.Label] {
			return fmt.Errorf("query %q is given twice", q.Label)
		}
		labels[q.Label] = true
		m := q.meaning()
		if other, ok := meanings[m]; ok {
			return fmt.Errorf("queries %q and %q have the same phrases", other, q.Label)
		}
		meanings[m] = q.Label
	}
	return nil
}

// meaning is the same for queries with the same phrases, in whatever order and
// case: CLIP reads lower case.
func (q *Query) meaning() string {
	phrases := make([]string, len(q.Phrases))
	for i, p := range q.Phrases {
		phrases[i] = strings.ToLower(strings.Join(strings.Fields(p), " "))
	}
	slices.Sort(phrases)
	return strings.Join(phrases, "|")
}
