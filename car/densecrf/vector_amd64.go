package densecrf

import "golang.org/x/sys/cpu"

func init() {
	if cpu.X86.HasAVX2 {
		inner = avx2
	}
}

// avx2 are the loops with AVX2. Values that do not fill a register are computed in
// plain Go.
var avx2 = loops{
	splat: func(width int, value []float32, start, point []int32, share, q []float32, from, to int) {
		if from >= to {
			return
		}
		byWidth(width, splat1, splat4, splat8, splat16)(&value[0], &start[0], &point[0], &share[0], &q[0], from, to)
	},
	blur: func(width int, dst, src []float32, near []pair, from, to int) {
		if from >= to {
			return
		}
		byWidth(width, blur1, blur4, blur8, blur16)(&dst[0], &src[0], &near[0], from, to)
	},
	gather: func(width int, q, base, rest, top []float32, m messages, from, to int) {
		byWidth(width, gather1, gather4, gather8, gather16)(
			&q[from*width], &base[from*width], &rest[from], &top[from], &m.value[0][0], &m.value[1][0],
			&m.corner[0][3*from], &m.corner[1][6*from], &m.weight[0][3*from], &m.weight[1][6*from],
			m.gain[0], m.gain[1], to-from)
	},
	gatherPairs: func(width int, q, base, full []float32, m messages, from, to int) {
		byWidth(width, pairs1, pairs4, pairs8, pairs16)(
			&q[from*width], &base[from*width], &full[from], &m.value[0][0], &m.value[1][0],
			&m.corner[0][3*from], &m.corner[1][6*from], &m.weight[0][3*from], &m.weight[1][6*from],
			m.gain[0], m.gain[1], to-from)
	},
	expRest: func(rest, top, sum []float32) {
		n := len(rest) &^ 7
		if n > 0 {
			expRest8(&rest[0], &top[0], &sum[0], n)
		}
		expRest(rest[n:], top[n:], sum[n:])
	},
	expLanes: func(width int, q, top, sum []float32, from, to int) {
		if width == 1 {
			expLanes(width, q, top, sum, from, to)
			return
		}
		byWidth(width, nil, expLanes4, expLanes8, expLanes16)(&q[from*width], &top[from], &sum[from], to-from)
	},
	invertSums: func(rest, sum []float32) {
		n := len(rest) &^ 7
		if n > 0 {
			invertSums8(&rest[0], &sum[0], n)
		}
		invertSums(rest[n:], sum[n:])
	},
	scaleLanes: func(width int, q, inv []float32, from, to int) {
		if width == 1 {
			scaleLanes(width, q, inv, from, to)
			return
		}
		byWidth(width, nil, scaleLanes4, scaleLanes8, scaleLanes16)(&q[from*width], &inv[from], to-from)
	},
	logistic: func(q []float32) {
		n := len(q) &^ 7
		if n > 0 {
			logistic8(&q[0], n)
		}
		logistic(q[n:])
	},
	unary: func(prob, dst []float32) {
		n := len(prob) &^ 7
		if n > 0 {
			unary8(&prob[0], &dst[0], n)
		}
		unary(prob[n:], dst[n:])
	},
}

func byWidth[F any](width int, f1, f4, f8, f16 F) F {
	switch width {
	case 1:
		return f1
	case 4:
		return f4
	case 8:
		return f8
	}
	return f16
}

//go:noescape
func splat1(value *float32, start, point *int32, share, q *float32, from, to int)

//go:noescape
func splat4(value *float32, start, point *int32, share, q *float32, from, to int)

//go:noescape
func splat8(value *float32, start, point *int32, share, q *float32, from, to int)

//go:noescape
func splat16(value *float32, start, point *int32, share, q *float32, from, to int)

//go:noescape
func blur1(dst, src *float32, near *pair, from, to int)

//go:noescape
func blur4(dst, src *float32, near *pair, from, to int)

//go:noescape
func blur8(dst, src *float32, near *pair, from, to int)

//go:noescape
func blur16(dst, src *float32, near *pair, from, to int)

//go:noescape
func gather1(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func gather4(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func gather8(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func gather16(q, base, rest, top, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func pairs1(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func pairs4(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func pairs8(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func pairs16(q, base, full, gv, bv *float32, gc, bc *int32, gw, bw *float32, gg, bg float32, n int)

//go:noescape
func expRest8(rest, top, sum *float32, n int)

//go:noescape
func invertSums8(rest, sum *float32, n int)

//go:noescape
func expLanes4(q, top, sum *float32, n int)

//go:noescape
func expLanes8(q, top, sum *float32, n int)

//go:noescape
func expLanes16(q, top, sum *float32, n int)

//go:noescape
func scaleLanes4(q, inv *float32, n int)

//go:noescape
func scaleLanes8(q, inv *float32, n int)

//go:noescape
func scaleLanes16(q, inv *float32, n int)

//go:noescape
func logistic8(q *float32, n int)

//go:noescape
func unary8(prob, dst *float32, n int)
