package densecrf

import (
	"context"
	"runtime"
)

// A CRF is the random field over one image. It is not safe for concurrent use.
type CRF struct {
	params Params
	w, h   int
	pool   *workerPool

	gaussian, bilateral kernel

	// full is, per pixel, the message of both kernels to a label whose marginal is 1
	// everywhere: Σ_k compat_k · n_k · K_k(n_k). As the marginals sum to one, the
	// message to label 0 is this minus the messages to all other labels.
	full []float32

	// The current call. With pairs every lane is a separate field of two labels;
	// without, the lanes are labels 1 and up of one field.
	unary, result []float32
	lanes         int
	pairs         bool
	blocks        []block

	// Without pairs, label 0 has no lane. Per pixel, minus0 is its unary energy
	// (-E, as everywhere below: larger is likelier), and rest is its current energy,
	// from which the messages to the other labels are subtracted, and then its
	// marginal. top and sum are the largest energy of the pixel and the denominator
	// of the softmax.
	minus0, rest, top, sum []float32

	ones block // of one lane, for the normalisation

	// Which fields still iterate, and if they may end early, their labels: by block with
	// pairs, one bit for each lane; else one number.
	fields []progress
	labels [][]uint16

	// The current step: its kernel, block, axis and values.
	kernel   *kernel
	block    *block
	axis     int
	src, dst []float32

	// Method values, bound once so that no step allocates.
	load, splat, blur, gather, segment, gap, norm, scaleSplat, fullMessage func(chunk int)
}

// A kernel is one of the pairwise terms.
type kernel struct {
	lattice
	gain  float32   // its Potts weight times alpha
	full  []float32 // its part of CRF.full
	spare []float32 // intermediate values, vertices × width
}

// New builds the field of an image of w×h pixels: both lattices and their
// normalisation. rgb holds interleaved triples, row by row. It is the image of the
// bilateral kernel (see WrapImage) and is not retained. The error is the context's.
func New(ctx context.Context, w, h int, rgb []uint8, p Params) (*CRF, error) {
	if w <= 0 || h <= 0 {
		panic("densecrf: the image is empty")
	}
	if p.Threads <= 0 {
		p.Threads = runtime.GOMAXPROCS(0)
	}
	c := &CRF{params: p, w: w, h: h, pool: newWorkerPool(p.Threads)}
	c.load, c.splat, c.blur, c.gather = c.loadChunk, c.splatChunk, c.blurChunk, c.gatherChunk
	c.segment, c.gap = c.segmentStep, c.gapStep
	c.norm, c.scaleSplat, c.fullMessage = c.normChunk, c.scaleSplatChunk, c.fullMessageChunk
	n := w * h
	c.full, c.minus0 = make([]float32, n), make([]float32, n)
	c.rest, c.top, c.sum = make([]float32, n), make([]float32, n), make([]float32, n)
	c.ones = block{lanes: 1, width: 1, q: make([]float32, n)}
	for p := range c.ones.q {
		c.ones.q[p] = 1
	}

	c.pool.start(ctx)
	defer c.pool.stop()
	// One strip, so that vertices are numbered in the order of the pixels, see band.go.
	c.gaussian.init(w, h, p.GaussianSXY, 0, 2, 1)
	c.gaussian.setCompat(p.GaussianCompat)
	c.gaussian.pool, c.bilateral.pool = c.pool, c.pool
	if err := c.gaussian.build(); err != nil {
		return nil, err
	}
	c.gaussian.planSegments(p.Threads)
	c.bilateral.init(w, h, p.BilateralSXY, p.BilateralSRGB, 5, p.Threads)
	c.bilateral.setCompat(p.BilateralCompat)
	c.normalise(&c.gaussian, 0)
	if err := c.rebuild(rgb); err != nil {
		return nil, err
	}
	return c, nil
}

func (k *kernel) setCompat(compat float32) {
	k.gain, k.full = k.alpha()*compat, make([]float32, k.n)
}

// Reset replaces the image by another of the same size. Only the bilateral lattice is
// built again, in the memory of the old one. The error is the context's; after an
// error the field has to be reset again before it is used.
func (c *CRF) Reset(ctx context.Context, rgb []uint8) error {
	c.pool.start(ctx)
	defer c.pool.stop()
	return c.rebuild(rgb)
}

func (c *CRF) rebuild(rgb []uint8) error {
	b := &c.bilateral
	b.feature.rgb = rgb[:3*c.w*c.h]
	err := b.build()
	b.feature.rgb = nil
	if err != nil {
		return err
	}
	c.normalise(b, 1)
	return c.pool.ctx.Err()
}

// Infer runs mean-field inference from the unary energies of the given number of
// labels, at least 2. unary and q hold one plane of w×h after the other, label
// by label; q receives the marginals and may be the same slice. From the second
// call on with the same number of labels nothing is allocated.
//
// Every pixel is connected to every other. An energy that is NaN, or a pixel without
// a finite energy, may therefore turn any marginal into NaN.
//
// The error is the context's, which is checked often, whatever the size and the
// number of iterations. After an error the content of q is undefined.
func (c *CRF) Infer(ctx context.Context, unary []float32, labels int, q []float32) error {
	if labels < 2 {
		panic("densecrf: a field needs two labels or more")
	}
	n := labels * c.w * c.h
	return c.infer(ctx, unary[:n], labels-1, labels == 2, q[:n])
}

