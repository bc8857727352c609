package models

import (
	"math"

	"github.com/carve-video/carve/internal/onnx"
)

// textGraph is the text encoder (docs/algorithm.md section 10): from ids B×T, and for each text the
// index of its last token in the flattened batch, to unit vectors B×E.
//
// T is the length of the longest text of the batch, not the model's context. Attention is
// causal, so tokens after the end of a text do not affect its feature, and the padding does
// not matter.
func textGraph(c config, w *weights) (*net, error) {
	n := newNet("text encoder", c, w)
	t := c.Text
	ids := n.Input("ids", onnx.Int64, onnx.Free("B"), onnx.Free("T"))
	ends := n.Input("ends", onnx.Int64, onnx.Free("B"))

	n.Scope("text embeddings")
	length := n.Side(ids, 1)
	pos := n.param(textPrefix+"embeddings.position_embedding.weight", t.Context, t.Width)
	x := n.Gather(n.param(textPrefix+"embeddings.token_embedding.weight", t.Vocab, t.Width), ids)
	x = n.Add(x, n.Head(pos, length, 0)) // B×T×D

	causal := make([]float32, t.Context*t.Context)
	for i := range causal {
		if i%t.Context > i/t.Context {
			causal[i] = float32(math.Inf(-1))
		}
	}
	mask := n.Head(n.Floats(causal, t.Context, t.Context), length, 0, 1)

	for i := range t.Layers {
		n.Scope(layerName(textPrefix, i))
		x = n.block(x, layerName(textPrefix, i), t, mask)
	}
	n.Scope("text feature")
	x = n.Gather(n.Reshape(x, -1, t.Width), ends) // B×D
	x = n.layerNorm(x, textPrefix+"final_layer_norm", t)
	x = n.MatMul(x, n.transposed("text_projection.weight", c.Projection, t.Width))
	n.Output("vectors", n.unit(x), onnx.Float32)
	return n, n.err
}
