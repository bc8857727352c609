package densecrf

// loops are the inner loops. Rows of the given width are 1, 4, 8 or 16 lanes. Vector
// instructions and plain Go give the same result bit by bit: the order of all
// operations is the same, and products are converted explicitly before they are added,
// which keeps the compiler from fusing them.
type loops struct {
	// splat sets value[v] = Σ weight·q[point] for the vertices from ≤ v < to.
	splat func(width int, value []float32, start, point []int32, share, q []float32, from, to int)

	// blur sets dst[v] = src[v] + (src[a] + src[b])/2 for the vertices
	// from ≤ v < to and their neighbours a and b.
	blur func(width int, dst, src []float32, near []pair, from, to int)

	// gather computes energies at the points from ≤ p < to: with m the sum of both
	// messages, q = base + m, rest -= the sum of m over the row, and top = the
	// maximum of top and q.
	gather func(width int, q, base, rest, top []float32, m messages, from, to int)

	// gatherPairs is gather for fields of two labels: q is the background's energy
	// minus the foreground's, full + base - 2m.
	gatherPairs func(width int, q, base, full []float32, m messages, from, to int)

	// The softmax in four loops. expRest sets rest, sum = exp(rest - top). expLanes
	// sets q = exp(q - top) and adds the sum of the row to sum. invertSums sets
	// sum = 1/sum and multiplies rest by it. scaleLanes multiplies q by it.
	expRest    func(rest, top, sum []float32)
	expLanes   func(width int, q, top, sum []float32, from, to int)
	invertSums func(rest, sum []float32)
	scaleLanes func(width int, q, inv []float32, from, to int)

	// logistic sets q = 1/(1 + exp(q)).
	logistic func(q []float32)

	// unary sets dst = -log(clip(prob, 1e-5, 1)), of the same length.
	unary func(prob, dst []float32)
}

// messages are the inputs of the messages to a point, one per kernel: the values on
// the lattice, vertices × width, the points' corners and weights, and a factor.
type messages struct {
	value  [2][]float32
	corner [2][]int32
	weight [2][]float32
	gain   [2]float32
}

// plain are the loops in plain Go, inner those in use.
var (
	plain = loops{
		splat: splat, blur: blur, gather: gather, gatherPairs: gatherPairs,
		expRest: expRest, expLanes: expLanes, invertSums: invertSums, scaleLanes: scaleLanes,
		logistic: logistic, unary: unary,
	}
	inner = plain
)

// larger is the maximum like that of the vector instructions: a if a > b, else b,
// which is also the result if either is NaN.
func larger(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}
