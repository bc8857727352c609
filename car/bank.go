package car

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// A Bank is a set of queries with their embeddings in both models, computed once for
// any number of images.
type Bank struct {
	queries       []Query
	raw           [][]float32   // proposer's, of the phrases as they are
	cam           [][]float32   // proposer's, in the CAM template
	ownBackground [][][]float32 // proposer's, of the query's own background words
	excluded      [][]bool      // per query, background words of its pass that do not compete with it; nil for none
	canonical     []int         // per query, the first query with the same phrases
	judgeTexts    [][][]float32 // judge's, template × query
	passes        []pass
	contrast      *contrast // nil if presences are not computed
}

// A pass is a set of queries that compete with each other. There is a second one if
// the preset distinguishes stuff from things.
type pass struct {
	name       string
	members    []int // queries of the bank
	words      []string
	background [][]float32 // embeddings of words
	prompts    []prompts   // each mask is judged once with each of these sets
}

// Queries returns the queries of the bank.
func (b *Bank) Queries() []Query { return b.queries }

// Embeddings returns the unit vectors of the queries: the proposer's, of their phrases as
// they are, and the judge's, in its first template. They must not be changed.
func (b *Bank) Embeddings() (proposer, judge [][]float32) { return b.raw, b.judgeTexts[0] }

// EmbedQueries embeds the queries. Models cache embeddings, so that only new texts
// take time.
func (s *Segmenter) EmbedQueries(ctx context.Context, queries []Query) (*Bank, error) {
	if len(queries) == 0 {
		return nil, fmt.Errorf("there is no query")
	}
	for i := range queries {
		if err := queries[i].check(); err != nil {
			return nil, fmt.Errorf("query %q: %w", queries[i].Label, err)
		}
	}
	b := &Bank{queries: queries}
	f := func(texts []string) ([][]float32, error) { return s.proposer.EncodeTexts(ctx, texts) }
	g := func(texts []string) ([][]float32, error) { return s.judge.EncodeTexts(ctx, texts) }
	if err := b.encodeQueries(&s.preset, f, g); err != nil {
		return nil, err
	}
	if err := b.splitPasses(&s.preset, f); err != nil {
		return nil, err
	}
	if err := b.encodeBackgrounds(&s.preset, f); err != nil {
		return nil, err
	}
	if s.preset.Presence > 0 || slices.ContainsFunc(queries, func(q Query) bool { return q.Presence != nil && *q.Presence > 0 }) {
		var err error
		if b.contrast, err = s.newContrast(ctx, queries); err != nil {
			return nil, err
		}
	}
	b.canonical = make([]int, len(queries))
	meanings := make(map[string]int)
	for i := range queries {
		m := queries[i].meaning()
		if _, ok := meanings[m]; !ok {
			meanings[m] = i
		}
		b.canonical[i] = meanings[m]
	}
	return b, nil
}

// An encoder embeds texts with one of the two models.
type encoder func(texts []string) ([][]float32, error)

// encodeQueries embeds the queries with the proposer (f) and the judge (g).
func (b *Bank) encodeQueries(p *Preset, f, g encoder) (err error) {
	if b.raw, err = encodeQueries(b.queries, "{}", f); err != nil {
		return fmt.Errorf("encoding queries: %w", err)
	}
	if b.cam, err = encodeQueries(b.queries, p.CAMTemplate, f); err != nil {
		return fmt.Errorf("encoding queries: %w", err)
	}
	templates := p.JudgeTemplates
	if len(templates) == 0 {
		templates = []string{p.CAMTemplate}
	}
	for _, t := range templates {
		vectors, err := encodeQueries(b.queries, t, g)
		if err != nil {
			return fmt.Errorf("encoding queries for the judge: %w", err)
		}
		b.judgeTexts = append(b.judgeTexts, vectors)
	}
	return nil
}

