package densecrf

// loops are the inner loops. Rows of the given width are 1, 4, 8 or 16 lanes.
// What vector instructions do comes out as plain Go does it, to the bit: the
// order of all operations is the same, and products are converted explicitly
// before they are added, which keeps the compiler from fusing them.
type loops struct {
	// splat sets value[v] = Σ share·q[point] for the vertices from ≤ v < to.
	splat func(width int, value []float32, start, point []int32, share, q []float32, from, to int)

	// blur sets dst[v] = src[v] + (src[a] + src[b])/2 for the vertices
	// from ≤ v < to and their neighbours a and b.
	blur func(width int, dst, src []float32, near []pair, from, to int)

	// gather turns, at the points from ≤ p < to, marginals into energies: with
	// m the sum of both messages, q = base + m, rest loses the sum of m over
	// the row, and top becomes no less than any of q.
	gather func(width int, q, base, rest, top []float32, m messages, from, to int)

	// gatherPairs does it for fields of two labels: q is the background's
	// energy less the foreground's, full + base - 2m.
	gatherPairs func(width int, q, base, full []float32, m messages, from, to int)

	// The softmax in four loops. lead sets rest, sum = exp(rest - top); raise
	// sets q = exp(q - top) and adds the sum of the row to sum; invert sets
	// sum = 1/sum and multiplies rest by it; scale multiplies q by it.
	lead   func(rest, top, sum []float32)
	raise  func(width int, q, top, sum []float32, from, to int)
	invert func(rest, sum []float32)
	scale  func(width int, q, inv []float32, from, to int)

	// logistic sets q = 1/(1 + exp(q)).
	logistic func(q []float32)

	// unary sets dst = -log(clip(prob, 1e-5, 1)), of the same length.
	unary func(prob, dst []float32)
}

// messages is what the messages to a point are made of: kernel by kernel the
// values on the lattice, vertices × width, the points' corners and weights, and
// a factor.
type messages struct {
	value  [2][]float32
	corner [2][]int32
	weight [2][]float32
	gain   [2]float32
}

// plain is Go without instructions of any particular processor, inner what is
// in use.
var (
	plain = loops{
		splat: splat, blur: blur, gather: gather, gatherPairs: gatherPairs,
		lead: lead, raise: raise, invert: invert, scale: scale,
		logistic: logistic, unary: unary,
	}
	inner = plain
)

// larger is the maximum as vector instructions have it: b unless a is larger,
// hence b when either is NaN.
func larger(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}
