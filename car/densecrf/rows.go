package densecrf

// The loops over rows in plain Go. Widths above 8 are computed 8 lanes at a time,
// because the registers hold no more sums. Rows are converted to array pointers, which
// leaves one bounds check per row.

func splat(width int, value []float32, start, point []int32, share, q []float32, from, to int) {
	for v := from; v < to; v++ {
		list := point[start[v]:start[v+1]]
		weight := share[start[v]:start[v+1]][:len(list)]
		switch width {
		case 1:
			var sum float32
			for k, p := range list {
				sum += float32(weight[k] * q[p])
			}
			value[v] = sum
		case 4:
			r := (*[4]float32)(value[4*v:])
			r[0], r[1], r[2], r[3] = weigh4(q, list, weight)
		default:
			for lane := 0; lane < width; lane += 8 {
				r := (*[8]float32)(value[width*v+lane:])
				r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = weigh8(q[lane:], width, list, weight)
			}
		}
	}
}

func blur(width int, dst, src []float32, near []pair, from, to int) {
	for v := from; v < to; v++ {
		n := near[v]
		switch width {
		case 1:
			dst[v] = src[v] + float32(0.5*(src[n.a]+src[n.b]))
		case 4:
			d, s := (*[4]float32)(dst[4*v:]), (*[4]float32)(src[4*v:])
			a, b := (*[4]float32)(src[4*int(n.a):]), (*[4]float32)(src[4*int(n.b):])
			d[0] = s[0] + float32(0.5*(a[0]+b[0]))
			d[1] = s[1] + float32(0.5*(a[1]+b[1]))
			d[2] = s[2] + float32(0.5*(a[2]+b[2]))
			d[3] = s[3] + float32(0.5*(a[3]+b[3]))
		default:
			for lane := 0; lane < width; lane += 8 {
				d, s := (*[8]float32)(dst[width*v+lane:]), (*[8]float32)(src[width*v+lane:])
				a, b := (*[8]float32)(src[width*int(n.a)+lane:]), (*[8]float32)(src[width*int(n.b)+lane:])
				d[0] = s[0] + float32(0.5*(a[0]+b[0]))
				d[1] = s[1] + float32(0.5*(a[1]+b[1]))
				d[2] = s[2] + float32(0.5*(a[2]+b[2]))
				d[3] = s[3] + float32(0.5*(a[3]+b[3]))
				d[4] = s[4] + float32(0.5*(a[4]+b[4]))
				d[5] = s[5] + float32(0.5*(a[5]+b[5]))
				d[6] = s[6] + float32(0.5*(a[6]+b[6]))
				d[7] = s[7] + float32(0.5*(a[7]+b[7]))
			}
		}
	}
}

func gather(width int, q, base, rest, top []float32, m messages, from, to int) {
	var row [maxWidth]float32
	for p := from; p < to; p++ {
		m.at(p, width, &row)
		r, u := q[p*width:(p+1)*width], base[p*width:(p+1)*width]
		high := row
		for l, v := range u {
			r[l] = v + row[l]
			high[l] = r[l]
		}
		rest[p] -= sum(&row, width)
		top[p] = larger(largest(&high, width), top[p])
	}
}

func gatherPairs(width int, q, base, full []float32, m messages, from, to int) {
	var row [maxWidth]float32
	for p := from; p < to; p++ {
		m.at(p, width, &row)
		r, u := q[p*width:(p+1)*width], base[p*width:(p+1)*width]
		for l, v := range u {
			r[l] = full[p] + v - (row[l] + row[l])
		}
	}
}