// splitPasses divides the queries into passes: things, then stuff.
func (b *Bank) splitPasses(p *Preset, f encoder) (err error) {
	things, stuff := pass{name: "things", prompts: promptSets(p.Prompts)}, pass{name: "stuff", prompts: promptSets(p.StuffPrompts)}
	var thingNames []string
	for i, q := range b.queries {
		if slices.Contains(p.Stuff, q.Label) {
			stuff.members = append(stuff.members, i)
		} else {
			things.members = append(things.members, i)
			thingNames = append(thingNames, q.Phrases...)
		}
	}
	// Things are the background of stuff (docs/algorithm.md 7.1). Without things, stuff
	// competes with the background words: a single text that competes with nothing
	// has no gradient and no mask.
	things.words, stuff.words = p.Background, thingNames
	if len(thingNames) == 0 {
		stuff.words = p.Background
	}
	for _, pass := range []pass{things, stuff} {
		if len(pass.members) == 0 {
			continue
		}
		if pass.background, err = encodeWords(pass.words, p.CAMTemplate, f); err != nil {
			return fmt.Errorf("encoding background words: %w", err)
		}
		b.passes = append(b.passes, pass)
	}
	return nil
}

// encodeBackgrounds embeds the background words of each query, and finds the
// background words of its pass that do not compete with it.
func (b *Bank) encodeBackgrounds(p *Preset, f encoder) (err error) {
	b.ownBackground, b.excluded = make([][][]float32, len(b.queries)), make([][]bool, len(b.queries))
	for i := range b.passes {
		pass := &b.passes[i]
		for _, q := range pass.members {
			query := &b.queries[q]
			if !p.Quirks.FightBackground {
				b.excluded[q] = mentionedIn(query, pass.words)
			}
			var words []string // without those of the pass
			for _, w := range query.Background {
				if !slices.Contains(pass.words, w) && !slices.Contains(words, w) {
					words = append(words, w)
				}
			}
			if b.ownBackground[q], err = encodeWords(words, p.CAMTemplate, f); err != nil {
				return fmt.Errorf("encoding the background of query %q: %w", query.Label, err)
			}
		}
	}
	return nil
}

// mentionedIn marks the words that one of the query's phrases contains as whole
// words: "wall" in "brick wall", but not "sea" in "seagull". The query's own
// background words are not marked. It returns nil if none is.
func mentionedIn(q *Query, words []string) []bool {
	var marks []bool
	for i, w := range words {
		inside := func(phrase string) bool {
			return strings.Contains(" "+wordsOf(phrase)+" ", " "+wordsOf(w)+" ")
		}
		if !slices.ContainsFunc(q.Phrases, inside) || slices.Contains(q.Background, w) {
			continue
		}
		if marks == nil {
			marks = make([]bool, len(words))
		}
		marks[i] = true
	}
	return marks
}

// wordsOf returns a text in lower case without punctuation, its words separated by
// single spaces.
func wordsOf(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// encodeQueries returns a unit vector per query: the mean over its phrases.
func encodeQueries(queries []Query, template string, encode func([]string) ([][]float32, error)) ([][]float32, error) {
	var texts []string
	for _, q := range queries {
		for _, p := range q.Phrases {
			texts = append(texts, fillTemplate(template, p))
		}
	}
	vectors, err := encode(texts)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(queries))
	for i, q := range queries {
		out[i] = meanUnit(vectors[:len(q.Phrases)])
		vectors = vectors[len(q.Phrases):]
	}
	return out, nil
}

func encodeWords(words []string, template string, encode func([]string) ([][]float32, error)) ([][]float32, error) {
	if len(words) == 0 {
		return nil, nil
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = fillTemplate(template, w)
	}
	return encode(texts)
}

// meanUnit is the mean of unit vectors, normalised to unit length.
func meanUnit(vectors [][]float32) []float32 {
	if len(vectors) == 1 {
		return vectors[0]
	}
	mean := make([]float32, len(vectors[0]))
	for _, v := range vectors {
		for i, x := range v {
			mean[i] += x
		}
	}
	norm := 0.0
	for _, x := range mean {
		norm += float64(x) * float64(x)
	}
	for i := range mean {
		mean[i] = float32(float64(mean[i]) / math.Sqrt(norm))
	}
	return mean
}
