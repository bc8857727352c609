package models

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ort"
)

// camMemory bounds the working memory of one run of the CAM graph, in bytes:
// directions are taken a few at a time when the image is large.
const camMemory = 128 << 20

// maxFree is how many batches wait at most: one that is looked at, one that waits and
// one in the loop come back at about the same time.
const maxFree = 3

// A proposer is a model in the role of f. Calls take turns; Views may be alive
// side by side.
type proposer struct {
	*textEncoder
	model      *Model
	trunk, cam *ort.Session

	mu        sync.Mutex // over all below, and over runs
	positions positionTables
	free      []*batch // closed, their memory waiting for images of the same grid
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

// Look implements [car.Proposer].
func (p *proposer) Encode(ctx context.Context, img *car.Image) (car.Features, error) {
	views, err := p.EncodeBatch(ctx, []*car.Image{img})
	if err != nil {
		return nil, err
	}
	return views[0], nil
}

// LookAll implements [car.BatchProposer].
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
	b, err := p.take(g, len(images))
	if err != nil {
		return nil, fmt.Errorf("failed to look at an image: %w", err)
	}
	for i, img := range images {
		cut(b.patches[i*len(b.patches)/len(images):], img, p.PatchSize())
	}
	if err := p.trunk.Run(ctx, b.in, b.out); err != nil {
		p.giveBack(b)
		return nil, fmt.Errorf("failed to look at an image: %w", err)
	}
	for _, v := range b.views {
		if w := wrong(v.feature); w != "" {
			p.giveBack(b)
			return nil, p.model.unsound("what it sees in a picture " + w)
		}
	}
	views := make([]car.Features, len(images))
	for i, v := range b.views {
		v.closed = false
		views[i] = v
	}
	b.alive = len(views)
	return views, nil
}

// take returns memory for so many images of a grid, used one if there is some.
func (p *proposer) take(g grid, images int) (*batch, error) {
	for i, b := range p.free {
		if b.grid == g && len(b.views) == images {
			p.free = append(p.free[:i], p.free[i+1:]...)
			return b, nil
		}
	}
	// A new size: what is kept for others is not likely to be wanted again.
	p.drop()
	return newBatch(p, g, images)
}

// giveBack keeps memory for the next images.
func (p *proposer) giveBack(b *batch) {
	if p.closed || len(p.free) >= maxFree {
		b.destroy()
		return
	}
	p.free = append(p.free, b)
}

func (p *proposer) drop() {
	for _, b := range p.free {
		b.destroy()
	}
	p.free = nil
}

func (p *proposer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.drop()
	return errors.Join(p.trunk.Close(), p.cam.Close())
}

// A batch is the memory of one run of the trunk. It is Go's, laid out once per
// grid and number of images, and the trunk writes into it directly; each view
// has its share of it.
type batch struct {
	grid    grid
	patches []uint8 // the images
	tensors tensors
	in, out []ort.Tensor // of the trunk
	views   []*view
	alive   int // views that are not closed
}

// A view is what the trunk knows of one image.
type view struct {
	proposer  *proposer
	batch     *batch
	feature   []float32
	length    []float32 // of the feature before it was made unit, one number
	attention []float32
	caches    []ort.Tensor // of the CAM graph, behind df
	closed    bool
}

var _ car.Features = (*view)(nil)

func newBatch(p *proposer, g grid, images int) (*batch, error) {
	c := p.model.config
	t := c.Vision
	N := g.patches()
	L, D, F, area := N+1, t.Width, t.MLP, 3*t.PatchSize*t.PatchSize
	b := &batch{grid: g, patches: make([]uint8, images*N*area)}
	for range images {
		b.views = append(b.views, &view{proposer: p, batch: b, closed: true})
	}
	b.in = []ort.Tensor{
		add(&b.tensors, b.patches, images, N, area),
		add(&b.tensors, p.positions.table(g), L, D),
		add(&b.tensors, attentionRows(images*t.Heads, L), attentionParts),
	}
	// output is memory for one output of the trunk, given to the views in parts.
	output := func(share func(v *view, part []float32), sides ...int) {
		n := elements(sides)
		data := make([]float32, images*n)
		b.out = append(b.out, add(&b.tensors, data, append([]int{images}, sides...)...))
		for i, v := range b.views {
			share(v, data[i*n:][:n:n])
		}
	}
	output(func(v *view, part []float32) { v.feature = part }, c.Projection)
	output(func(v *view, part []float32) { v.length = part }, 1)
	output(func(v *view, part []float32) { v.attention = part }, 1, N, N)
	cacheShapes := map[string][2]int{
		cacheY: {L, D}, cacheQ: {N, D}, cacheK: {L, D}, cacheV: {L, D}, cacheO: {N, D}, cacheXh2: {N, D}, cacheI2: {N, 1},
		cachePhi: {N, F}, cacheGm: {N, D}, cacheXhp: {N, D}, cacheIp: {N, 1},
	}
	for _, name := range cacheNames {
		rows, cols := cacheShapes[name][0], cacheShapes[name][1]
		output(func(v *view, part []float32) { v.caches = append(v.caches, add(&b.tensors, part, rows, cols)) }, rows, cols)
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

// Grid implements [car.View].
func (v *view) Grid() (rows, cols int) { return v.batch.grid.rows, v.batch.grid.cols }

// Feature implements [car.View].
func (v *view) Feature() []float32 { return v.feature }

// Attention implements [car.View].
func (v *view) Attention() []float32 { return v.attention }

// CAM implements [car.View].
func (v *view) CAM(ctx context.Context, directions [][]float32) ([][]float32, error) {
	maps, _, err := v.cam(ctx, directions)
	return maps, err
}

// cam also returns the mean gradients w, as wide as the model.
func (v *view) cam(ctx context.Context, directions [][]float32) (maps, gradients [][]float32, err error) {
	p := v.proposer
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.closed || p.closed {
		return nil, nil, errors.New("the view is closed")
	}
	t := p.model.config.Vision
	N := v.batch.grid.patches()
	// At the peak a direction has N×F and some N×D; the probabilities of a
	// head, N×L twice, come once.
	perDirection, once := 4*N*(t.MLP+4*t.Width), 8*N*N
	chunk := max(1, (camMemory-once)/perDirection)
	runs := (len(directions) + chunk - 1) / chunk
	for ; runs > 0; runs-- { // of about equal length: what comes once per run is shared by most
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

func (v *view) camBatch(ctx context.Context, directions [][]float32) (maps, gradients [][]float32, err error) {
	c := v.proposer.model.config
	E, D, N, K := c.Projection, c.Vision.Width, v.batch.grid.patches(), len(directions)
	df := make([]float32, K*E)
	for i, u := range directions {
		if len(u) != E {
			return nil, nil, fmt.Errorf("direction %d has %d numbers, want %d", i, len(u), E)
		}
		// The gradient of u·f/|f| by f (docs/algorithm.md 11.3).
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
		return nil, nil, v.proposer.model.unsound("where it sees something is not a number")
	}
	for i := range K {
		maps = append(maps, m[i*N:(i+1)*N:(i+1)*N])
		gradients = append(gradients, w[i*D:(i+1)*D:(i+1)*D])
	}
	return maps, gradients, nil
}

// Close implements [car.View].
func (v *view) Close() {
	v.proposer.mu.Lock()
	defer v.proposer.mu.Unlock()
	if v.closed {
		return
	}
	v.closed = true
	if v.batch.alive--; v.batch.alive == 0 {
		v.proposer.giveBack(v.batch)
	}
}
