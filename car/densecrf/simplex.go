package densecrf

// findSimplex finds the simplex of a point in the lattice, like Adams et al. in section
// 3.2, with the numbers of docs/algorithm.md 6.1: elevate it to the hyperplane of d+1 coordinates
// that sum to zero, round to the nearest point whose coordinates are multiples of d+1,
// rank the differences to find the simplex, and compute barycentric weights. Products
// are converted explicitly before they are added, which keeps the compiler from fusing
// them: with another rounding, a point on the border of two simplices would fall into
// the other one.
//
// It reports whether there was room for the vertices.
func (l *lattice) findSimplex(p int, f *[maxDim]float32, r *run) bool {
	d1 := l.d + 1
	var e [maxDim + 1]float32
	var near, rank [maxDim + 1]int32
	elevate(e[:d1], f[:d1-1], l.scale[:d1-1])
	nearest(e[:d1], near[:d1], rank[:d1])
	barycentric(e[:d1], near[:d1], rank[:d1], l.weight[p*d1:(p+1)*d1])
	return l.addCorners(near[:d1], rank[:d1], l.corner[p*d1:(p+1)*d1], r)
}

// elevate maps d feature values to the d+1 coordinates of the hyperplane.
func elevate(e, f, scale []float32) {
	var sum float32
	for j := len(f); j > 0; j-- {
		c := float32(f[j-1] * scale[j-1])
		e[j] = sum - float32(float32(j)*c)
		sum += c
	}
	e[0] = sum
}

// roundEven returns the nearest integer of any |v| < 2^22, ties to even, by adding and
// subtracting 1.5·2^23.
func roundEven(v float32) int32 {
	const magic = 3 << 22
	return int32(float32(v+magic) - magic)
}

// nearest finds the closest point of remainder 0, and the rank of each coordinate's
// distance to it in descending order.
func nearest(e []float32, near, rank []int32) {
	d1 := int32(len(e))
	near, rank = near[:len(e)], rank[:len(e)]
	inv := 1 / float32(d1)
	var sum int32
	var diff [maxDim + 1]float32
	for i, v := range e {
		r := roundEven(v * inv)
		near[i] = r * d1
		sum += r
		diff[i] = v - float32(near[i])
	}
	// Without a branch, which the processor could not predict.
	for i := range rank {
		v, behind := diff[i], int32(0)
		for j := i + 1; j < len(rank); j++ {
			var less int32
			if v < diff[j] {
				less = 1
			}
			behind += less
			rank[j] += 1 - less
		}
		rank[i] += behind
	}
	if sum == 0 {
		return
	}
	// The rounded point is outside the hyperplane: the coordinates that were rounded
	// the furthest are moved back by one step. Very large features lose so much
	// precision that sum may be out of range; clamping keeps the ranks in range.
	sum = max(-d1, min(sum, d1))
	for i := range rank {
		rank[i] += sum
		if rank[i] < 0 {
			rank[i] += d1
			near[i] += d1
		} else if rank[i] >= d1 {
			rank[i] -= d1
			near[i] -= d1
		}
	}
}

// barycentric computes the weight of each corner of the simplex, by remainder.
func barycentric(e []float32, near, rank []int32, weight []float32) {
	d := len(e) - 1
	near, rank = near[:len(e)], rank[:len(e)]
	inv := 1 / float32(d+1)
	var b [maxDim + 2]float32
	for i, v := range e {
		v = float32((v - float32(near[i])) * inv)
		r := d - int(rank[i])
		b[r] += v
		b[r+1] -= v
	}
	b[0] += 1 + b[d+1]
	copy(weight, b[:d+1])
}

// addCorners adds the corners of the simplex to the table and writes their numbers to
// corner. The first is near. Each further one is a step from the one before, along the
// axis with the next lower rank.
func (l *lattice) addCorners(near, rank, corner []int32, r *run) bool {
	d := len(near) - 1
	var axis [maxDim + 1]int32
	for i, k := range rank {
		axis[d-int(k)] = int32(i)
	}
	// The last coordinate is not part of the key: the others imply it.
	var keys [maxDim + 1]key
	k := pack(near[:d])
	for i := range corner {
		keys[i] = k
		corner[i] = l.table.probe(k)
		k = k.plus(l.step[axis[i]])
	}
	for i, v := range corner {
		if v != 0 && l.table.keys[v] == keys[i] {
			continue
		}
		if corner[i] = l.table.add(keys[i], r); corner[i] == 0 {
			return false
		}
	}
	return true
}
