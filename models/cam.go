package models

import (
	"math"

	"github.com/carve-video/carve/internal/onnx"
)

// camGraph is the gradient of u·f̂ with respect to Y = LN1(X), averaged over the patches,
// and its product with Y: docs/algorithm.md 11.4, for a batch of K directions. Its input df is the
// gradient with respect to the unnormalised feature,
//
//	df = (u - f̂ (f̂·u)) / |f|      K×E
//
// and the other inputs are the trunk's caches. The attention probabilities are computed
// again instead of cached: they are H×N×L, more than all other caches together.
func camGraph(c config, w *weights) (*net, error) {
	n := newNet("cam", c, w)
	t := c.Vision
	H, d := t.Heads, t.headDim()
	rows := func(name, side string, width int) onnx.Value {
		return n.Input(name, onnx.Float32, onnx.Free(side), onnx.Fixed(width))
	}
	df := rows("df", "K", c.Projection)
	y := rows(cacheY, "L", t.Width)
	q := rows(cacheQ, "N", t.Width)
	k := rows(cacheK, "L", t.Width)
	v := rows(cacheV, "L", t.Width)
	o := rows(cacheO, "N", t.Width)
	xh2 := rows(cacheXh2, "N", t.Width)
	i2 := rows(cacheI2, "N", 1)
	phi := rows(cachePhi, "N", t.MLP)
	gm := rows(cacheGm, "N", t.Width)
	xhp := rows(cacheXhp, "N", t.Width)
	ip := rows(cacheIp, "N", 1)

	prefix := layerName(visionPrefix, t.Layers-1)
	weight := func(name string, out, in int) onnx.Value { return n.param(prefix+name, out, in) }
	patches := n.Cast(n.Side(q, 0), onnx.Float32) // N, as a number

	n.Scope("projection and post_layernorm")
	dg := n.MatMul(df, n.param("visual_projection.weight", c.Projection, t.Width)) // K×D
	a := n.Mul(dg, n.param(visionPrefix+"post_layernorm.weight", t.Width))
	a0 := n.Sub(a, n.Mean(a, -1))
	beta := n.Div(n.MatMul(a, n.Transpose(xhp, 1, 0)), n.Scalar(float32(t.Width))) // K×N
	beta = n.Reshape(beta, 0, -1, 1)
	cn := n.Div(ip, patches) // N×1
	a0 = n.Reshape(a0, -1, 1, t.Width)

	n.Scope("mlp")
	alpha := n.MatMul(a0, weight(".mlp.fc2.weight", t.Width, t.MLP))             // K×1×F
	du := n.MatMul(n.Mul(phi, alpha), weight(".mlp.fc1.weight", t.MLP, t.Width)) // K×N×D
	du = n.Mul(cn, n.Sub(du, n.Mul(beta, gm)))

	n.Scope("layer_norm2")
	b := n.Mul(du, n.param(prefix+".layer_norm2.weight", t.Width))
	b = n.Sub(n.Sub(b, n.Mean(b, -1)), n.Mul(xh2, n.Mean(n.Mul(b, xh2), -1)))
	dx1 := n.Add(n.Mul(cn, n.Sub(a0, n.Mul(beta, xhp))), n.Mul(i2, b))

	n.Scope("attention")
	// With the patches as last axis, as camHead needs them.
	do := n.MatMulT(n.transposed(prefix+".self_attn.out_proj.weight", t.Width, t.Width), dx1)       // K×D×N
	do = n.Transpose(n.Reshape(do, 0, H, d, -1), 1, 0, 2, 3)                                        // H×K×d×N
	byHead := func(x onnx.Value) onnx.Value { return n.Transpose(n.Reshape(x, -1, H, d), 1, 0, 2) } // R×D to H×R×d
	qs, ks, vs, os := byHead(q), byHead(k), byHead(v), byHead(o)
	var sq, sk, sv []onnx.Value
	var done onnx.Value
	for h := range H {
		head := func(x onnx.Value) onnx.Value { return n.Squeeze(n.Slice(x, 0, h, h+1), 0) }
		hq := head(qs)
		if done != "" {
			hq = n.Concat(0, hq, done) // one head's N×L after the other, see net.computeAfter
		}
		var q, k, v onnx.Value
		q, k, v, done = n.camHead(head(do), hq, head(ks), head(vs), head(os), d)
		sq, sk, sv = append(sq, q), append(sk, k), append(sv, v)
	}

	n.Scope("input projections")
	project := func(heads []onnx.Value, name string) onnx.Value { // K×d each, to K×D
		return n.MatMul(n.Concat(1, heads...), weight(".self_attn."+name+".weight", t.Width, t.Width))
	}
	wc := n.Add(n.Add(project(sq, "q_proj"), project(sk, "k_proj")), project(sv, "v_proj"))
	wc = n.Div(wc, patches) // K×D
	n.Output("w", wc, onnx.Float32)
	n.Output("cam", n.MatMul(wc, n.Transpose(n.Slice(y, 0, 1, onnx.End), 1, 0)), onnx.Float32) // K×N
	return n, n.err
}

// camHead is the gradient through the attention of one head: from dO (K×d×N, with
// respect to the head's output) to the sums over patches and tokens of those with
// respect to its queries, keys and values (K×d each; docs/algorithm.md 11.4). q and o are N×d, k
// and v L×d. done has no rows and depends on the last use of the probabilities.
//
// Patches and tokens are the last axis, so that products run along the rows of the
// probabilities and no N×L is transposed.
func (n *net) camHead(do, q, k, v, o onnx.Value, d int) (sq, sk, sv, done onnx.Value) {
	scale := n.Scalar(float32(1 / math.Sqrt(float64(d))))
	p := n.Softmax(n.MatMul(n.Mul(q, scale), n.Transpose(k, 1, 0))) // N×L
	rho := n.Sum(n.Mul(do, n.Transpose(o, 1, 0)), 1)                // K×1×N

	// B and r of all directions in one product with p: K(d+1)×L.
	br := n.ReshapeTo(n.Concat(1, do, rho), n.Concat(0, n.Ints(-1), n.Side(q, 0)))
	br = n.ReshapeTo(n.MatMul(br, p), n.Concat(0, n.Ints(-1, d+1), n.Side(k, 0)))
	cs := n.Sum(n.Mul(n.Slice(br, 1, 0, d), n.Transpose(v, 1, 0)), 1) // K×1×L
	cs = n.Mul(n.Sub(cs, n.Slice(br, 1, d, d+1)), scale)
	sq = n.MatMul(n.Squeeze(cs, 1), k) // K×d

	p0 := n.Transpose(n.Slice(p, 1, 0, 1), 1, 0)                        // 1×N, the column of CLS
	dov0 := n.Sum(n.Mul(do, n.Transpose(n.Slice(v, 0, 0, 1), 1, 0)), 1) // K×1×N
	ds0 := n.Mul(n.Mul(p0, n.Sub(dov0, rho)), scale)
	sk = n.Neg(n.MatMul(n.Squeeze(ds0, 1), q)) // K×d
	rest := n.Transpose(n.Sub(n.Scalar(1), p0), 1, 0)
	sv = n.Squeeze(n.MatMul(do, rest), 2) // K×d

	done = n.Slice(n.Add(sq, n.Add(sk, sv)), 0, 0, 0) // 0×d
	return sq, sk, sv, done
}
