package car

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// A Proposal is the heat map of one query in one image.
type Proposal struct {
	// Query is an index into the bank.
	Query int
	// Heat is the refined CAM at the size of the image, W×H values in 0..1
	// (docs/algorithm.md 3.6, Y). The encoded image owns its memory.
	Heat []float32
	Judgement

	sum    float64 // of Heat
	peak   float32 // its maximum
	reused bool    // not judged in this stage
}

// propose returns the proposals of a stage: f of the paper (docs/algorithm.md section 3).
// texts are the embeddings of all queries, raw or in the CAM template.
func (s *Segmenter) propose(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, members []int, texts [][]float32, t *Trace) ([]Proposal, error) {
	maps, err := s.cams(ctx, encoded, bank, p, members, texts, t)
	if err != nil {
		return nil, fmt.Errorf("proposing masks: %w", err)
	}
	n := encoded.rows * encoded.cols
	k := len(members)

	// Affinity: heat inside the boxes spreads over the whole image.
	if cap(s.scratch.boxed) < n*k {
		s.scratch.boxed, s.scratch.inside = make([]float32, n*k), make([]float32, n*k)
	}
	boxed, inside := s.scratch.boxed[:n*k], s.scratch.inside[:n*k]
	for i, m := range maps {
		in := inside[i*n : (i+1)*n]
		s.scratch.boxFinder.mark(m, encoded.rows, encoded.cols, s.preset.Lambda, s.preset.Quirks.CutBoxes, in)
		for j, v := range m {
			boxed[i*n+j] = v * in[j]
		}
	}
	if err := encoded.affinity.apply(ctx, boxed, k); err != nil {
		return nil, err
	}
	if t != nil {
		t.Maps, t.Inside, t.Affine = maps, rowsOf(slices.Clone(inside), n), rowsOf(append([]float32(nil), boxed...), n)
	}

	proposals := make([]Proposal, k)
	for i, q := range members {
		proposals[i] = Proposal{Query: q, Heat: encoded.heat()}
	}
	err = s.forEachParallel(ctx, k, func(i int, w *workerScratch) {
		refined, p := boxed[i*n:(i+1)*n], &proposals[i]
		stretch(refined)
		resizeBilinear(refined, encoded.cols, encoded.rows, p.Heat, encoded.img.W, encoded.img.H, &w.bilinear)
		for _, v := range p.Heat {
			p.sum += float64(v)
			p.peak = max(p.peak, v)
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range proposals {
		if sum := proposals[i].sum; sum != sum {
			return nil, fmt.Errorf("proposing masks: the heat of %q is not a number", bank.queries[members[i]].Label)
		}
	}
	if t != nil {
		t.Refined = rowsOf(slices.Clone(boxed), n)
	}
	return proposals, nil
}

// cams returns the GradCAM of each member: one value in 0..1 for each patch (docs/algorithm.md
// 3.4 and 3.5).
func (s *Segmenter) cams(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, members []int, texts [][]float32, t *Trace) ([][]float32, error) {
	feature, tau := encoded.features.Feature(), s.proposer.LogitScale()
	directions := make([][]float32, len(members))
	for i := range members {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		competing := s.competitors(bank, p, members, texts, i, true)
		directions[i] = gradient(feature, tau, competing, t)
	}
	maps, err := encoded.cam(ctx, directions)
	if err != nil {
		return nil, err
	}
	if t != nil {
		t.Raw = clone2(maps)
		t.Retried = make([]bool, len(members))
	}
	// A map without a positive value may be due to the background words: it is
	// computed once more with the queries alone.
	var retry []int
	for i, m := range maps {
		if !positive(m) {
			retry = append(retry, i)
		}
	}
	if len(retry) > 0 {
		directions = directions[:0]
		for _, i := range retry {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			directions = append(directions, gradient(feature, tau, s.competitors(bank, p, members, texts, i, false), nil))
		}
		retried, err := encoded.cam(ctx, directions)
		if err != nil {
			return nil, err
		}
		for j, i := range retry {
			maps[i] = retried[j]
			if t != nil {
				t.Retried[i] = true
				t.Raw[i] = append([]float32(nil), retried[j]...)
			}
		}
	}
	for k, m := range maps {
		for j, v := range m {
			if v != v {
				return nil, fmt.Errorf("the heat of %q at patch %d is not a number", bank.queries[members[k]].Label, j)
			}
			m[j] = max(v, 0)
		}
		stretch(m)
		stretch(m)
	}
	return maps, nil
}

// competitors returns the texts among which member i is proposed, its own first:
// then all other members in semantic mode, none in refer mode, and the background.
func (s *Segmenter) competitors(bank *Bank, p *pass, members []int, texts [][]float32, i int, background bool) [][]float32 {
	own := members[i]
	competing := append(s.scratch.competitors[:0], texts[own])
	if s.preset.Mode == Semantic {
		for _, q := range members {
			if q != own {
				competing = append(competing, texts[q])
			}
		}
	}
	if background {
		if excluded := bank.excluded[own]; excluded == nil {
			competing = append(competing, p.background...)
		} else {
			for j, word := range p.background {
				if !excluded[j] {
					competing = append(competing, word)
				}
			}
		}
		competing = append(competing, bank.ownBackground[own]...)
	}
	s.scratch.competitors = competing
	return competing
}

// gradient returns the gradient of the first text's probability with respect to the
// image vector: with p = softmax(tau·f̂·t), dp_0/df̂ = tau·p_0·(t_0 - Σ_j p_j·t_j)
// (docs/algorithm.md 11.3 and 11.5). It is summed as Σ_j p_j·(t_0 - t_j) over the other texts:
// where p_0 is near 1, their small probabilities would be lost to rounding in the
// difference.
func gradient(feature []float32, tau float32, texts [][]float32, t *Trace) []float32 {
	logits := make([]float64, len(texts))
	high := math.Inf(-1)
	for j, text := range texts {
		logits[j] = float64(tau) * float64(dot(feature, text))
		high = max(high, logits[j])
	}
	p := make([]float64, len(texts))
	total := 0.0
	for j, l := range logits {
		p[j] = math.Exp(l - high)
		total += p[j]
	}
	for j := range p {
		p[j] /= total
	}
	if t != nil {
		t.Logits = append(t.Logits, logits)
		t.Probabilities = append(t.Probabilities, p)
	}
	direction := make([]float64, len(feature))
	for j := 1; j < len(texts); j++ {
		for i, v := range texts[j] {
			direction[i] += p[j] * (float64(texts[0][i]) - float64(v))
		}
	}
	out := make([]float32, len(feature))
	for i, v := range direction {
		out[i] = float32(float64(tau) * p[0] * v)
	}
	return out
}

func positive(m []float32) bool {
	for _, v := range m {
		if v > 0 {
			return true
		}
	}
	return false
}

func rowsOf(v []float32, n int) [][]float32 {
	var rows [][]float32
	for ; len(v) >= n && n > 0; v = v[n:] {
		rows = append(rows, v[:n])
	}
	return rows
}

func clone2[T any](v [][]T) [][]T {
	out := slices.Clone(v)
	for i := range out {
		out[i] = slices.Clone(out[i])
	}
	return out
}
