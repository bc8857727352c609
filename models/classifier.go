package models

import "github.com/carve-video/carve/internal/onnx"

// classifierGraph is the image encoder of g for a batch of images (docs/algorithm.md 4.3): the
// blocks (all but the last, in the released code), post_layernorm of the CLS token,
// projection, unit length. Of the last block only the row of CLS is computed, because no
// other is used.
func classifierGraph(c config, w *weights, skipLastBlock bool, precision string) (*net, error) {
	n := newNet("classifier", c, w)
	n.setPrecision(precision)
	t := c.Vision
	patches := n.Input("patches", onnx.Uint8, onnx.Free("B"), onnx.Free("N"), onnx.Fixed(3*t.PatchSize*t.PatchSize))
	pos := n.Input("positions", onnx.Float32, onnx.Free("L"), onnx.Fixed(t.Width))

	n.Scope("embeddings")
	x := n.toHalf(n.embeddings(patches, pos))
	blocks := t.Layers
	if skipLastBlock {
		blocks--
	}
	for i := range blocks - 1 {
		n.Scope(layerName(visionPrefix, i))
		x = n.block(x, layerName(visionPrefix, i), t, "")
	}
	n.Scope(layerName(visionPrefix, blocks-1))
	x = n.blockFirstRow(x, layerName(visionPrefix, blocks-1), t) // B×1×D

	n.Scope("feature")
	x = n.layerNorm(n.Reshape(n.toFloat(x), -1, t.Width), visionPrefix+"post_layernorm", t)
	x = n.MatMul(x, n.transposed("visual_projection.weight", c.Projection, t.Width))
	n.Output("vectors", n.unit(x), onnx.Float32) // B×E
	return n, n.err
}
