package densecrf

import (
	"context"
	"runtime"
)

// A CRF is the field over one picture. It is not safe for concurrent use.
type CRF struct {
	params Params
	w, h   int
	crew   *crew

	gaussian, bilateral kernel

	// full is, per pixel, what the two kernels give to a label whose marginal
	// is 1 everywhere: Σ_k compat_k · n_k · K_k(n_k). As the marginals sum to
	// one, label 0 gets this minus what all other labels get.
	full []float32

	// The current call. With pairs every lane is a field of two labels of its
	// own; without, the lanes are labels 1 and up of one field.
	unary, result []float32
	lanes         int
	pairs         bool
	blocks        []block

	// Without pairs, label 0 has no lane. Per pixel: its energy (-E, as
	// everywhere below: larger is likelier) in minus0, then what is left of
	// its current energy, and its marginal, in rest. top and sum are the
	// largest energy of the pixel and the softmax's denominator.
	minus0, rest, top, sum []float32

	ones block // of one lane, for the normalisation

	// The current step: its kernel, block, axis and values, and whether the
	// marginals go to the caller.
	on       *kernel
	block    *block
	axis     int
	src, dst []float32
	last     bool

	// Bound once, so that no step allocates.
	load, splat, blur, gather, segment, gap, norm, weigh, sure func(chunk int)
}

// A kernel is one of the pairwise terms.
type kernel struct {
	lattice
	gain  float32   // its Potts weight, and what undoes the gain of the blur
	full  []float32 // its part of CRF.full
	spare []float32 // values on the way, vertices × width
}

