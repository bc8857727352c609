package densecrf

import "math"

// maxDim is the largest feature dimension: distance and colour.
const maxDim = 5

// A lattice is the permutohedral lattice of a set of points: the simplex that encloses
// each point, its barycentric weights, and the neighbours of every vertex. Vertices are
// numbered from 1. Number 0 stands for all vertices that no point touches; its value is
// always zero. The numbering does not affect the result.
type lattice struct {
	d        int // dimension of the features
	n        int // points
	vertices int // without number 0

	// corner and weight hold, for each point, the d+1 vertices of its simplex
	// and its barycentric weights, later multiplied by the normalisation n_k.
	corner []int32
	weight []float32

	// neighbours holds, for each of the d+1 axes and each vertex (0 included), the
	// two neighbours along that axis.
	neighbours [maxDim + 1][]pair

	// The transpose of corner: the points whose simplex has vertex v are
	// point[start[v]:start[v+1]], in ascending order, and pointWeight are their weights.
	start       []int32
	point       []int32
	pointWeight []float32

	// See band.go.
	reach, segments int

	// While the lattice is built, vertices have the numbers of the table; number maps
	// them to the final ones.
	table  table
	number []int32
	strips []strip
	step   [maxDim + 1]key // from a vertex to the next one along each axis
	scale  [maxDim]float32

	feature features

	pool *workerPool // builds it

	// Bound methods, so that a rebuild allocates nothing.
	elevateStrip, countStrip, fillStrip, neighbourChunk func(i int)
}

type pair struct{ a, b int32 }

// prefetchAhead is the number of entries beyond the end of a list that the inner loops
// may read, to prefetch the rows that they need next. Their values do not matter.
const prefetchAhead = 32

// features are the coordinates of the points: position, and with d = 5 colour. All are
// in units of the kernel's standard deviation.
type features struct {
	w        int
	rgb      []uint8 // nil when d = 2
	colour   [256]float32
	col, row []float32 // x/sxy and y/sxy
}

// A strip is a range of points that one goroutine handles.
type strip struct {
	first, last int
	run         run

	// count is, for each number of the table, the number of the strip's points that
	// contribute to the vertex, then the index in point of the next of them.
	count []int32
}

// alpha compensates the gain of the blur: 1/(1+2^-d).
func (l *lattice) alpha() float32 { return float32(1 / (1 + math.Pow(2, -float64(l.d)))) }

// init computes everything that depends on size, dimension and deviations only. strips
// is the number of parts into which the points are divided.
func (l *lattice) init(w, h int, sxy, srgb float32, d, strips int) {
	l.d, l.n = d, w*h
	f := &l.feature
	f.w = w
	f.col, f.row = make([]float32, w), make([]float32, h)
	for x := range f.col {
		f.col[x] = float32(x) / sxy
	}
	for y := range f.row {
		f.row[y] = float32(y) / sxy
	}
	if d > 2 {
		for v := range f.colour {
			f.colour[v] = float32(v) / srgb
		}
	}
	// The axes are stretched so that the blur below has deviation 1 in
	// feature space (Adams et al., section 3).
	deviation := float32(math.Sqrt(2.0/3.0) * float64(d+1))
	for i := range d {
		l.scale[i] = float32(1/math.Sqrt(float64((i+2)*(i+1)))) * deviation
	}
	// A step adds 1 to every coordinate but the axis's, which loses d.
	for j := range d + 1 {
		delta := make([]int32, d+1)
		for i := range delta {
			delta[i] = 1
		}
		delta[j] = -int32(d)
		l.step[j] = pack(delta[:d])
	}
	l.corner = make([]int32, (l.n+prefetchAhead)*(d+1))
	l.weight = make([]float32, (l.n+prefetchAhead)*(d+1))
	l.point = make([]int32, l.n*(d+1)+prefetchAhead)
	l.pointWeight = make([]float32, l.n*(d+1))
	l.strips = make([]strip, max(1, min(strips, h)))
	for i := range l.strips {
		s := &l.strips[i]
		s.first = l.n * i / len(l.strips)
		s.last = l.n * (i + 1) / len(l.strips)
	}
	l.elevateStrip, l.countStrip, l.fillStrip, l.neighbourChunk = l.elevate, l.count, l.fill, l.findNeighbours
}

// checkEvery is the number of points or vertices between checks of the context: a few
// milliseconds.
const checkEvery = 1 << 14

