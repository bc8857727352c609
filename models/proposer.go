package models

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ort"
)

// camMemory is the working memory of one run of the CAM graph, in bytes: for a large image
// directions are computed a few at a time.
const camMemory = 128 << 20

// maxFree is the largest number of free batches. One that is encoded, one that waits and
// one in the loop are returned at about the same time.
const maxFree = 3

// A proposer is a model in the role of f. It is safe for concurrent use; runs do not
// overlap. Several Features may exist at the same time.
type proposer struct {
	*textEncoder
	model      *Model
	trunk, cam *ort.Session

	mu        sync.Mutex // for all fields below, and for runs
	positions positionTables
	free      []*batch // closed, to be reused for images of the same grid
	closed    bool
}

var _ car.BatchProposer = (*proposer)(nil)

func newProposer(m *Model) (*proposer, error) {
	trunk, err := m.session(m.trunk)
	if err != nil {
		return nil, err
	}
	cam, err := m.session(m.cam)
	if err != nil {
		return nil, errors.Join(err, trunk.Close())
	}
	m.trunk, m.cam = nil, nil
	return &proposer{
		textEncoder: m.text, model: m, trunk: trunk, cam: cam,
		positions: positionTables{trained: m.table, width: m.config.Vision.Width},
	}, nil
}

// PatchSize implements [car.Proposer].
func (p *proposer) PatchSize() int { return p.model.config.Vision.PatchSize }

// Encode implements [car.Proposer].
func (p *proposer) Encode(ctx context.Context, img *car.Image) (car.Features, error) {
	features, err := p.EncodeBatch(ctx, []*car.Image{img})
	if err != nil {
		return nil, err
	}
	return features[0], nil
}

// EncodeBatch implements [car.BatchProposer].
func (p *proposer) EncodeBatch(ctx context.Context, images []*car.Image) ([]car.Features, error) {
	if len(images) == 0 {
		return nil, nil
	}
	g, err := gridOfAll(images, p.PatchSize())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	b, err := p.takeBatch(g, len(images))
	if err != nil {
		return nil, fmt.Errorf("failed to encode an image: %w", err)
	}
	for i, img := range images {
		extractPatches(b.patches[i*len(b.patches)/len(images):], img, p.PatchSize())
	}
	if err := p.trunk.Run(ctx, b.in, b.out); err != nil {
		p.returnBatch(b)
		return nil, fmt.Errorf("failed to encode an image: %w", err)
	}
	for _, v := range b.features {
		if w := vectorDefect(v.feature); w != "" {
			p.returnBatch(b)
			return nil, p.model.invalid("its feature of an image " + w)
		}
	}
	features := make([]car.Features, len(images))
	for i, v := range b.features {
		v.closed = false
		features[i] = v
	}
	b.alive = len(features)
	return features, nil
}

// takeBatch returns a batch for so many images of a grid, a free one if there is one.
func (p *proposer) takeBatch(g grid, images int) (*batch, error) {
	for i, b := range p.free {
		if b.grid == g && len(b.features) == images {
			p.free = append(p.free[:i], p.free[i+1:]...)
			return b, nil
		}
	}
	// A new size: the free batches of other sizes are not likely to be needed again.
	p.destroyFree()
	return newBatch(p, g, images)
}

// returnBatch keeps a batch for the next images.
func (p *proposer) returnBatch(b *batch) {
	if p.closed || len(p.free) >= maxFree {
		b.destroy()
		return
	}
	p.free = append(p.free, b)
}

func (p *proposer) destroyFree() {
	for _, b := range p.free {
		b.destroy()
	}
	p.free = nil
}

func (p *proposer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.destroyFree()
	return errors.Join(p.trunk.Close(), p.cam.Close())
}

// A batch is the memory of one run of the trunk. It is allocated by Go, once per grid and
// number of images, and the trunk writes to it directly. Each image has a part of it.
type batch struct {
	grid     grid
	patches  []uint8 // the images
	tensors  tensors
	in, out  []ort.Tensor // of the trunk
	features []*imageFeatures
	alive    int // features that are not closed
}

// imageFeatures are the outputs of the trunk for one image.
type imageFeatures struct {
	proposer  *proposer
	batch     *batch
	feature   []float32
	length    []float32 // of the feature before normalisation, one number
	attention []float32
	caches    []ort.Tensor // inputs of the CAM graph after df
	closed    bool
}

var _ car.Features = (*imageFeatures)(nil)