// New builds the field of a picture of w×h pixels: both lattices and their
// normalisation. rgb holds interleaved triples, row by row; it is the picture
// that the bilateral kernel sees (see WrapImage) and is not kept. The error is the
// context's.
func New(ctx context.Context, w, h int, rgb []uint8, p Params) (*CRF, error) {
	if w <= 0 || h <= 0 {
		panic("densecrf: the picture is empty")
	}
	if p.Threads <= 0 {
		p.Threads = runtime.GOMAXPROCS(0)
	}
	c := &CRF{params: p, w: w, h: h, crew: newCrew(p.Threads)}
	c.load, c.splat, c.blur, c.gather = c.loadChunk, c.splatChunk, c.blurChunk, c.gatherChunk
	c.segment, c.gap = c.segmentStep, c.gapStep
	c.norm, c.weigh, c.sure = c.normChunk, c.weighChunk, c.sureChunk
	n := w * h
	c.full, c.minus0 = make([]float32, n), make([]float32, n)
	c.rest, c.top, c.sum = make([]float32, n), make([]float32, n), make([]float32, n)
	c.ones = block{lanes: 1, width: 1, q: make([]float32, n)}
	for p := range c.ones.q {
		c.ones.q[p] = 1
	}

	c.crew.start(ctx)
	defer c.crew.stop()
	// One strip: numbers in the order of the pixels, see band.go.
	c.gaussian.init(w, h, p.GaussianSXY, 0, 2, 1)
	c.gaussian.setCompat(p.GaussianCompat)
	c.gaussian.crew, c.bilateral.crew = c.crew, c.crew
	if err := c.gaussian.build(); err != nil {
		return nil, err
	}
	c.gaussian.measure(p.Threads)
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

// Reset replaces the picture by another of the same size. Only what depends on
// colour is built again, in the memory that is there. The error is the context's;
// after one the field is of no picture, until it is reset again.
func (c *CRF) Reset(ctx context.Context, rgb []uint8) error {
	c.crew.start(ctx)
	defer c.crew.stop()
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
	return c.crew.ctx.Err()
}

// Infer runs the mean field from the unary energies of the given number of
// labels, at least 2. unary and q hold one plane of w×h after the other, label
// by label; q receives the marginals and may be the same slice. From the second
// call on with the same number of labels nothing is allocated.
//
// Every pixel sees every other, so an energy that is NaN, or infinite ones that
// leave a pixel no finite label, may turn any marginal into NaN.
//
// The error is the context's, which is looked at all along, whatever the size and
// the number of iterations; what q holds then is of no use.
func (c *CRF) Infer(ctx context.Context, unary []float32, labels int, q []float32) error {
	if labels < 2 {
		panic("densecrf: a field needs two labels or more")
	}
	n := labels * c.w * c.h
	return c.infer(ctx, unary[:n], labels-1, labels == 2, q[:n])
}

// InferEach runs the mean field of several fields of two labels over the same
// picture, at least 1. unary and q hold, field by field, the plane of the
// background and the plane of the foreground; q may be the same slice. Every
// field comes out as [CRF.Infer] does it with two labels, to the bit. From the
// second call on with the same number of fields nothing is allocated. The error is
// the context's.
func (c *CRF) InferEach(ctx context.Context, unary []float32, fields int, q []float32) error {
	if fields < 1 {
		panic("densecrf: there is no field")
	}
	n := 2 * fields * c.w * c.h
	return c.infer(ctx, unary[:n], fields, true, q[:n])
}

func (c *CRF) infer(ctx context.Context, unary []float32, lanes int, pairs bool, q []float32) error {
	c.unary, c.result = unary, q
	c.arrange(lanes, pairs)
	c.crew.start(ctx)
	defer c.crew.stop()

	parts := chunks(c.w * c.h)
	c.last = c.params.Iterations == 0
	c.crew.run(parts, c.load)
	for i := range c.params.Iterations {
		if c.crew.stopped() {
			break
		}
		for i := range c.blocks {
			b := &c.blocks[i]
			c.filter(&c.gaussian, b, 0)
			c.filter(&c.bilateral, b, 1)
		}
		c.last = i == c.params.Iterations-1
		c.crew.run(parts, c.gather)
	}
	c.unary, c.result, c.block, c.on, c.src, c.dst = nil, nil, nil, nil, nil, nil
	return ctx.Err()
}

// filter leaves K_k(n_k·q) of a block, unsliced, in its values of that kernel.
func (c *CRF) filter(k *kernel, b *block, slot int) {
	c.on, c.block = k, b
	size := (k.vertices + 1) * b.width
	b.value[slot], k.spare = grow(b.value[slot], size), grow(k.spare, size)
	clear(b.value[slot][:b.width])
	clear(k.spare[:b.width])
	// Every blur changes sides; the last one is to end on the block's.
	c.dst, c.src = b.value[slot], k.spare
	if k.d%2 == 0 {
		c.dst, c.src = c.src, c.dst
	}
	if k.segments > 0 {
		c.dst, c.src = b.value[slot], k.spare
		c.crew.run(k.segments, c.segment)
		c.crew.run(k.segments-1, c.gap)
		return
	}
	parts := chunks(k.vertices)
	c.crew.run(parts, c.splat)
	for c.axis = 0; c.axis <= k.d; c.axis++ {
		c.dst, c.src = c.src, c.dst
		c.crew.run(parts, c.blur)
	}
}

// normalise filters a field of ones, folds n_k = 1/sqrt(K_k(1) + 1e-20) into
// the weights on both sides, splatting and slicing, and filters again to learn
// what a sure label gets.
func (c *CRF) normalise(k *kernel, slot int) {
	parts := chunks(k.n)
	c.filter(k, &c.ones, slot)
	c.crew.run(parts, c.norm)
	c.crew.run(chunks(len(k.share)), c.weigh)
	c.filter(k, &c.ones, slot)
	c.crew.run(parts, c.sure)
	c.block, c.on, c.src, c.dst = nil, nil, nil, nil
}

// normChunk finds n_k, for the time being in the place of full, and multiplies
// the weights of slicing by it.
func (c *CRF) normChunk(i int) {
	k := c.on
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

// weighChunk multiplies the weights of splatting.
func (c *CRF) weighChunk(i int) {
	k := c.on
	from, to := chunk(i, len(k.share))
	for i, p := range k.point[from:to] {
		k.share[from+i] *= k.full[p]
	}
}

func (c *CRF) sureChunk(i int) {
	k := c.on
	from, to := chunk(i, k.n)
	k.slice(c.dst, k.gain, from, to)
	for p := from; p < to; p++ {
		c.full[p] = c.gaussian.full[p] + c.bilateral.full[p]
	}
}

// slice reads one value per pixel off the lattice, into full.
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
