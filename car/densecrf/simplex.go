package densecrf

// place finds the simplex of a point in the lattice, as Adams et al. tell it in
// section 3.2 and docs/algorithm.md 6.1 in numbers: elevate it to the hyperplane of d+1
// coordinates that sum to zero, round to the nearest point whose coordinates
// are multiples of d+1, rank the differences to find the simplex, and take
// barycentric weights. Products are converted explicitly before they are added,
// which keeps the compiler from fusing them: another rounding would put points
// on the edge of two simplices into the other one.
//
// It reports whether there was room for the vertices.
func (l *lattice) place(p int, f *[maxDim]float32, r *run) bool {
	d1 := l.d + 1
	var e [maxDim + 1]float32
	var near, rank [maxDim + 1]int32
	elevate(e[:d1], f[:d1-1], l.scale[:d1-1])
	nearest(e[:d1], near[:d1], rank[:d1])
	barycentric(e[:d1], near[:d1], rank[:d1], l.weight[p*d1:(p+1)*d1])
	return l.enter(near[:d1], rank[:d1], l.corner[p*d1:(p+1)*d1], r)
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

// roundEven adds and subtracts 1.5·2^23, which leaves the nearest integer,
// ties to even, of any |v| < 2^22.
func roundEven(v float32) int32 {
	const magic = 3 << 22
	return int32(float32(v+magic) - magic)
}

// nearest finds the closest point of remainder 0 and each coordinate's place in
// descending order of its distance to it.
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
	// Which of two is the larger is anyone's guess, the processor's too: no
	// branch.
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
	// Rounding left the hyperplane: the coordinates that were rounded the
	// furthest go one step back. Features beyond all measure lose so much
	// precision that they may be further off; ranks stay in range.
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

// barycentric gives the weight of each corner of the simplex, by remainder.
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

// enter adds the simplex's corners to the table and notes their numbers. The
// first is near; each further one lies a step from the one before it, along the
// axis whose rank is next from behind.
func (l *lattice) enter(near, rank, corner []int32, r *run) bool {
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
		corner[i] = l.table.guess(k)
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
