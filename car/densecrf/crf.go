package densecrf

import "runtime"

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

	// The current Infer. Label 0 has no block; rest holds its energy (-E, as
	// everywhere below: larger is likelier), per pixel.
	unary, result []float32
	labels        int
	blocks        []block
	rest          []float32

	// The current step: its kernel, block and axis.
	on    *kernel
	block *block
	axis  int

	// Bound once, so that no step allocates.
	load, settle, splat, blur, gather, store func(chunk int)
}

// A kernel is one of the pairwise terms.
type kernel struct {
	lattice
	compat float32
	full   []float32 // its part of CRF.full

	// value holds the lattice's values, vertices × width, before and after
	// the blur along an axis; which of them is current alternates.
	value [2][]float32
}

// A block is a run of labels whose values lie side by side.
type block struct {
	first  int       // its first label
	labels int       // in use; the rest of the width is padding
	width  int       // 1, 4 or 8
	minusU []float32 // pixels × width
	q      []float32 // pixels × width: marginals, and energies until they settle
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
	c := &CRF{params: p, w: w, h: h, crew: newCrew(p.Threads)}
	c.load, c.settle, c.store = c.loadChunk, c.settleChunk, c.storeChunk
	c.splat, c.blur, c.gather = c.splatChunk, c.blurChunk, c.gatherChunk
	n := w * h
	c.full, c.rest = make([]float32, n), make([]float32, n)

	c.crew.start()
	defer c.crew.stop()
	c.gaussian.init(w, h, p.GaussianSXY, 0, 2, p.Threads)
	c.gaussian.compat, c.gaussian.full = p.GaussianCompat, make([]float32, n)
	c.gaussian.build(c.crew)
	c.normalise(&c.gaussian)
	c.bilateral.init(w, h, p.BilateralSXY, p.BilateralSRGB, 5, p.Threads)
	c.bilateral.compat, c.bilateral.full = p.BilateralCompat, make([]float32, n)
	c.rebuild(rgb)
	return c
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
	for p := range c.full {
		c.full[p] = c.gaussian.full[p] + b.full[p]
	}
}

// Infer runs the mean field from the unary energies of the given number of
// labels, at least 2. unary and q hold one plane of w×h after the other, label
// by label; q receives the marginals and may be the same slice. From the second
// call on with the same number of labels nothing is allocated.
func (c *CRF) Infer(unary []float32, labels int, q []float32) {
	n := c.w * c.h
	if labels < 2 {
		panic("densecrf: a field needs two labels or more")
	}
	c.unary, c.result = unary[:labels*n], q[:labels*n]
	c.arrange(labels)
	c.crew.start()
	defer c.crew.stop()

	parts := chunks(n)
	c.crew.run(parts, c.load)
	c.crew.run(parts, c.settle)
	for range c.params.Iterations {
		for i := range c.blocks {
			c.block = &c.blocks[i]
			c.filter(&c.gaussian)
			c.filter(&c.bilateral)
			c.crew.run(parts, c.gather)
		}
		c.crew.run(parts, c.settle)
	}
	c.crew.run(parts, c.store)
	c.unary, c.result, c.block, c.on = nil, nil, nil, nil
}

// arrange splits labels 1 and up into blocks. Memory once had is kept for
// another number of labels.
func (c *CRF) arrange(labels int) {
	if c.labels == labels {
		return
	}
	c.labels = labels
	n := c.w * c.h
	count := 0
	for first := 1; first < labels; count++ {
		if count == cap(c.blocks) {
			c.blocks = append(c.blocks[:count], block{})
		}
		c.blocks = c.blocks[:count+1]
		b := &c.blocks[count]
		b.first, b.labels, b.width = first, min(labels-first, maxWidth), maxWidth
		switch {
		case b.labels == 1:
			b.width = 1
		case b.labels <= 4:
			b.width = 4
		}
		b.minusU, b.q = grow(b.minusU, n*b.width), grow(b.q, n*b.width)
		first += b.labels
	}
	c.blocks = c.blocks[:count]
}

// filter leaves K_k(n_k·q) of the current block, unsliced, in the kernel's
// current values.
func (c *CRF) filter(k *kernel) {
	c.on = k
	size := (k.vertices + 1) * c.block.width
	k.value[0], k.value[1] = grow(k.value[0], size), grow(k.value[1], size)
	clear(k.value[0][:c.block.width])
	clear(k.value[1][:c.block.width])
	parts := chunks(k.vertices)
	c.crew.run(parts, c.splat)
	for c.axis = 0; c.axis <= k.d; c.axis++ {
		c.crew.run(parts, c.blur)
		k.value[0], k.value[1] = k.value[1], k.value[0]
	}
}

// normalise filters a field of ones, folds n_k = 1/sqrt(K_k(1) + 1e-20) into
// the weights, and filters again to learn what a sure label gets.
func (c *CRF) normalise(k *kernel) {
	ones := block{width: 1, q: c.rest}
	for p := range ones.q {
		ones.q[p] = 1
	}
	c.block = &ones
	c.filter(k)
	k.slice(k.full, k.alpha())
	for p, v := range k.full {
		k.full[p] = rsqrt(v)
	}
	k.lattice.normalise(k.full)
	c.filter(k)
	k.slice(k.full, k.alpha()*k.compat)
	c.block, c.on = nil, nil
}

// slice reads one value per pixel off the lattice.
func (k *kernel) slice(dst []float32, gain float32) {
	d1 := k.d + 1
	for p := range dst {
		var sum float32
		weight := k.weight[p*d1 : (p+1)*d1]
		for i, v := range k.corner[p*d1 : (p+1)*d1] {
			sum += weight[i] * k.value[0][v]
		}
		dst[p] = gain * sum
	}
}
