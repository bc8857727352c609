package car

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// presenceTemplate wraps the texts of presences. One template is enough: at 2 %
// false alarms it finds .964 of the things that are in the image, and the mean over
// the fifteen judge templates finds .962.
const presenceTemplate = "a photo of a {}."

// A contrast holds the text vectors that the presences of a set of queries are
// computed with, in the judge's space.
type contrast struct {
	queryTexts [][]float32 // per query
	texts      [][]float32 // of all words that compete with any of them
	excluded   [][]bool    // per query, the words that do not compete with it
}

// newContrast embeds the texts for the presences of queries. A query competes with
// words of the preset and with its own background words, never with other queries:
// its presence does not depend on them.
func (s *Segmenter) newContrast(ctx context.Context, queries []Query) (*contrast, error) {
	p := &s.preset
	encode := func(texts []string) ([][]float32, error) { return s.judge.EncodeTexts(ctx, texts) }
	c := &contrast{excluded: make([][]bool, len(queries))}
	var err error
	if c.queryTexts, err = encodeQueries(queries, presenceTemplate, encode); err != nil {
		return nil, fmt.Errorf("encoding queries for their presence: %w", err)
	}
	var words []string
	for _, row := range p.Contrast {
		words = append(words, row[0])
	}
	things := len(words)
	words = append(words, p.Background...)
	for i := range queries {
		for _, b := range queries[i].Background {
			if !slices.Contains(words, b) {
				words = append(words, b)
			}
		}
	}
	if c.texts, err = encodeWords(words, presenceTemplate, encode); err != nil {
		return nil, fmt.Errorf("encoding contrast words: %w", err)
	}
	for i := range queries {
		q := &queries[i]
		excluded := make([]bool, len(words))
		for j, row := range p.Contrast {
			excluded[j] = !slices.Contains(q.Background, row[0]) && slices.ContainsFunc(mentionedIn(q, row), func(b bool) bool { return b })
		}
		if !p.Quirks.FightBackground {
			copy(excluded[things:], mentionedIn(q, p.Background))
		}
		// The background words of a query compete with that query only.
		for j := things + len(p.Background); j < len(words); j++ {
			excluded[j] = !slices.Contains(q.Background, words[j])
		}
		c.excluded[i] = excluded
	}
	return c, nil
}

// presence is the probability of a query's text for an image vector: the softmax
// over it and the words that compete with it (docs/algorithm.md 4.3 has the logits). It does
// not depend on the other queries.
func (c *contrast) presence(query int, v []float32, tau float64) float64 {
	own := tau * float64(dot(v, c.queryTexts[query]))
	sum := 1.0
	for j, t := range c.texts {
		if !c.excluded[query][j] {
			sum += math.Exp(tau*float64(dot(v, t)) - own)
		}
	}
	return 1 / sum
}
