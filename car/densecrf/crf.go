package densecrf

import "runtime"

// A CRF is the field over one picture. It is not safe for concurrent use.
type CRF struct {
	params Params
	w, h   int
	crew   *crew

	// Pixels are numbered tile by tile inside: point p is pixel at[p].
	at []int32

	gaussian, bilateral kernel

	// full is, per point, what the two kernels give to a label whose marginal
	// is 1 everywhere: Σ_k compat_k · n_k · K_k(n_k). As the marginals sum to
	// one, label 0 gets this minus what all other labels get.
	full []float32

	// The current call. With pairs every lane is a field of two labels of its
	// own; without, the lanes are labels 1 and up of one field.
	unary, result []float32
	lanes         int
	pairs         bool
	blocks        []block

	// Without pairs, label 0 has no lane. Per point: its energy (-E, as
	// everywhere below: larger is likelier) in minus0, then what is left of
	// its current energy, and its marginal, in rest. top and sum are the
	// largest energy of the point and the softmax's denominator.
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
	load, splat, blur, gather, invert, add func(chunk int)
}

// A kernel is one of the pairwise terms.
type kernel struct {
	lattice
	compat float32
	gain   float32   // compat, and what undoes the gain of the blur
	full   []float32 // its part of CRF.full

	spare []float32 // values on the way, vertices × width
}

// New builds the field of a picture of w×h pixels: both lattices and their
// normalisation. rgb holds interleaved triples, row by row; it is the picture
// that the bilateral kernel sees (see WrapImage) and is not kept.
func New(w, h int, rgb []uint8, p Params) *CRF {
	if w <= 0 || h <= 0 {
		panic("densecrf: the picture is empty")
	}
	if p.Threads <= 0 {
		p.Threads = runtime.GOMAXPROCS(0)
	}
	c := &CRF{params: p, w: w, h: h, crew: newCrew(p.Threads), at: tiles(w, h)}
	c.load, c.splat, c.blur, c.gather = c.loadChunk, c.splatChunk, c.blurChunk, c.gatherChunk
	c.invert, c.add = c.invertChunk, c.addChunk
	n := w * h
	c.full, c.minus0 = make([]float32, n), make([]float32, n)
	c.rest, c.top, c.sum = make([]float32, n), make([]float32, n), make([]float32, n)
	c.ones = block{lanes: 1, width: 1, q: make([]float32, n)}
	for p := range c.ones.q {
		c.ones.q[p] = 1
	}

	c.crew.start()
	defer c.crew.stop()
	c.gaussian.init(w, h, c.at, p.GaussianSXY, 0, 2, p.Threads)
	c.gaussian.setCompat(p.GaussianCompat)
	c.gaussian.build(c.crew)
	c.normalise(&c.gaussian)
	c.bilateral.init(w, h, c.at, p.BilateralSXY, p.BilateralSRGB, 5, p.Threads)
	c.bilateral.setCompat(p.BilateralCompat)
	c.rebuild(rgb)
	return c
}

func (k *kernel) setCompat(compat float32) {
	k.compat, k.gain, k.full = compat, k.alpha()*compat, make([]float32, k.n)
}

// Reset replaces the picture by another of the same size. Only what depends on
// colour is built again, in the memory that is there.
func (c *CRF) Reset(rgb []uint8) {
	c.crew.start()
	defer c.crew.stop()
	c.rebuild(rgb)
}

func (c *CRF) rebuild(rgb []uint8) {
	b := &c.bilateral
	b.feature.rgb = rgb[:3*c.w*c.h]
	b.build(c.crew)
	b.feature.rgb = nil
	c.normalise(b)
	c.crew.run(chunks(b.n), c.add)
}

func (c *CRF) addChunk(i int) {
	from, to := chunk(i, len(c.full))
	for p := from; p < to; p++ {
		c.full[p] = c.gaussian.full[p] + c.bilateral.full[p]
	}
}

// Infer runs the mean field from the unary energies of the given number of
// labels, at least 2. unary and q hold one plane of w×h after the other, label
// by label; q receives the marginals and may be the same slice. From the second
// call on with the same number of labels nothing is allocated.
//
// Every pixel sees every other, so an energy that is NaN, or infinite ones that
// leave a pixel no finite label, may turn any marginal into NaN.
func (c *CRF) Infer(unary []float32, labels int, q []float32) {
	if labels < 2 {
		panic("densecrf: a field needs two labels or more")
	}
	n := labels * c.w * c.h
	c.infer(unary[:n], labels-1, labels == 2, q[:n])
}

// InferEach runs the mean field of several fields of two labels over the same
// picture, at least 1. unary and q hold, field by field, the plane of the
// background and the plane of the foreground; q may be the same slice. Every
// field comes out as [CRF.Infer] does it with two labels, to the bit. From the
// second call on with the same number of fields nothing is allocated.
func (c *CRF) InferEach(unary []float32, fields int, q []float32) {
	if fields < 1 {
		panic("densecrf: there is no field")
	}
	n := 2 * fields * c.w * c.h
	c.infer(unary[:n], fields, true, q[:n])
}

func (c *CRF) infer(unary []float32, lanes int, pairs bool, q []float32) {
	c.unary, c.result = unary, q
	c.arrange(lanes, pairs)
	c.crew.start()
	defer c.crew.stop()

	parts := chunks(c.w * c.h)
	c.last = c.params.Iterations == 0
	c.crew.run(parts, c.load)
	for i := range c.params.Iterations {
		for i := range c.blocks {
			b := &c.blocks[i]
			c.filter(&c.gaussian, b, 0)
			c.filter(&c.bilateral, b, 1)
		}
		c.last = i == c.params.Iterations-1
		c.crew.run(parts, c.gather)
	}
	c.unary, c.result, c.block, c.on, c.src, c.dst = nil, nil, nil, nil, nil, nil
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
	parts := chunks(k.vertices)
	c.crew.run(parts, c.splat)
	for c.axis = 0; c.axis <= k.d; c.axis++ {
		c.dst, c.src = c.src, c.dst
		c.crew.run(parts, c.blur)
	}
}

// normalise filters a field of ones, folds n_k = 1/sqrt(K_k(1) + 1e-20) into
// the weights, and filters again to learn what a sure label gets.
func (c *CRF) normalise(k *kernel) {
	slot := 0
	if k == &c.bilateral {
		slot = 1
	}
	parts := chunks(k.n)
	c.filter(k, &c.ones, slot)
	c.crew.run(parts, c.invert)
	k.lattice.normalise(k.full)
	c.filter(k, &c.ones, slot)
	k.slice(k.full, c.dst, k.gain, 0, k.n)
	c.block, c.on = nil, nil
}

// invertChunk turns the values of the field of ones into n_k.
func (c *CRF) invertChunk(i int) {
	k := c.on
	from, to := chunk(i, k.n)
	k.slice(k.full, c.dst, k.alpha(), from, to)
	for p, v := range k.full[from:to] {
		k.full[from+p] = rsqrt(v)
	}
}

// slice reads one value per point off the lattice.
func (k *kernel) slice(dst, value []float32, gain float32, from, to int) {
	d1 := k.d + 1
	for p := from; p < to; p++ {
		var sum float32
		weight := k.weight[p*d1 : (p+1)*d1]
		for i, v := range k.corner[p*d1 : (p+1)*d1] {
			sum += float32(weight[i] * value[v])
		}
		dst[p] = gain * sum
	}
}
