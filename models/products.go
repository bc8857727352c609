package models

// A Product is a matrix product that a graph cannot do without: batch times m×k
// by k×n, done often. What else a graph does (softmax, normalisation,
// activation, the sums of the attention) is not counted: against the same
// products done bare it is loss.
type Product struct {
	Batch, M, K, N int
	Weight         bool // k×n is constant: packed once, while the session loads
	Often          int
}

// Operations are the multiplications and additions of all of it.
func (p Product) Operations() float64 {
	return 2 * float64(p.Batch) * float64(p.M) * float64(p.K) * float64(p.N) * float64(p.Often)
}

// TrunkProducts are those of one Look of the proposer at a picture of w×h pixels.
func (m *Model) TrunkProducts(w, h int) []Product {
	return trunkProducts(m.config, m.config.Vision.tokens(w, h))
}

// CAMProducts are those of one CAM of so many directions, of such a picture.
func (m *Model) CAMProducts(w, h, directions int) []Product {
	return camProducts(m.config, directions, m.config.Vision.tokens(w, h))
}

// JudgeProducts are those of so many pictures of w×h pixels that the judge
// encodes in one batch.
func (m *Model) JudgeProducts(w, h, images int) []Product {
	blocks := m.config.Vision.Layers
	if m.options.SkipLastBlock {
		blocks--
	}
	return judgeProducts(m.config, blocks, images, m.config.Vision.tokens(w, h))
}

// tokens are those of a picture of w×h pixels, CLS among them.
func (t tower) tokens(w, h int) int { return 1 + (w/t.PatchSize)*(h/t.PatchSize) }

// blockProducts are those of a number of blocks on B images of L tokens.
func blockProducts(t tower, B, L, blocks int) []Product {
	d := t.headDim()
	return []Product{
		{1, B * L, t.Width, t.Width, true, 4 * blocks},
		{B * t.Heads, L, d, L, false, blocks},
		{B * t.Heads, L, L, d, false, blocks},
		{1, B * L, t.Width, t.MLP, true, blocks},
		{1, B * L, t.MLP, t.Width, true, blocks},
	}
}

// trunkProducts adds the patches and the two products of the caches
// (docs/algorithm.md 11.4, once per image).
func trunkProducts(c config, L int) []Product {
	t, N := c.Vision, L-1
	return append(blockProducts(t, 1, L, t.Layers),
		Product{1, N, 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		Product{1, N, t.Width, t.MLP, true, 1},
		Product{1, N, t.MLP, t.Width, true, 1})
}

// judgeProducts are those of the patches, of all blocks that run but the last,
// and of that one's keys and values, which alone are needed for all tokens.
func judgeProducts(c config, blocks, B, L int) []Product {
	t := c.Vision
	return append(blockProducts(t, B, L, blocks-1),
		Product{1, B * (L - 1), 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		Product{1, B * L, t.Width, t.Width, true, 2})
}

// camProducts are the operations that algorithm.md 11.4 counts, for K directions:
// 10 N D^2 + 2 N L D each, of which 8 N D^2 are the MLP and 2 N D^2 out_proj;
// and, once, the attention probabilities, which are not kept.
func camProducts(c config, K, L int) []Product {
	t, N := c.Vision, L-1
	d := t.headDim()
	return []Product{
		{1, K * N, t.MLP, t.Width, true, 1},
		{1, K * N, t.Width, t.Width, true, 1},
		{t.Heads, K * d, N, L, false, 1},
		{t.Heads, N, d, L, false, 1},
	}
}
