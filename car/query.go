package car

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carve-video/carve/internal/plaintext"
)

// What a set of queries may be at most. Every query has masks of its own and
// every text is read by the models: somebody's slip is not to take the machine.
const (
	// MaxQueries is what 64 on a command line and a full file come to.
	MaxQueries = 64 + MaxQueryLines

	// MaxPhrases and MaxBackground are for one query. What is averaged over more
	// phrases means nothing any more; the presets have 23 background words.
	MaxPhrases    = 64
	MaxBackground = 256

	// MaxLabel and MaxPhrase are lengths in characters. CLIP reads 77 tokens,
	// some 300 characters, and the models refuse what is longer; a label may be
	// such a sentence as well.
	MaxLabel  = 400
	MaxPhrase = 1000
)

// A Query is one thing to look for.
type Query struct {
	// ID tells it from the others while the set changes, see [Numbering]; 0 is none.
	ID int

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

// few cuts a text for a message.
func excerpt(s string) string {
	const enough = 60
	if utf8.RuneCountInString(s) <= enough {
		return s
	}
	return string([]rune(s)[:enough]) + "…"
}

// checkText finds what is wrong with a text of one line: characters that cannot
// be seen, or too many of them.
func checkText(s string, longest int) error {
	if n := utf8.RuneCountInString(s); n > longest {
		return fmt.Errorf("it is %d characters long; %d at most", n, longest)
	}
	return plaintext.Check(s)
}

// CheckQueries finds what is wrong with a set of queries: none at all or too
// many, an empty one, one with a text that is too long or has characters that
// cannot be seen, two with the same label, two that mean the same.
//
// Two that mean the same are refused because neither would be found: each has
// half of the score, and the thresholds are made for the whole.
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
