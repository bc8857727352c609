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
const camMemory = 256 << 20

// A proposer is a model in the role of f. Calls take turns; Views may be alive
// side by side.
type proposer struct {
	*textEncoder
	model      *Model
	trunk, cam *ort.Session

	mu        sync.Mutex // over all below, and over runs
	positions positionTables
	free      []*view // closed, their memory waiting for an image of the same grid
	closed    bool
}

var _ car.Proposer = (*proposer)(nil)

func newProposer(m *Model) (*proposer, error) {
	trunk, err := m.session(trunkGraph(m.config, m.weights))
	if err != nil {
		return nil, err
	}
	cam, err := m.session(camGraph(m.config, m.weights))
	if err != nil {
		return nil, errors.Join(err, trunk.Close())
	}
	return &proposer{
		textEncoder: m.text, model: m, trunk: trunk, cam: cam,
		positions: positionTables{trained: m.table, width: m.config.Vision.Width},
	}, nil
}

// PatchSize implements [car.Proposer].
func (p *proposer) PatchSize() int { return p.model.config.Vision.PatchSize }

// Look implements [car.Proposer].
func (p *proposer) Look(ctx context.Context, img *car.Image) (car.View, error) {
	g, err := gridOf(img, p.PatchSize())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	v, err := p.take(g)
	if err != nil {
		return nil, fmt.Errorf("failed to look at an image: %w", err)
	}
	cut(v.patches, img, p.PatchSize())
	if err := p.trunk.Run(ctx, v.in, v.out); err != nil {
		p.giveBack(v)
		return nil, fmt.Errorf("failed to look at an image: %w", err)
	}
	v.closed = false
	return v, nil
}

// take returns a view with memory for a grid, a used one if there is one.
func (p *proposer) take(g grid) (*view, error) {
	for i, v := range p.free {
		if v.grid == g {
			p.free = append(p.free[:i], p.free[i+1:]...)
			return v, nil
		}
	}
	// A new size: what is kept for others is not likely to be wanted again.
	p.drop()
	return newView(p, g)
}

// giveBack keeps a view's memory for the next image.
func (p *proposer) giveBack(v *view) {
	if p.closed || len(p.free) >= 2 {
		v.destroy()
		return
	}
	p.free = append(p.free, v)
}

func (p *proposer) drop() {
	for _, v := range p.free {
		v.destroy()
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

// A view is what the trunk knows of one image. Its memory is Go's, laid out
// once per grid, and the trunk writes into it directly.
type view struct {
	proposer  *proposer
	grid      grid
	patches   []uint8 // the image
	feature   []float32
	length    []float32 // of the feature before it was made unit, one number
	attention []float32
	tensors   tensors
	in, out   []ort.Tensor // of the trunk
	caches    []ort.Tensor // of the CAM graph, behind df
	closed    bool
}

var _ car.View = (*view)(nil)

func newView(p *proposer, g grid) (*view, error) {
	c := p.model.config
	t := c.Vision
	N := g.patches()
	L := N + 1
	v := &view{
		proposer:  p,
		grid:      g,
		patches:   make([]uint8, N*3*t.PatchSize*t.PatchSize),
		feature:   make([]float32, c.Projection),
		length:    make([]float32, 1),
		attention: make([]float32, N*N),
		closed:    true,
	}
	D, F := t.Width, t.MLP
	cacheShapes := map[string][2]int{
		cacheY: {L, D}, cacheQ: {N, D}, cacheK: {L, D}, cacheV: {L, D}, cacheO: {N, D}, cacheXh2: {N, D}, cacheI2: {N, 1},
		cachePhi: {N, F}, cacheGm: {N, D}, cacheXhp: {N, D}, cacheIp: {N, 1},
	}
	v.in = []ort.Tensor{
		add(&v.tensors, v.patches, 1, N, 3*t.PatchSize*t.PatchSize),
		add(&v.tensors, p.positions.table(g), L, D),
		add(&v.tensors, attentionRows(t.Heads, L), attentionParts),
	}
	v.out = []ort.Tensor{
		add(&v.tensors, v.feature, c.Projection),
		add(&v.tensors, v.length, 1),
		add(&v.tensors, v.attention, 1, 1, N, N),
	}
	for _, name := range cacheNames {
		// The same memory under two shapes: the trunk's has its batch of one,
		// so that the operator that makes it can write into it.
		rows, cols := cacheShapes[name][0], cacheShapes[name][1]
		data := make([]float32, rows*cols)
		v.out = append(v.out, add(&v.tensors, data, 1, rows, cols))
		v.caches = append(v.caches, add(&v.tensors, data, rows, cols))
	}
	if v.tensors.err != nil {
		v.destroy()
		return nil, v.tensors.err
	}
	return v, nil
}

func (v *view) destroy() { v.tensors.destroy() }

// Grid implements [car.View].
func (v *view) Grid() (rows, cols int) { return v.grid.rows, v.grid.cols }

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
	N := v.grid.patches()
	// At the peak a direction has N×F and some N×D; the probabilities of a
	// head, N×L twice, come once.
	perDirection, once := 4*N*(t.MLP+4*t.Width), 8*N*N
	chunk := max(1, (camMemory-once)/perDirection)
	for len(directions) > 0 {
		n := min(chunk, len(directions))
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
	E, D, N, K := c.Projection, c.Vision.Width, v.grid.patches(), len(directions)
	df := make([]float32, K*E)
	for i, u := range directions {
		if len(u) != E {
			return nil, nil, fmt.Errorf("direction %d has %d numbers, want %d", i, len(u), E)
		}
		// The gradient of u·f/|f| by f (car.md 11.3).
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
	v.proposer.giveBack(v)
}
