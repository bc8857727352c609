package densecrf

// The two functions below place a point in the lattice, as Adams et al. tell
// it in section 3.2 and car.md 6.1 in numbers: elevate it to the hyperplane of
// d+1 coordinates that sum to zero, round to the nearest point whose
// coordinates are multiples of d+1, rank the differences to find the simplex,
// and take barycentric weights. They differ in d alone, which is a constant so
// that the loops unroll. Products are converted explicitly before they are
// added, which keeps the compiler from fusing them: another rounding would put
// points on the edge of two simplices into the other one.

func (l *lattice) enclose2(p int, f *[maxDim]float32, t *table) {
	const d = 2
	var e [d + 1]float32
	elevate(e[:], f[:d], l.scale[:d])
	var near, rank [d + 1]int32
	nearest(e[:], near[:], rank[:])
	barycentric(e[:], near[:], rank[:], l.weight[p*(d+1):(p+1)*(d+1)])
	corners(near[:], rank[:], l.corner[p*(d+1):(p+1)*(d+1)], t)
}

func (l *lattice) enclose5(p int, f *[maxDim]float32, t *table) {
	const d = 5
	var e [d + 1]float32
	elevate(e[:], f[:d], l.scale[:d])
	var near, rank [d + 1]int32
	nearest(e[:], near[:], rank[:])
	barycentric(e[:], near[:], rank[:], l.weight[p*(d+1):(p+1)*(d+1)])
	corners(near[:], rank[:], l.corner[p*(d+1):(p+1)*(d+1)], t)
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
	inv := 1 / float32(d1)
	var sum int32
	var diff [maxDim + 1]float32
	for i, v := range e {
		r := roundEven(v * inv)
		near[i] = r * d1
		sum += r
		diff[i] = v - float32(near[i])
	}
	for i := range rank {
		for j := i + 1; j < len(rank); j++ {
			if diff[i] < diff[j] {
				rank[i]++
			} else {
				rank[j]++
			}
		}
	}
	if sum == 0 {
		return
	}
	// Rounding left the hyperplane: the coordinates that were rounded the
	// furthest go one step back.
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

// corners enters the simplex's corners into t and notes their numbers. The last
// coordinate is not part of the key: the others imply it.
func corners(near, rank, corner []int32, t *table) {
	d := len(near) - 1
	for r := range corner {
		var k key
		for i := range d {
			c := near[i] + int32(r)
			if int(rank[i]) > d-r {
				c -= int32(d + 1)
			}
			k.set(i, int16(c))
		}
		corner[r] = t.add(k)
	}
}
