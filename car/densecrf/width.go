package densecrf

// The inner loops, once for each width of a block. Rows are taken as pointers
// to arrays, which leaves one bounds check per row.

// splat sets value[v] = Σ share·q[point] for the vertices from ≤ v < to.
func splat(width int, value []float32, start, point []int32, share, q []float32, from, to int) {
	switch width {
	case 1:
		for v := from; v < to; v++ {
			var sum float32
			list := point[start[v]:start[v+1]]
			weight := share[start[v]:start[v+1]][:len(list)]
			for k, p := range list {
				sum += weight[k] * q[p]
			}
			value[v] = sum
		}
	case 4:
		for v := from; v < to; v++ {
			list := point[start[v]:start[v+1]]
			weight := share[start[v]:start[v+1]][:len(list)]
			var s0, s1, s2, s3 float32
			for k, p := range list {
				r, w := (*[4]float32)(q[4*int(p):]), weight[k]
				s0 += w * r[0]
				s1 += w * r[1]
				s2 += w * r[2]
				s3 += w * r[3]
			}
			*(*[4]float32)(value[4*v:]) = [4]float32{s0, s1, s2, s3}
		}
	default:
		for v := from; v < to; v++ {
			list := point[start[v]:start[v+1]]
			weight := share[start[v]:start[v+1]][:len(list)]
			var s0, s1, s2, s3, s4, s5, s6, s7 float32
			for k, p := range list {
				r, w := (*[8]float32)(q[8*int(p):]), weight[k]
				s0 += w * r[0]
				s1 += w * r[1]
				s2 += w * r[2]
				s3 += w * r[3]
				s4 += w * r[4]
				s5 += w * r[5]
				s6 += w * r[6]
				s7 += w * r[7]
			}
			*(*[8]float32)(value[8*v:]) = [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
		}
	}
}

// blur sets dst[v] = src[v] + (src[a] + src[b])/2 for the vertices
// from ≤ v < to and their neighbours a and b.
func blur(width int, dst, src []float32, near []pair, from, to int) {
	switch width {
	case 1:
		for v := from; v < to; v++ {
			n := near[v]
			dst[v] = src[v] + 0.5*(src[n.a]+src[n.b])
		}
	case 4:
		for v := from; v < to; v++ {
			n := near[v]
			d, s := (*[4]float32)(dst[4*v:]), (*[4]float32)(src[4*v:])
			a, b := (*[4]float32)(src[4*int(n.a):]), (*[4]float32)(src[4*int(n.b):])
			d[0] = s[0] + 0.5*(a[0]+b[0])
			d[1] = s[1] + 0.5*(a[1]+b[1])
			d[2] = s[2] + 0.5*(a[2]+b[2])
			d[3] = s[3] + 0.5*(a[3]+b[3])
		}
	default:
		for v := from; v < to; v++ {
			n := near[v]
			d, s := (*[8]float32)(dst[8*v:]), (*[8]float32)(src[8*v:])
			a, b := (*[8]float32)(src[8*int(n.a):]), (*[8]float32)(src[8*int(n.b):])
			d[0] = s[0] + 0.5*(a[0]+b[0])
			d[1] = s[1] + 0.5*(a[1]+b[1])
			d[2] = s[2] + 0.5*(a[2]+b[2])
			d[3] = s[3] + 0.5*(a[3]+b[3])
			d[4] = s[4] + 0.5*(a[4]+b[4])
			d[5] = s[5] + 0.5*(a[5]+b[5])
			d[6] = s[6] + 0.5*(a[6]+b[6])
			d[7] = s[7] + 0.5*(a[7]+b[7])
		}
	}
}

// gather slices both kernels' lattices at the pixels from ≤ p < to: with m the
// sum of both messages, q = minusU + m, and rest loses the sum of m over the
// block.
func gather(width int, q, minusU, rest, gv, bv []float32, gc, bc []int32, gw, bw []float32, gGain, bGain float32, from, to int) {
	switch width {
	case 1:
		for p := from; p < to; p++ {
			c, w := (*[3]int32)(gc[3*p:]), (*[3]float32)(gw[3*p:])
			m := gGain * (w[0]*gv[c[0]] + w[1]*gv[c[1]] + w[2]*gv[c[2]])
			d, u := (*[6]int32)(bc[6*p:]), (*[6]float32)(bw[6*p:])
			m += bGain * (u[0]*bv[d[0]] + u[1]*bv[d[1]] + u[2]*bv[d[2]] +
				u[3]*bv[d[3]] + u[4]*bv[d[4]] + u[5]*bv[d[5]])
			q[p] = minusU[p] + m
			rest[p] -= m
		}
	case 4:
		for p := from; p < to; p++ {
			var m0, m1, m2, m3 float32
			c, w := (*[3]int32)(gc[3*p:]), (*[3]float32)(gw[3*p:])
			for k, v := range c {
				r, w := (*[4]float32)(gv[4*int(v):]), w[k]*gGain
				m0 += w * r[0]
				m1 += w * r[1]
				m2 += w * r[2]
				m3 += w * r[3]
			}
			d, u := (*[6]int32)(bc[6*p:]), (*[6]float32)(bw[6*p:])
			for k, v := range d {
				r, w := (*[4]float32)(bv[4*int(v):]), u[k]*bGain
				m0 += w * r[0]
				m1 += w * r[1]
				m2 += w * r[2]
				m3 += w * r[3]
			}
			e, o := (*[4]float32)(minusU[4*p:]), (*[4]float32)(q[4*p:])
			o[0], o[1], o[2], o[3] = e[0]+m0, e[1]+m1, e[2]+m2, e[3]+m3
			rest[p] -= m0 + m1 + (m2 + m3)
		}
	default:
		for p := from; p < to; p++ {
			var m0, m1, m2, m3, m4, m5, m6, m7 float32
			c, w := (*[3]int32)(gc[3*p:]), (*[3]float32)(gw[3*p:])
			for k, v := range c {
				r, w := (*[8]float32)(gv[8*int(v):]), w[k]*gGain
				m0 += w * r[0]
				m1 += w * r[1]
				m2 += w * r[2]
				m3 += w * r[3]
				m4 += w * r[4]
				m5 += w * r[5]
				m6 += w * r[6]
				m7 += w * r[7]
			}
			d, u := (*[6]int32)(bc[6*p:]), (*[6]float32)(bw[6*p:])
			for k, v := range d {
				r, w := (*[8]float32)(bv[8*int(v):]), u[k]*bGain
				m0 += w * r[0]
				m1 += w * r[1]
				m2 += w * r[2]
				m3 += w * r[3]
				m4 += w * r[4]
				m5 += w * r[5]
				m6 += w * r[6]
				m7 += w * r[7]
			}
			e, o := (*[8]float32)(minusU[8*p:]), (*[8]float32)(q[8*p:])
			o[0], o[1], o[2], o[3] = e[0]+m0, e[1]+m1, e[2]+m2, e[3]+m3
			o[4], o[5], o[6], o[7] = e[4]+m4, e[5]+m5, e[6]+m6, e[7]+m7
			rest[p] -= m0 + m1 + (m2 + m3) + (m4 + m5 + (m6 + m7))
		}
	}
}