// build finds simplices and neighbours, in parallel on the pool. The error is the
// context's.
func (l *lattice) build() error {
	c := l.pool
	// Room for as many vertices as the last image had, or an estimate. An image of
	// noise has more: up to d+1 for each point.
	room := max(l.vertices, l.n/2) + runLength*len(l.strips)
	for {
		l.table.reset(room)
		c.run(len(l.strips), l.elevateStrip)
		// Points without a simplex have no numbers to count.
		if c.cancelled() {
			return c.ctx.Err()
		}
		if !l.table.full.Load() {
			break
		}
		room *= 2
	}
	c.run(len(l.strips), l.countStrip)
	// Strips that were not counted cannot be numbered.
	if c.cancelled() {
		return c.ctx.Err()
	}
	l.numberVertices()
	if c.cancelled() {
		return c.ctx.Err()
	}
	for j := range l.d + 1 {
		l.neighbours[j] = grow(l.neighbours[j], l.vertices+1+prefetchAhead)
	}
	c.run(len(l.strips), l.fillStrip)
	c.run(chunks(l.table.numbers()), l.neighbourChunk)
	return c.ctx.Err()
}

// elevate finds the simplices of the points of strip i.
func (l *lattice) elevate(i int) {
	s := &l.strips[i]
	s.run = run{}
	f := &l.feature
	var v [maxDim]float32
	for p := s.first; p < s.last; p++ {
		if p%checkEvery == 0 && l.pool.cancelled() {
			return
		}
		v[0], v[1] = f.col[p%f.w], f.row[p/f.w]
		if l.d == 5 {
			c := f.rgb[3*p : 3*p+3 : 3*p+3]
			v[2], v[3], v[4] = f.colour[c[0]], f.colour[c[1]], f.colour[c[2]]
		}
		if !l.findSimplex(p, &v, &s.run) {
			return
		}
	}
	if s.last == l.n && l.n%4 != 0 {
		// The reference handles four points at a time and pads the last four with
		// zero features. These have no weight, but the vertices around them exist
		// and take part in the blur, which changes marginals by up to 7e-3. For
		// parity they must exist here too.
		v = [maxDim]float32{}
		l.findSimplex(l.n, &v, &s.run)
	}
}

// count counts the points of strip i that contribute to each vertex.
func (l *lattice) count(i int) {
	s := &l.strips[i]
	s.count = grow(s.count, l.table.numbers())
	clear(s.count)
	for _, v := range l.corner[s.first*(l.d+1) : s.last*(l.d+1)] {
		s.count[v]++
	}
}

// numberVertices gives the vertices their final numbers and divides point among them.
// The order is that of the table, so that vertices that are close in the image are
// close in memory.
func (l *lattice) numberVertices() {
	numbers := l.table.numbers()
	l.number = grow(l.number, numbers)
	l.start = grow(l.start, numbers+1)
	next, place := int32(1), int32(0)
	for id := 1; id < numbers; id++ {
		if id%checkEvery == 0 && l.pool.cancelled() {
			return
		}
		if l.table.keys[id] == blank {
			l.number[id] = 0
			continue
		}
		l.number[id], l.start[next] = next, place
		next++
		for s := range l.strips {
			count := l.strips[s].count
			place, count[id] = place+count[id], place
		}
	}
	l.start[next] = place
	l.vertices = int(next - 1)
}

// fill writes the points of strip i into the lists of their vertices, and the final
// numbers into corner. It also clears a part of neighbours.
func (l *lattice) fill(i int) {
	s := &l.strips[i]
	for p := s.first; p < s.last; p++ {
		if p%checkEvery == 0 && l.pool.cancelled() {
			return
		}
		for k := p * (l.d + 1); k < (p+1)*(l.d+1); k++ {
			id := l.corner[k]
			at := s.count[id]
			s.count[id]++
			l.point[at], l.pointWeight[at] = int32(p), l.weight[k]
			l.corner[k] = l.number[id]
		}
	}
	size := l.vertices + 1
	for j := range l.d + 1 {
		clear(l.neighbours[j][size*i/len(l.strips) : size*(i+1)/len(l.strips)])
	}
}

// findNeighbours finds the neighbours of a range of vertices along every axis. If b
// follows a then a precedes b, so one look-up finds both.
func (l *lattice) findNeighbours(i int) {
	from, to := chunk(i, l.table.numbers())
	for id := max(from, 1); id < to; id++ {
		v, k := l.number[id], l.table.keys[id]
		if v == 0 {
			continue
		}
		var next [maxDim + 1]key
		var found [maxDim + 1]int32
		for j := range l.d + 1 {
			next[j] = k.plus(l.step[j])
			found[j] = l.table.probe(next[j])
		}
		for j := range l.d + 1 {
			u := found[j]
			if u != 0 && l.table.keys[u] != next[j] {
				u = l.table.find(next[j])
			}
			if u != 0 {
				u = l.number[u]
				l.neighbours[j][v].b = u
				l.neighbours[j][u].a = v
			}
		}
	}
}

// grow returns a slice of length n, in the memory of s if that is large enough. Its
// content is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, n+n/8)
}
