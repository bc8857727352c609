package models

import "github.com/carve-video/carve/internal/onnx"

// The names of what the trunk knows of an image and the CAM needs: the caches
// of car.md 11.2 and 11.4. Rows of CLS are kept where its key and value act on
// the patches; elsewhere nothing comes from them, because the feature is the
// mean over the patches.
const (
	cacheY   = "y"   // L×D  LN1(X), what the gradient is taken by
	cacheQ   = "q"   // N×D  queries of the patches
	cacheK   = "k"   // L×D  keys
	cacheV   = "v"   // L×D  values
	cacheO   = "o"   // N×D  attention's output before out_proj
	cacheXh2 = "xh2" // N×D  normalised input of layer_norm2, before scale and bias
	cacheI2  = "i2"  // N×1  one over its deviation
	cachePhi = "phi" // N×F  slope of the activation
	cacheGm  = "gm"  // N×D  (phi * (xhp W2)) W1
	cacheXhp = "xhp" // N×D  as xh2, of post_layernorm
	cacheIp  = "ip"  // N×1
)

// cacheNames is their order among the trunk's outputs, behind feature, length
// and attention, and among the CAM graph's inputs, behind df.
var cacheNames = []string{
	cacheY, cacheQ, cacheK, cacheV, cacheO, cacheXh2, cacheI2, cachePhi, cacheGm, cacheXhp, cacheIp,
}

// trunkGraph is f's view of one image (car.md 3.2 to 3.4, 3.6 and 11.2): all
// blocks, the last one for the patches only, with its caches; the pooled
// feature; and the mean attention of the last two thirds of the blocks.
func trunkGraph(c config, w *weights) (*net, error) {
	n := newNet("vision trunk", c, w)
	t := c.Vision
	// The batch is one image.
	patches := n.Input("patches", onnx.Uint8, onnx.Fixed(1), onnx.Free("N"), onnx.Fixed(3*t.PatchSize*t.PatchSize))
	pos := n.Input("positions", onnx.Float32, onnx.Free("L"), onnx.Fixed(t.Width))

	n.Scope("embeddings")
	x := n.embeddings(patches, pos)

	// Two thirds of the blocks, the last among them: 8 of 12. The sum is over
	// heads and blocks as they come, so that one L×L is kept and not 8.
	averaged := (2*t.Layers + 2) / 3
	var attention onnx.Value // 1×1×L×L
	add := func(p onnx.Value) {
		p = n.Sum(p, 1)
		if attention != "" {
			p = n.Add(attention, p)
		}
		attention = p
	}
	last := t.Layers - 1
	for i := range last {
		n.Scope(layerName(visionPrefix, i))
		var p onnx.Value
		x, p = n.block(x, layerName(visionPrefix, i), t, "", i >= t.Layers-averaged)
		if p != "" {
			add(n.Slice(p, 2, 1, onnx.End))
		}
	}

	// The last block and its caches (car.md 11.2).
	prefix := layerName(visionPrefix, last)
	n.Scope(prefix)
	y := n.layerNorm(x, prefix+".layer_norm1", t)         // 1×L×D
	q := n.queries(n.Slice(y, 1, 1, onnx.End), prefix, t) // 1×N×D
	k, v := n.keys(y, prefix, t), n.values(y, prefix, t)  // 1×L×D
	p := n.probabilities(q, k, t, "")                     // 1×H×N×L
	o := n.join(n.MatMul(p, n.split(v, t)), t)            // 1×N×D
	z := n.linear(o, prefix+".self_attn.out_proj", t.Width, t.Width)
	x1 := n.Add(n.Slice(x, 1, 1, onnx.End), z)
	add(p)

	xh2, i2 := n.normalised(x1, t)
	u := n.affine(xh2, prefix+".layer_norm2", t)
	m := n.linear(u, prefix+".mlp.fc1", t.MLP, t.Width) // 1×N×F
	x2 := n.Add(x1, n.linear(n.activation(m, t), prefix+".mlp.fc2", t.Width, t.MLP))

	n.Scope("feature")
	xhp, ip := n.normalised(x2, t)
	pooled := n.Mean(n.affine(xhp, visionPrefix+"post_layernorm", t), 1)                   // 1×1×D
	f := n.MatMul(pooled, n.transposed("visual_projection.weight", c.Projection, t.Width)) // 1×1×E
	length := n.Norm(f, -1)

	n.Scope("gradient caches")
	phi := n.slope(m, t)
	eta := n.MatMul(xhp, n.param(prefix+".mlp.fc2.weight", t.Width, t.MLP))            // 1×N×F
	gm := n.MatMul(n.Mul(phi, eta), n.param(prefix+".mlp.fc1.weight", t.MLP, t.Width)) // 1×N×D

	n.Scope("mean attention")
	attention = n.Slice(attention, 3, 1, onnx.End)
	attention = n.Mul(attention, n.Scalar(1/float32(averaged*t.Heads)))

	n.Output("feature", n.Reshape(n.Div(f, length), -1), onnx.Float32)
	n.Output("length", n.Reshape(length, -1), onnx.Float32)
	n.Output("attention", n.Reshape(attention, -1), onnx.Float32)
	caches := map[string]onnx.Value{
		cacheY: y, cacheQ: q, cacheK: k, cacheV: v, cacheO: o, cacheXh2: xh2, cacheI2: i2,
		cachePhi: phi, cacheGm: gm, cacheXhp: xhp, cacheIp: ip,
	}
	for _, name := range cacheNames {
		n.Output(name, n.Squeeze(caches[name], 0), onnx.Float32)
	}
	n.x = n.Reshape(x, -1, t.Width)
	return n, n.err
}

// normalised is a LayerNorm before its scale and bias, and one over the
// deviation: …×D to …×D and …×1.
func (n *net) normalised(x onnx.Value, t tower) (xh, i onnx.Value) {
	c := n.Sub(x, n.Mean(x, -1))
	variance := n.Mean(n.Mul(c, c), -1)
	i = n.Div(n.Scalar(1), n.Sqrt(n.Add(variance, n.Scalar(t.Eps))))
	return n.Mul(c, i), i
}

// affine is the rest of a LayerNorm.
func (n *net) affine(xh onnx.Value, prefix string, t tower) onnx.Value {
	return n.Add(n.Mul(xh, n.param(prefix+".weight", t.Width)), n.param(prefix+".bias", t.Width))
}
