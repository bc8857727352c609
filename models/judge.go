package models

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ort"
)

// judgeTokens is the largest number of tokens of one run of the classifier, which bounds
// its working memory: further images are encoded in the next run.
const judgeTokens = 4096

// A judge is a model in the role of g. It is safe for concurrent use; runs do not
// overlap.
type judge struct {
	*textEncoder
	model   *Model
	session *ort.Session

	mu        sync.Mutex
	positions positionTables
	patches   []uint8 // of the current run
	closed    bool
}

var _ car.Judge = (*judge)(nil)

func newJudge(m *Model) (*judge, error) {
	n, err := classifierGraph(m.config, m.weights, m.options.SkipLastBlock, m.options.Precision)
	if err != nil {
		return nil, err
	}
	s, err := m.session(n)
	if err != nil {
		return nil, err
	}
	return &judge{
		textEncoder: m.text, model: m, session: s,
		positions: positionTables{trained: m.table, width: m.config.Vision.Width},
	}, nil
}

// InputSize implements [car.Judge].
func (j *judge) InputSize() int { return j.model.config.Vision.ImageSize }

// PatchSize implements [car.Judge].
func (j *judge) PatchSize() int { return j.model.config.Vision.PatchSize }

// EncodeImages implements [car.Judge].
func (j *judge) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	if len(images) == 0 {
		return nil, nil
	}
	g, err := gridOfAll(images, j.PatchSize())
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, errClosed
	}
	var vectors [][]float32
	for batch := range slices.Chunk(images, max(1, judgeTokens/(g.patches()+1))) {
		v, err := j.run(ctx, g, batch)
		if err != nil {
			return nil, fmt.Errorf("failed to encode images: %w", err)
		}
		vectors = append(vectors, v...)
	}
	return vectors, nil
}

func (j *judge) run(ctx context.Context, g grid, images []*car.Image) ([][]float32, error) {
	c := j.model.config
	B, N, area := len(images), g.patches(), 3*c.Vision.PatchSize*c.Vision.PatchSize
	j.patches = slices.Grow(j.patches[:0], B*N*area)[:B*N*area]
	for i, img := range images {
		extractPatches(j.patches[i*N*area:][:N*area], img, c.Vision.PatchSize)
	}
	flat := make([]float32, B*c.Projection)
	var t tensors
	defer t.destroy()
	in := []ort.Tensor{
		add(&t, j.patches, B, N, area),
		add(&t, j.positions.table(g), N+1, c.Vision.Width),
	}
	out := []ort.Tensor{add(&t, flat, B, c.Projection)}
	if t.err != nil {
		return nil, t.err
	}
	if err := j.session.Run(ctx, in, out); err != nil {
		return nil, err
	}
	vectors := slices.Collect(slices.Chunk(flat, c.Projection))
	for _, v := range vectors {
		if w := vectorDefect(v); w != "" {
			return nil, j.model.invalid("its vector of an image " + w)
		}
	}
	return vectors, nil
}

func (j *judge) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	return j.session.Close()
}
