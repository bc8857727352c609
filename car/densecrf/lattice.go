package densecrf

import "math"

// maxDim is the largest feature dimension: distance and colour.
const maxDim = 5

// A lattice is the permutohedral lattice of a set of points: the simplex that
// encloses each point, its barycentric weights, and who is whose neighbour.
// Vertices are numbered from 1; number 0 stands for every vertex that no point
// touches, whose value is always zero.
type lattice struct {
	d        int // dimension of the features
	n        int // points
	vertices int // without number 0

	// corner and weight hold, for each point, the d+1 vertices of its simplex
	// and its barycentric weights, later multiplied by the normalisation n_k.
	corner []int32
	weight []float32

	// near holds, for each of the d+1 axes and each vertex (0 included), the
	// two neighbours along that axis.
	near [maxDim + 1][]pair

	// The transpose of corner: the points that fall upon vertex v are
	// point[start[v]:start[v+1]], in ascending order, with their weights.
	start  []int32
	point  []int32
	share  []float32
	cursor []int32

	table   table
	strips  []strip
	scale   [maxDim]float32
	recast  func(chunk int) // bound methods, so that a rebuild allocates nothing
	join    func(axis int)
	elevate func(chunk int)

	feature features
}

// ahead is how many points beyond the last one the inner loops may look at, to
// fetch what they need next.
const ahead = 32

type pair struct{ a, b int32 }

// features are the coordinates of the points: those of the pixel grid, and
// with d = 5 those of colour. All are in units of the kernel's deviation.
type features struct {
	w, h      int
	at        []int32 // the pixel of each point
	sxy, srgb float32
	rgb       []uint8 // nil when d = 2
	colour    [256]float32
	col, row  []float32 // x/sxy and y/sxy
}

// A strip is a run of rows and the vertices that its points touch, found
// without regard to other strips.
type strip struct {
	first, last int // points
	table       table
	number      []int32 // of the strip's vertices in the whole lattice
}

// alpha undoes the gain of the blur: 1/(1+2^-d).
func (l *lattice) alpha() float32 { return float32(1 / (1 + math.Pow(2, -float64(l.d)))) }

// init sets what depends on size, dimension and deviations only. strips is how
// many parts the points are looked at in.
func (l *lattice) init(w, h int, at []int32, sxy, srgb float32, d, strips int) {
	l.d, l.n = d, w*h
	f := &l.feature
	f.w, f.h, f.at, f.sxy, f.srgb = w, h, at, sxy, srgb
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
	// One more point than there are pixels: see elevateStrip.
	l.corner = make([]int32, (l.n+ahead)*(d+1))
	l.weight = make([]float32, (l.n+1)*(d+1))
	l.point = make([]int32, l.n*(d+1)+ahead)
	l.share = make([]float32, l.n*(d+1))
	l.strips = make([]strip, max(1, min(strips, h)))
	for i := range l.strips {
		s := &l.strips[i]
		s.first = l.n * i / len(l.strips)
		s.last = l.n * (i + 1) / len(l.strips)
	}
	l.elevate, l.recast, l.join = l.elevateStrip, l.recastStrip, l.joinAxis
}

// build finds simplices and neighbours, sharing the work among the crew.
func (l *lattice) build(c *crew) {
	c.run(len(l.strips), l.elevate)

	// Vertices are numbered strip by strip in the order of their first use,
	// so that pixels close in the picture have vertices close in memory.
	t := &l.table
	total := 0
	for i := range l.strips {
		total += l.strips[i].table.len()
	}
	t.reset(total)
	for i := range l.strips {
		s := &l.strips[i]
		s.number = grow(s.number, s.table.len()+1)
		for id := 1; id <= s.table.len(); id++ {
			s.number[id] = t.add(s.table.keys[id])
		}
	}
	l.vertices = t.len()

	c.run(len(l.strips), l.recast)
	for j := range l.d + 1 {
		l.near[j] = grow(l.near[j], l.vertices+1+ahead)
	}
	c.run(l.d+1, l.join)
	l.transpose()
}

// elevateStrip finds the simplices of the points of strip i, numbering
// vertices within the strip.
func (l *lattice) elevateStrip(i int) {
	s := &l.strips[i]
	if s.table.len() == 0 {
		s.table.reset((s.last - s.first) / 2)
	} else {
		s.table.reset(s.table.len()) // as large as the last picture needed
	}
	f := &l.feature
	var v [maxDim]float32
	for p := s.first; p < s.last; p++ {
		at := int(f.at[p])
		v[0], v[1] = f.col[at%f.w], f.row[at/f.w]
		if l.d == 5 {
			c := f.rgb[3*at : 3*at+3 : 3*at+3]
			v[2], v[3], v[4] = f.colour[c[0]], f.colour[c[1]], f.colour[c[2]]
			l.enclose5(p, &v, &s.table)
		} else {
			l.enclose2(p, &v, &s.table)
		}
	}
	if s.last == l.n && l.n%4 != 0 {
		// The reference handles four points at a time and fills up the last
		// four with zero features. They weigh nothing, but the vertices
		// around them exist and take part in the blur, which moves marginals
		// by up to 7e-3: for parity they must exist here too.
		v = [maxDim]float32{}
		if l.d == 5 {
			l.enclose5(l.n, &v, &s.table)
		} else {
			l.enclose2(l.n, &v, &s.table)
		}
	}
}

// recastStrip replaces the strip's own vertex numbers by the lattice's.
func (l *lattice) recastStrip(i int) {
	s := &l.strips[i]
	corner := l.corner[s.first*(l.d+1) : s.last*(l.d+1)]
	for k, id := range corner {
		corner[k] = s.number[id]
	}
}

// joinAxis finds the neighbours of every vertex along axis j: the keys that
// differ by +1 in every coordinate but j and by -d in j, or the reverse. If b
// follows a then a precedes b, so one look-up serves both.
func (l *lattice) joinAxis(j int) {
	near := l.near[j]
	clear(near)
	t := &l.table
	for v := 1; v <= l.vertices; v++ {
		k := t.keys[v].step(j, l.d)
		if u := t.find(k); u != 0 {
			near[v].b = u
			near[u].a = int32(v)
		}
	}
}

// transpose makes the list of points of every vertex.
func (l *lattice) transpose() {
	l.start = grow(l.start, l.vertices+2)
	l.cursor = grow(l.cursor, l.vertices+2)
	clear(l.start)
	for _, v := range l.corner[:l.n*(l.d+1)] {
		l.start[v+1]++
	}
	for v := 1; v < len(l.start); v++ {
		l.start[v] += l.start[v-1]
	}
	copy(l.cursor, l.start)
	for p := range l.n {
		for k := p * (l.d + 1); k < (p+1)*(l.d+1); k++ {
			v := l.corner[k]
			l.point[l.cursor[v]] = int32(p)
			l.share[l.cursor[v]] = l.weight[k]
			l.cursor[v]++
		}
	}
}

// normalise folds n into the weights on both sides: splatting then multiplies
// by n, and so does slicing.
func (l *lattice) normalise(n []float32) {
	for p, s := range n {
		for k := p * (l.d + 1); k < (p+1)*(l.d+1); k++ {
			l.weight[k] *= s
		}
	}
	for k, p := range l.point[:len(l.share)] {
		l.share[k] *= n[p]
	}
}

// grow returns a slice of length n, reusing s where it is large enough. What
// it holds is not defined.
func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, n+n/8)
}
