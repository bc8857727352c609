package densecrf

import "math"

// The loops that turn energies into marginals, in plain Go.

func expRest(rest, top, sum []float32) {
	top, sum = top[:len(rest)], sum[:len(rest)]
	for p, e := range rest {
		e = exp(e - top[p])
		rest[p], sum[p] = e, e
	}
}

func expLanes(width int, q, top, total []float32, from, to int) {
	var row [maxWidth]float32
	for p := from; p < to; p++ {
		r := q[p*width : (p+1)*width]
		for l, e := range r {
			r[l] = exp(e - top[p])
			row[l] = r[l]
		}
		total[p] += sum(&row, width)
	}
}

func invertSums(rest, sum []float32) {
	rest = rest[:len(sum)]
	for p, s := range sum {
		sum[p] = 1 / s
		rest[p] *= sum[p]
	}
}

func scaleLanes(width int, q, inv []float32, from, to int) {
	for p := from; p < to; p++ {
		s, row := inv[p], q[p*width:(p+1)*width]
		for l := range row {
			row[l] *= s
		}
	}
}

func logistic(q []float32) {
	for p, d := range q {
		e := exp(-abs(d))
		likely := float32(1)
		if d > 0 {
			likely = e
		}
		q[p] = likely / (1 + e)
	}
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

func rsqrt(v float32) float32 { return float32(1 / math.Sqrt(float64(v)+1e-20)) }

// exp is e^v for v ≤ 0, with a relative error of about 1e-7; below -87 it is 0. The
// argument is split into k·ln2 + r with |r| ≤ ln2/2, and e^r is a polynomial
// of degree 6 (Taylor: its first omitted term is below 1.2e-7).
func exp(v float32) float32 {
	if v < -87 {
		return 0
	}
	const (
		invLn2 = 1.44269504088896341
		magic  = 3 << 22
	)
	t := float32(v*invLn2) + magic
	k := t - magic
	r := v - float32(k*ln2Hi) - float32(k*ln2Lo)
	e := float32(1.0 / 720)
	e = float32(e*r) + 1.0/120
	e = float32(e*r) + 1.0/24
	e = float32(e*r) + 1.0/6
	e = float32(e*r) + 0.5
	e = float32(e*r) + 1
	e = float32(e*r) + 1
	return math.Float32frombits(math.Float32bits(e) + uint32(int32(k))<<23)
}

// ln 2 in two parts. The first has few bits, so that its product with a small integer
// is exact.
const (
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
)
