package models

// A Product is a matrix product of a graph: Batch products of M×K by K×N, computed Count
// times. Other operations of a graph (softmax, normalisation, activation, the sums of the
// attention) are not listed: the time that they take is the loss against the products
// alone.
type Product struct {
	Batch, M, K, N int
	Weight         bool // K×N is constant: packed once, when the session loads
	Count          int
}

// Operations is the number of multiplications and additions.
func (p Product) Operations() float64 {
	return 2 * float64(p.Batch) * float64(p.M) * float64(p.K) * float64(p.N) * float64(p.Count)
}

// TrunkProducts returns the products of one Encode of the proposer for an image of w×h
// pixels.
func (m *Model) TrunkProducts(w, h int) []Product {
	return trunkProducts(m.config, m.config.Vision.tokens(w, h))
}

// CAMProducts returns the products of one CAM of so many directions for an image of w×h
// pixels.
func (m *Model) CAMProducts(w, h, directions int) []Product {
	return camProducts(m.config, directions, m.config.Vision.tokens(w, h))
}

// JudgeProducts returns the products of the judge for a batch of images of w×h pixels.
func (m *Model) JudgeProducts(w, h, images int) []Product {
	blocks := m.config.Vision.Layers
	if m.options.SkipLastBlock {
		blocks--
	}
	return judgeProducts(m.config, blocks, images, m.config.Vision.tokens(w, h))
}

// tokens is the number of tokens of an image of w×h pixels, including CLS.
func (t tower) tokens(w, h int) int { return 1 + (w/t.PatchSize)*(h/t.PatchSize) }

// blockProducts returns the products of a number of blocks for B images of L tokens.
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

// trunkProducts returns the products of the blocks, the patches and the caches (docs/algorithm.md
// 11.4, once per image).
func trunkProducts(c config, L int) []Product {
	t, N := c.Vision, L-1
	return append(blockProducts(t, 1, L, t.Layers),
		Product{1, N, 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		Product{1, N, t.Width, t.MLP, true, 1},
		Product{1, N, t.MLP, t.Width, true, 1})
}

// judgeProducts returns the products of the patches, of all blocks but the last, and of the
// keys and values of the last one; its other products are for one token only.
func judgeProducts(c config, blocks, B, L int) []Product {
	t := c.Vision
	return append(blockProducts(t, B, L, blocks-1),
		Product{1, B * (L - 1), 3 * t.PatchSize * t.PatchSize, t.Width, true, 1},
		Product{1, B * L, t.Width, t.Width, true, 2})
}

// camProducts returns the products that docs/algorithm.md 11.4 counts, for K directions:
// 10 N D^2 + 2 N L D each, of which 8 N D^2 are the MLP and 2 N D^2 out_proj; and, once,
// those of the attention probabilities, which are computed again.
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
