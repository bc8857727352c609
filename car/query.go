package car

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/plaintext"
)

// The limits of a set of queries. Every query has masks of its own and the models
// encode every text, so that without limits a typing mistake could exhaust the
// machine.
const (
	// MaxQueries is the sum of 64 queries on a command line and a full file.
	MaxQueries = 64 + MaxQueryLines

	// MaxPhrases and MaxBackground are for one query. The mean of more phrases has
	// no meaning; the presets have 23 background words.
	MaxPhrases    = 64
	MaxBackground = 256

	// MaxLabel and MaxPhrase are lengths in characters. CLIP reads 77 tokens, some
	// 300 characters, and the models refuse a longer text. A label may be a sentence
	// too.
	MaxLabel  = 400
	MaxPhrase = 1000
)

// A Query is one thing to look for.
type Query struct {
	// ID identifies the query while the set changes, see [Numbering]; 0 is none.
	ID int

	// Label is the name of the query in outputs.
	Label string

	// Phrases are the texts of the query, at least one. The embeddings of several
	// are averaged and normalised to unit length.
	Phrases []string

	// Background are words that compete with this query in addition to the preset's
	// while its mask is proposed: other things in the image that could be mistaken
	// for it.
	Background []string

	// Theta is the score above which the query stays, 0..1; nil stands for the
	// preset's. With 0 it is never dropped, whatever its presence.
	Theta *float32

	// Presence is the presence probability above which the query stays, 0..1;
	// nil stands for the preset's.
	Presence *float32

	// Colour is the query's colour in outputs, a name or #rrggbb; if it is empty,
	// the output chooses one.
	Colour string
}

// Named returns a query whose label is its only phrase.
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
		return Query{}, fmt.Errorf("query %q has several phrases and no label: write LABEL=PHRASE|PHRASE", excerpt(s))
	}
	if err := q.check(); err != nil {
		return Query{}, fmt.Errorf("query %q: %w", excerpt(s), err)
	}
	return q, nil
}

func (q *Query) check() error {
	if q.Label == "" {
		return fmt.Errorf("the name is empty")
	}
	if err := checkText(q.Label, MaxLabel); err != nil {
		return fmt.Errorf("the name: %w", err)
	}
	if len(q.Phrases) == 0 {
		return fmt.Errorf("there is no phrase")
	}
	if len(q.Phrases) > MaxPhrases {
		return fmt.Errorf("there are %d phrases; %d at most", len(q.Phrases), MaxPhrases)
	}
	if len(q.Background) > MaxBackground {
		return fmt.Errorf("there are %d background words; %d at most", len(q.Background), MaxBackground)
	}
	for i, p := range q.Phrases {
		if strings.TrimSpace(p) == "" {
			return fmt.Errorf("a phrase is empty")
		}
		if err := checkText(p, MaxPhrase); err != nil {
			return fmt.Errorf("phrase %d: %w", i+1, err)
		}
	}
	for i, b := range q.Background {
		if strings.TrimSpace(b) == "" {
			return fmt.Errorf("a background word is empty")
		}
		if err := checkText(b, MaxPhrase); err != nil {
			return fmt.Errorf("background word %d: %w", i+1, err)
		}
	}
	if err := checkText(q.Colour, MaxLabel); err != nil {
		return fmt.Errorf("the colour: %w", err)
	}
	if t := q.Theta; t != nil && !(*t >= 0 && *t <= 1) {
		return fmt.Errorf("theta is %g, which is not between 0 and 1", *t)
	}
	if t := q.Presence; t != nil && !(*t >= 0 && *t <= 1) {
		return fmt.Errorf("presence is %g, which is not between 0 and 1", *t)
	}
	return nil
}

// excerpt shortens a text for a message.
func excerpt(s string) string {
	const enough = 60
	if utf8.RuneCountInString(s) <= enough {
		return s
	}
	return string([]rune(s)[:enough]) + "…"
}

// checkText returns an error if a text of one line is too long or has invisible
// characters.
func checkText(s string, longest int) error {
	if n := utf8.RuneCountInString(s); n > longest {
		return fmt.Errorf("it is %d characters long; %d at most", n, longest)
	}
	return plaintext.Check(s)
}

// CheckQueries returns an error if a set of queries is empty or too large, if one of
// them is invalid (empty, too long, with invisible characters), or if two have the
// same label or the same phrases.
//
// Two queries with the same phrases are refused because neither would be found: each
// gets half of the score, and the thresholds are made for all of it.
func CheckQueries(queries []Query) error {
	if len(queries) == 0 {
		return fmt.Errorf("there is no query")
	}
	if len(queries) > MaxQueries {
		return fmt.Errorf("there are %d queries; %d at most", len(queries), MaxQueries)
	}
	labels, meanings := make(map[string]bool), make(map[string]string)
	for i := range queries {
		q := &queries[i]
		if err := q.check(); err != nil {
			return fmt.Errorf("query %q: %w", excerpt(q.Label), err)
		}
		if labels[q.Label] {
			return fmt.Errorf("query %q is given twice", excerpt(q.Label))
		}
		labels[q.Label] = true
		m := q.meaning()
		if other, ok := meanings[m]; ok {
			return fmt.Errorf("queries %q and %q have the same phrases", excerpt(other), excerpt(q.Label))
		}
		meanings[m] = q.Label
	}
	return nil
}

// meaning returns the phrases as one text that does not depend on their order and
// case: CLIP converts its input to lower case.
func (q *Query) meaning() string {
	phrases := make([]string, len(q.Phrases))
	for i, p := range q.Phrases {
		phrases[i] = strings.ToLower(strings.Join(strings.Fields(p), " "))
	}
	slices.Sort(phrases)
	return strings.Join(phrases, "|")
}
