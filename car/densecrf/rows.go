package densecrf

// The loops over rows in plain Go. Widths above 8 are done 8 lanes at a time,
// which are as many sums as registers hold. Rows are taken as pointers to
// arrays, which leaves one bounds check per row.

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
			var s0, s1, s2, s3 float32
			for k, p := range list {
				r, w := (*[4]float32)(q[4*int(p):]), weight[k]
				s0 += float32(w * r[0])
				s1 += float32(w * r[1])
				s2 += float32(w * r[2])
				s3 += float32(w * r[3])
			}
			*(*[4]float32)(value[4*v:]) = [4]float32{s0, s1, s2, s3}
		default:
			for lane := 0; lane < width; lane += 8 {
				var s0, s1, s2, s3, s4, s5, s6, s7 float32
				for k, p := range list {
					r, w := (*[8]float32)(q[width*int(p)+lane:]), weight[k]
					s0 += float32(w * r[0])
					s1 += float32(w * r[1])
					s2 += float32(w * r[2])
					s3 += float32(w * r[3])
					s4 += float32(w * r[4])
					s5 += float32(w * r[5])
					s6 += float32(w * r[6])
					s7 += float32(w * r[7])
				}
				*(*[8]float32)(value[width*v+lane:]) = [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
			}
		}
	}
}

func blur(width int, dst, src []float32, near []pair, from, to int) {
	if width == 1 {
		for v := from; v < to; v++ {
			n := near[v]
			dst[v] = src[v] + float32(0.5*(src[n.a]+src[n.b]))
		}
		return
	}
	for v := from; v < to; v++ {
		n := near[v]
		for lane := 0; lane < width; lane += 4 {
			d, s := (*[4]float32)(dst[width*v+lane:]), (*[4]float32)(src[width*v+lane:])
			a, b := (*[4]float32)(src[width*int(n.a)+lane:]), (*[4]float32)(src[width*int(n.b)+lane:])
			d[0] = s[0] + float32(0.5*(a[0]+b[0]))
			d[1] = s[1] + float32(0.5*(a[1]+b[1]))
			d[2] = s[2] + float32(0.5*(a[2]+b[2]))
			d[3] = s[3] + float32(0.5*(a[3]+b[3]))
		}
	}
}

func gather(width int, q, base, rest, top []float32, m messages, from, to int) {
	var buffer [maxWidth]float32
	row := buffer[:width]
	for p := from; p < to; p++ {
		m.at(p, row)
		r, u := q[p*width:(p+1)*width], base[p*width:(p+1)*width]
		for l, v := range row {
			r[l] = u[l] + v
		}
		rest[p] -= sum(row)
		copy(row, r)
		top[p] = larger(largest(row), top[p])
	}
}

func gatherPairs(width int, q, base, full []float32, m messages, from, to int) {
	var buffer [maxWidth]float32
	row := buffer[:width]
	for p := from; p < to; p++ {
		m.at(p, row)
		r, u := q[p*width:(p+1)*width], base[p*width:(p+1)*width]
		for l, v := range row {
			r[l] = full[p] + u[l] - (v + v)
		}
	}
}

// at sets a row to the sum of both messages to point p.
func (m *messages) at(p int, row []float32) {
	c, w := (*[3]int32)(m.corner[0][3*p:]), (*[3]float32)(m.weight[0][3*p:])
	d, u := (*[6]int32)(m.corner[1][6*p:]), (*[6]float32)(m.weight[1][6*p:])
	g, b := m.value[0], m.value[1]
	if len(row) == 1 {
		s := float32(w[0]*g[c[0]]) + float32(w[1]*g[c[1]]) + float32(w[2]*g[c[2]])
		t := float32(u[0]*b[d[0]]) + float32(u[1]*b[d[1]]) + float32(u[2]*b[d[2]]) +
			float32(u[3]*b[d[3]]) + float32(u[4]*b[d[4]]) + float32(u[5]*b[d[5]])
		row[0] = float32(m.gain[0]*s) + float32(m.gain[1]*t)
		return
	}
	for lane := 0; lane < len(row); lane += 4 {
		var s0, s1, s2, s3 float32
		for k, v := range c {
			r, w := (*[4]float32)(g[len(row)*int(v)+lane:]), w[k]
			s0 += float32(w * r[0])
			s1 += float32(w * r[1])
			s2 += float32(w * r[2])
			s3 += float32(w * r[3])
		}
		var t0, t1, t2, t3 float32
		for k, v := range d {
			r, w := (*[4]float32)(b[len(row)*int(v)+lane:]), u[k]
			t0 += float32(w * r[0])
			t1 += float32(w * r[1])
			t2 += float32(w * r[2])
			t3 += float32(w * r[3])
		}
		*(*[4]float32)(row[lane:]) = [4]float32{
			float32(m.gain[0]*s0) + float32(m.gain[1]*t0),
			float32(m.gain[0]*s1) + float32(m.gain[1]*t1),
			float32(m.gain[0]*s2) + float32(m.gain[1]*t2),
			float32(m.gain[0]*s3) + float32(m.gain[1]*t3),
		}
	}
}