func newBatch(p *proposer, g grid, images int) (*batch, error) {
	c := p.model.config
	t := c.Vision
	N := g.patches()
	L, D, F, area := N+1, t.Width, t.MLP, 3*t.PatchSize*t.PatchSize
	b := &batch{grid: g, patches: make([]uint8, images*N*area)}
	for range images {
		b.features = append(b.features, &imageFeatures{proposer: p, batch: b, closed: true})
	}
	b.in = []ort.Tensor{
		add(&b.tensors, b.patches, images, N, area),
		add(&b.tensors, p.positions.table(g), L, D),
		add(&b.tensors, attentionRows(images*t.Heads, L), attentionParts),
	}
	// output allocates one output of the trunk and gives each image its part of it.
	output := func(share func(v *imageFeatures, part []float32), sides ...int) {
		n := elements(sides)
		data := make([]float32, images*n)
		b.out = append(b.out, add(&b.tensors, data, append([]int{images}, sides...)...))
		for i, v := range b.features {
			share(v, data[i*n:][:n:n])
		}
	}
	output(func(v *imageFeatures, part []float32) { v.feature = part }, c.Projection)
	output(func(v *imageFeatures, part []float32) { v.length = part }, 1)
	output(func(v *imageFeatures, part []float32) { v.attention = part }, 1, N, N)
	cacheShapes := map[string][2]int{
		cacheY: {L, D}, cacheQ: {N, D}, cacheK: {L, D}, cacheV: {L, D}, cacheO: {N, D}, cacheXh2: {N, D}, cacheI2: {N, 1},
		cachePhi: {N, F}, cacheGm: {N, D}, cacheXhp: {N, D}, cacheIp: {N, 1},
	}
	for _, name := range cacheNames {
		rows, cols := cacheShapes[name][0], cacheShapes[name][1]
		output(func(v *imageFeatures, part []float32) { v.caches = append(v.caches, add(&b.tensors, part, rows, cols)) }, rows, cols)
	}
	if b.tensors.err != nil {
		b.destroy()
		return nil, b.tensors.err
	}
	return b, nil
}

func (b *batch) destroy() { b.tensors.destroy() }

func elements(sides []int) int {
	n := 1
	for _, s := range sides {
		n *= s
	}
	return n
}

// Grid implements [car.Features].
func (v *imageFeatures) Grid() (rows, cols int) { return v.batch.grid.rows, v.batch.grid.cols }

// Feature implements [car.Features].
func (v *imageFeatures) Feature() []float32 { return v.feature }

// Attention implements [car.Features].
func (v *imageFeatures) Attention() []float32 { return v.attention }

// CAM implements [car.Features].
func (v *imageFeatures) CAM(ctx context.Context, directions [][]float32) ([][]float32, error) {
	maps, _, err := v.cam(ctx, directions)
	return maps, err
}

// cam is CAM, and also returns the mean gradients w, of the model's width.
func (v *imageFeatures) cam(ctx context.Context, directions [][]float32) (maps, gradients [][]float32, err error) {
	p := v.proposer
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.closed || p.closed {
		return nil, nil, errors.New("the features of the image are closed")
	}
	t := p.model.config.Vision
	N := v.batch.grid.patches()
	// At the peak a direction needs N×F and some N×D numbers; the probabilities of a
	// head, N×L twice, are shared by all directions.
	perDirection, once := 4*N*(t.MLP+4*t.Width), 8*N*N
	chunk := max(1, (camMemory-once)/perDirection)
	runs := (len(directions) + chunk - 1) / chunk
	for ; runs > 0; runs-- { // of about equal size, so that the shared part is computed for as many as possible
		n := (len(directions) + runs - 1) / runs
		m, w, err := v.camBatch(ctx, directions[:n])
		if err != nil {
			return nil, nil, fmt.Errorf("failed to compute class activation maps: %w", err)
		}
		maps, gradients = append(maps, m...), append(gradients, w...)
		directions = directions[n:]
	}
	return maps, gradients, nil
}

func (v *imageFeatures) camBatch(ctx context.Context, directions [][]float32) (maps, gradients [][]float32, err error) {
	c := v.proposer.model.config
	E, D, N, K := c.Projection, c.Vision.Width, v.batch.grid.patches(), len(directions)
	df := make([]float32, K*E)
	for i, u := range directions {
		if len(u) != E {
			return nil, nil, fmt.Errorf("direction %d has %d numbers, want %d", i, len(u), E)
		}
		// The gradient of u·f/|f| with respect to f (docs/algorithm.md 11.3).
		var along float64
		for j, f := range v.feature {
			along += float64(u[j]) * float64(f)
		}
		for j, f := range v.feature {
			df[i*E+j] = (u[j] - f*float32(along)) / v.length[0]
		}
	}
	w, m := make([]float32, K*D), make([]float32, K*N)
	var t tensors
	defer t.destroy()
	in := append([]ort.Tensor{add(&t, df, K, E)}, v.caches...)
	out := []ort.Tensor{add(&t, w, K, D), add(&t, m, K, N)}
	if t.err != nil {
		return nil, nil, t.err
	}
	if err := v.proposer.cam.Run(ctx, in, out); err != nil {
		return nil, nil, err
	}
	if !finite(w) || !finite(m) {
		return nil, nil, v.proposer.model.invalid("its class activation map is not a number")
	}
	for i := range K {
		maps = append(maps, m[i*N:(i+1)*N:(i+1)*N])
		gradients = append(gradients, w[i*D:(i+1)*D:(i+1)*D])
	}
	return maps, gradients, nil
}

// Close implements [car.Features].
func (v *imageFeatures) Close() {
	v.proposer.mu.Lock()
	defer v.proposer.mu.Unlock()
	if v.closed {
		return
	}
	v.closed = true
	if v.batch.alive--; v.batch.alive == 0 {
		v.proposer.returnBatch(v.batch)
	}
}
