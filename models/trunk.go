package models

import "github.com/carve-video/carve/internal/onnx"

// The names of the trunk's outputs that the CAM graph needs: the caches of docs/algorithm.md 11.2 and
// 11.4. They include the row of CLS where its key and value affect the patches. Elsewhere
// it is not needed, because the feature is the mean over the patches.
const (
	cacheY   = "y"   // L×D  LN1(X), with respect to which the gradient is taken
	cacheQ   = "q"   // N×D  queries of the patches
	cacheK   = "k"   // L×D  keys
	cacheV   = "v"   // L×D  values
	cacheO   = "o"   // N×D  attention's output before out_proj
	cacheXh2 = "xh2" // N×D  normalised input of layer_norm2, before scale and bias
	cacheI2  = "i2"  // N×1  reciprocal of its standard deviation
	cachePhi = "phi" // N×F  derivative of the activation
	cacheGm  = "gm"  // N×D  (phi * (xhp W2)) W1
	cacheXhp = "xhp" // N×D  like xh2, of post_layernorm
	cacheIp  = "ip"  // N×1  like i2, of post_layernorm
)

// cacheNames is their order in the trunk's outputs, after feature, length and attention,
// and in the CAM graph's inputs, after df.
var cacheNames = []string{
	cacheY, cacheQ, cacheK, cacheV, cacheO, cacheXh2, cacheI2, cachePhi, cacheGm, cacheXhp, cacheIp,
}

// attentionParts is the number of parts in which the rows of the attention are computed.
// The probabilities of a block are H×L×L, hundreds of megabytes for a large image; those of
// a part nearly fit into the cache. The numbers of rows of the parts are the trunk's third
// input, see [attentionRows].
const attentionParts = 16

// attentionRows divides L rows into parts whose probabilities, heads×rows×L, take a few
// megabytes each. Small images have fewer parts: the others are empty and take almost no
// time.
func attentionRows(heads, L int) []int64 {
	const part = 4 << 20 / 4 // numbers
	used := min(max(1, (heads*L*L+part-1)/part), attentionParts, L)
	rows := make([]int64, attentionParts)
	for i := range used {
		rows[i] = int64((i+1)*L/used - i*L/used)
	}
	return rows
}

// A meanAttention accumulates the attention probabilities over heads and blocks, so that
// one L×L is kept in memory and not one for each head and block.
type meanAttention struct {
	rows onnx.Value   // of the parts
	sums []onnx.Value // B×1×(rows)×L each
}

// attend is [net.attend], and accumulates the probabilities.
func (a *meanAttention) attend(n *net, q, k, v onnx.Value, t tower) onnx.Value {
	kt, v := n.keysT(k, t), n.split(v, t)
	parts := n.Split(n.split(n.scaled(q, t), t), 2, a.rows, attentionParts) // B×H×(rows)×d
	out := make([]onnx.Value, len(parts))
	first := len(a.sums) == 0
	for i, q := range parts {
		if i > 0 {
			q = n.computeAfter(q, a.sums[i-1], t)
		}
		p := n.Softmax(n.MatMul(q, kt)) // B×H×(rows)×L
		out[i] = n.MatMul(p, v)
		// The sum over heads, as a product with ones: several times faster
		// than ReduceSum along a leading axis.
		flat := n.ReshapeTo(p, n.Concat(0, n.Side(p, 0), n.Ints(t.Heads), n.Mul(n.Side(p, 2), n.Side(p, 3))))
		sum := n.MatMul(n.Floats(ones(t.Heads), 1, t.Heads), flat) // B×1×(rows·L)
		if n.half {
			sum = n.Cast(sum, onnx.Float32) // the sum over blocks is in float32
		}
		sum = n.ReshapeTo(sum, n.Concat(0, n.Side(p, 0), n.Ints(1), n.Side(p, 2), n.Side(p, 3)))
		if first {
			a.sums = append(a.sums, sum)
		} else {
			a.sums[i] = n.Add(a.sums[i], sum)
		}
	}
	out = append(out, n.emptyRows(a.sums[attentionParts-1], t))
	return n.join(n.Concat(2, out...), t)
}

// computeAfter is q, computed after sum. Otherwise the runtime would compute the sums at
// the end of the graph, because only an output needs them, and keep the probabilities of
// all blocks until then: gigabytes.
func (n *net) computeAfter(q, sum onnx.Value, t tower) onnx.Value {
	return n.Concat(2, q, n.emptyRows(sum, t))
}

// emptyRows is a tensor without rows, B×H×0×d, that depends on sum.
func (n *net) emptyRows(sum onnx.Value, t tower) onnx.Value {
	return n.Expand(n.cast(n.Slice(n.Slice(sum, 2, 0, 0), 3, 0, 1)), n.Ints(1, t.Heads, 0, t.headDim()))
}

