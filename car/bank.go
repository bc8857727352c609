package car

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// A Bank is a set of queries with their embeddings in both models: what need
// not be computed again for another picture.
type Bank struct {
	queries []Query
	raw     [][]float32   // proposer's, of the phrases as they are
	cam     [][]float32   // proposer's, in the CAM template
	own     [][][]float32 // proposer's, of the query's own background words
	judged  [][][]float32 // judge's, template × query
	passes  []pass
}

// A pass is a set of queries that compete with each other. There is one, and a
// second where the preset tells stuff from things.
type pass struct {
	name       string
	members    []int // queries of the bank
	background [][]float32
	prompts    prompts
}

// Queries returns the queries of the bank.
func (b *Bank) Queries() []Query { return b.queries }

// Encode embeds the queries. Models cache embeddings, so that only new texts
// cost anything.
func (s *Segmenter) Encode(ctx context.Context, queries []Query) (*Bank, error) {
	if len(queries) == 0 {
		return nil, fmt.Errorf("there is no query")
	}
	for i := range queries {
		if err := queries[i].check(); err != nil {
			return nil, fmt.Errorf("query %q: %w", queries[i].Label, err)
		}
	}
	p := &s.preset
	b := &Bank{queries: queries}
	n := len(queries)

	f := func(texts []string) ([][]float32, error) { return s.proposer.EncodeTexts(ctx, texts) }
	g := func(texts []string) ([][]float32, error) { return s.judge.EncodeTexts(ctx, texts) }
	var err error
	if b.raw, err = encodeQueries(queries, "{}", f); err != nil {
		return nil, fmt.Errorf("encoding queries: %w", err)
	}
	if b.cam, err = encodeQueries(queries, p.CAMTemplate, f); err != nil {
		return nil, fmt.Errorf("encoding queries: %w", err)
	}
	b.own = make([][][]float32, n)
	for i, q := range queries {
		if b.own[i], err = encodeWords(q.Background, p.CAMTemplate, f); err != nil {
			return nil, fmt.Errorf("encoding the background of query %q: %w", q.Label, err)
		}
	}
	templates := p.JudgeTemplates
	if len(templates) == 0 {
		templates = []string{p.CAMTemplate}
	}
	for _, t := range templates {
		vectors, err := encodeQueries(queries, t, g)
		if err != nil {
			return nil, fmt.Errorf("encoding queries for the judge: %w", err)
		}
		b.judged = append(b.judged, vectors)
	}

	things, stuff := pass{name: "things", prompts: promptSet(p.Prompts)}, pass{name: "stuff", prompts: promptSet(p.StuffPrompts)}
	var thingNames []string
	for i, q := range queries {
		if slices.Contains(p.Stuff, q.Label) {
			stuff.members = append(stuff.members, i)
		} else {
			things.members = append(things.members, i)
			thingNames = append(thingNames, q.Phrases...)
		}
	}
	if things.background, err = encodeWords(p.Background, p.CAMTemplate, f); err != nil {
		return nil, fmt.Errorf("encoding background words: %w", err)
	}
	if stuff.background, err = encodeWords(thingNames, p.CAMTemplate, f); err != nil {
		return nil, fmt.Errorf("encoding things as background: %w", err)
	}
	for _, pass := range []pass{things, stuff} {
		if len(pass.members) > 0 {
			b.passes = append(b.passes, pass)
		}
	}
	return b, nil
}

// encodeQueries returns a unit vector per query: the mean over its phrases.
func encodeQueries(queries []Query, template string, encode func([]string) ([][]float32, error)) ([][]float32, error) {
	var texts []string
	for _, q := range queries {
		for _, p := range q.Phrases {
			texts = append(texts, fill(template, p))
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
		texts[i] = fill(template, w)
	}
	return encode(texts)
}

// meanUnit is the mean of unit vectors, brought to unit length.
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