// at sets a row to the sum of both messages to point p.
func (m *messages) at(p, width int, row *[maxWidth]float32) {
	c, w := (*[3]int32)(m.corner[0][3*p:]), (*[3]float32)(m.weight[0][3*p:])
	d, u := (*[6]int32)(m.corner[1][6*p:]), (*[6]float32)(m.weight[1][6*p:])
	g, b := m.value[0], m.value[1]
	switch width {
	case 1:
		s := float32(w[0]*g[c[0]]) + float32(w[1]*g[c[1]]) + float32(w[2]*g[c[2]])
		t := float32(u[0]*b[d[0]]) + float32(u[1]*b[d[1]]) + float32(u[2]*b[d[2]]) +
			float32(u[3]*b[d[3]]) + float32(u[4]*b[d[4]]) + float32(u[5]*b[d[5]])
		row[0] = float32(m.gain[0]*s) + float32(m.gain[1]*t)
	case 4:
		s0, s1, s2, s3 := weigh4(g, c[:], w[:])
		t0, t1, t2, t3 := weigh4(b, d[:], u[:])
		row[0] = float32(m.gain[0]*s0) + float32(m.gain[1]*t0)
		row[1] = float32(m.gain[0]*s1) + float32(m.gain[1]*t1)
		row[2] = float32(m.gain[0]*s2) + float32(m.gain[1]*t2)
		row[3] = float32(m.gain[0]*s3) + float32(m.gain[1]*t3)
	default:
		for lane := 0; lane < width; lane += 8 {
			r := (*[8]float32)(row[lane:])
			s0, s1, s2, s3, s4, s5, s6, s7 := weigh8(g[lane:], width, c[:], w[:])
			t0, t1, t2, t3, t4, t5, t6, t7 := weigh8(b[lane:], width, d[:], u[:])
			r[0] = float32(m.gain[0]*s0) + float32(m.gain[1]*t0)
			r[1] = float32(m.gain[0]*s1) + float32(m.gain[1]*t1)
			r[2] = float32(m.gain[0]*s2) + float32(m.gain[1]*t2)
			r[3] = float32(m.gain[0]*s3) + float32(m.gain[1]*t3)
			r[4] = float32(m.gain[0]*s4) + float32(m.gain[1]*t4)
			r[5] = float32(m.gain[0]*s5) + float32(m.gain[1]*t5)
			r[6] = float32(m.gain[0]*s6) + float32(m.gain[1]*t6)
			r[7] = float32(m.gain[0]*s7) + float32(m.gain[1]*t7)
		}
	}
}

// weigh4 and weigh8 add up rows, or eight lanes of them, by weight.
func weigh4(value []float32, row []int32, weight []float32) (s0, s1, s2, s3 float32) {
	weight = weight[:len(row)]
	for k, v := range row {
		r, w := (*[4]float32)(value[4*int(v):]), weight[k]
		s0 += float32(w * r[0])
		s1 += float32(w * r[1])
		s2 += float32(w * r[2])
		s3 += float32(w * r[3])
	}
	return
}

func weigh8(value []float32, width int, row []int32, weight []float32) (s0, s1, s2, s3, s4, s5, s6, s7 float32) {
	weight = weight[:len(row)]
	for k, v := range row {
		r, w := (*[8]float32)(value[width*int(v):]), weight[k]
		s0 += float32(w * r[0])
		s1 += float32(w * r[1])
		s2 += float32(w * r[2])
		s3 += float32(w * r[3])
		s4 += float32(w * r[4])
		s5 += float32(w * r[5])
		s6 += float32(w * r[6])
		s7 += float32(w * r[7])
	}
	return
}

// sum and largest reduce a row by folding it in half until one lane is left. They
// overwrite the row.
func sum(row *[maxWidth]float32, width int) float32 {
	switch width {
	case 1:
		return row[0]
	case 16:
		for l := range 8 {
			row[l] += row[l+8]
		}
		fallthrough
	case 8:
		for l := range 4 {
			row[l] += row[l+4]
		}
	}
	return row[0] + row[2] + (row[1] + row[3])
}

func largest(row *[maxWidth]float32, width int) float32 {
	switch width {
	case 1:
		return row[0]
	case 16:
		for l := range 8 {
			row[l] = larger(row[l], row[l+8])
		}
		fallthrough
	case 8:
		for l := range 4 {
			row[l] = larger(row[l], row[l+4])
		}
	}
	return larger(larger(row[0], row[2]), larger(row[1], row[3]))
}