// mean is the mean of the accumulated probabilities, without the row and the column of CLS:
// B×1×N×N. count is the number of terms, heads times blocks.
func (a *meanAttention) mean(n *net, count int) onnx.Value {
	parts := make([]onnx.Value, len(a.sums))
	for i, sum := range a.sums {
		if i == 0 { // the first part is never empty, and has CLS
			sum = n.Slice(sum, 2, 1, onnx.End)
		}
		parts[i] = n.Mul(n.Slice(sum, 3, 1, onnx.End), n.Scalar(1/float32(count)))
	}
	return n.Concat(2, parts...)
}

func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// trunkGraph is the image encoder of f for a batch of images of one size (docs/algorithm.md 3.2 to
// 3.4, 3.6 and 11.2): all blocks, the last one for the patches only, with its caches; the
// pooled feature; and the mean attention of the last two thirds of the blocks.
func trunkGraph(c config, w *weights, precision string) (*net, error) {
	n := newNet("vision trunk", c, w)
	n.setPrecision(precision)
	t := c.Vision
	patches := n.Input("patches", onnx.Uint8, onnx.Free("B"), onnx.Free("N"), onnx.Fixed(3*t.PatchSize*t.PatchSize))
	pos := n.Input("positions", onnx.Float32, onnx.Free("L"), onnx.Fixed(t.Width))
	attention := meanAttention{rows: n.Input("rows", onnx.Int64, onnx.Fixed(attentionParts))}

	n.Scope("embeddings")
	x := n.toHalf(n.embeddings(patches, pos))

	averaged := (2*t.Layers + 2) / 3 // 8 of 12, including the last
	last := t.Layers - 1
	for i := range last {
		prefix := layerName(visionPrefix, i)
		n.Scope(prefix)
		if i < t.Layers-averaged {
			x = n.block(x, prefix, t, "")
			continue
		}
		y := n.layerNorm(x, prefix+".layer_norm1", t)
		o := attention.attend(n, n.queries(y, prefix, t), n.keys(y, prefix, t), n.values(y, prefix, t), t)
		x = n.afterAttention(x, o, prefix, t)
	}
	x = n.toFloat(x)
	n.x = x

	// The last block and its caches (docs/algorithm.md 11.2). After attention the row of CLS is
	// omitted.
	prefix := layerName(visionPrefix, last)
	n.Scope(prefix)
	y := n.layerNorm(x, prefix+".layer_norm1", t) // B×L×D
	q, k, v := n.queries(y, prefix, t), n.keys(y, prefix, t), n.values(y, prefix, t)
	o := n.Slice(attention.attend(n, q, k, v, t), 1, 1, onnx.End) // B×N×D
	q = n.Slice(q, 1, 1, onnx.End)
	x1 := n.Add(n.Slice(x, 1, 1, onnx.End), n.outProj(o, prefix, t))

	xh2, i2 := n.normalised(x1, t)
	u := n.affine(xh2, prefix+".layer_norm2", t)
	m := n.linear(u, prefix+".mlp.fc1", t.MLP, t.Width) // B×N×F
	x2 := n.Add(x1, n.linear(n.activation(m, t), prefix+".mlp.fc2", t.Width, t.MLP))

	n.Scope("feature")
	xhp, ip := n.normalised(x2, t)
	pooled := n.Mean(n.affine(xhp, visionPrefix+"post_layernorm", t), 1)                   // B×1×D
	f := n.MatMul(pooled, n.transposed("visual_projection.weight", c.Projection, t.Width)) // B×1×E
	length := n.Norm(f, -1)

	n.Scope("gradient caches")
	phi := n.activationGradient(m, t)
	eta := n.matMulWeight(xhp, prefix+".mlp.fc2.weight", t.Width, t.MLP, false, "")            // B×N×F
	gm := n.matMulWeight(n.Mul(phi, eta), prefix+".mlp.fc1.weight", t.MLP, t.Width, false, "") // B×N×D

	n.Output("feature", n.Reshape(n.Div(f, length), 0, -1), onnx.Float32)
	n.Output("length", n.Reshape(length, 0, -1), onnx.Float32)
	n.Output("attention", attention.mean(n, averaged*t.Heads), onnx.Float32)
	caches := map[string]onnx.Value{
		cacheY: y, cacheQ: q, cacheK: k, cacheV: v, cacheO: o, cacheXh2: xh2, cacheI2: i2,
		cachePhi: phi, cacheGm: gm, cacheXhp: xhp, cacheIp: ip,
	}
	for _, name := range cacheNames {
		n.Output(name, caches[name], onnx.Float32)
	}
	return n, n.err
}

// normalised is a LayerNorm without its scale and bias, and the reciprocal of the standard
// deviation: …×D to …×D and …×1.
func (n *net) normalised(x onnx.Value, t tower) (xh, i onnx.Value) {
	c := n.Sub(x, n.Mean(x, -1))
	variance := n.Mean(n.Mul(c, c), -1)
	i = n.Div(n.Scalar(1), n.Sqrt(n.Add(variance, n.Scalar(t.Eps))))
	return n.Mul(c, i), i
}

// affine is the scale and bias of a LayerNorm.
func (n *net) affine(xh onnx.Value, prefix string, t tower) onnx.Value {
	return n.Add(n.Mul(xh, n.param(prefix+".weight", t.Width)), n.param(prefix+".bias", t.Width))
}