// InferEach runs mean-field inference for several fields of two labels over the same
// image, at least 1. unary and q hold, field by field, the plane of the background and
// the plane of the foreground; q may be the same slice. The result of every field is,
// bit by bit, that of [CRF.Infer] with two labels. From the second call on with the
// same number of fields nothing is allocated. The error is the context's.
func (c *CRF) InferEach(ctx context.Context, unary []float32, fields int, q []float32) error {
	if fields < 1 {
		panic("densecrf: there is no field")
	}
	n := 2 * fields * c.w * c.h
	return c.infer(ctx, unary[:n], fields, true, q[:n])
}

func (c *CRF) infer(ctx context.Context, unary []float32, lanes int, pairs bool, q []float32) error {
	c.unary, c.result = unary, q
	c.arrangeBlocks(lanes, pairs)
	c.pool.start(ctx)
	defer c.pool.stop()

	parts := chunks(c.w * c.h)
	c.begin()
	for step := 0; c.proceed(step) && !c.pool.cancelled(); step++ {
		if step == 0 {
			c.pool.run(parts, c.load)
			continue
		}
		for i := range c.blocks {
			if b := &c.blocks[i]; !c.over(b) {
				c.filter(&c.gaussian, b, 0)
				c.filter(&c.bilateral, b, 1)
			}
		}
		c.pool.run(parts, c.gather)
	}
	c.unary, c.result, c.block, c.kernel, c.src, c.dst = nil, nil, nil, nil, nil, nil
	return ctx.Err()
}

// filter computes K_k(n_k·q) of a block up to the slicing: the values on the lattice,
// in the block's values of that kernel.
func (c *CRF) filter(k *kernel, b *block, slot int) {
	c.kernel, c.block = k, b
	size := (k.vertices + 1) * b.width
	b.value[slot], k.spare = grow(b.value[slot], size), grow(k.spare, size)
	clear(b.value[slot][:b.width])
	clear(k.spare[:b.width])
	// Every blur swaps the two buffers; the last one has to end in the block's.
	c.dst, c.src = b.value[slot], k.spare
	if k.d%2 == 0 {
		c.dst, c.src = c.src, c.dst
	}
	if k.segments > 0 {
		c.dst, c.src = b.value[slot], k.spare
		c.pool.run(k.segments, c.segment)
		c.pool.run(k.segments-1, c.gap)
		return
	}
	parts := chunks(k.vertices)
	c.pool.run(parts, c.splat)
	for c.axis = 0; c.axis <= k.d; c.axis++ {
		c.dst, c.src = c.src, c.dst
		c.pool.run(parts, c.blur)
	}
}

// normalise filters a field of ones, multiplies the weights of splatting and slicing by
// n_k = 1/sqrt(K_k(1) + 1e-20), and filters again to compute full.
func (c *CRF) normalise(k *kernel, slot int) {
	parts := chunks(k.n)
	c.filter(k, &c.ones, slot)
	c.pool.run(parts, c.norm)
	c.pool.run(chunks(len(k.pointWeight)), c.scaleSplat)
	c.filter(k, &c.ones, slot)
	c.pool.run(parts, c.fullMessage)
	c.block, c.kernel, c.src, c.dst = nil, nil, nil, nil
}

// normChunk computes n_k, stores it in full for the time being, and multiplies the
// weights of slicing by it.
func (c *CRF) normChunk(i int) {
	k := c.kernel
	from, to := chunk(i, k.n)
	k.slice(c.dst, k.alpha(), from, to)
	for p := from; p < to; p++ {
		n := rsqrt(k.full[p])
		k.full[p] = n
		for i := range k.weight[p*(k.d+1) : (p+1)*(k.d+1)] {
			k.weight[p*(k.d+1)+i] *= n
		}
	}
}

// scaleSplatChunk multiplies the weights of splatting by n_k.
func (c *CRF) scaleSplatChunk(i int) {
	k := c.kernel
	from, to := chunk(i, len(k.pointWeight))
	for i, p := range k.point[from:to] {
		k.pointWeight[from+i] *= k.full[p]
	}
}

func (c *CRF) fullMessageChunk(i int) {
	k := c.kernel
	from, to := chunk(i, k.n)
	k.slice(c.dst, k.gain, from, to)
	for p := from; p < to; p++ {
		c.full[p] = c.gaussian.full[p] + c.bilateral.full[p]
	}
}

// slice interpolates the lattice's values at the pixels, into full.
func (k *kernel) slice(value []float32, gain float32, from, to int) {
	d1 := k.d + 1
	for p := from; p < to; p++ {
		var sum float32
		weight := k.weight[p*d1 : (p+1)*d1]
		for i, v := range k.corner[p*d1 : (p+1)*d1] {
			sum += float32(weight[i] * value[v])
		}
		k.full[p] = gain * sum
	}
}
