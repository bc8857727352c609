package models

import (
	"fmt"
	"math"

	"github.com/carve-video/carve/internal/onnx"
)

// A net is a graph built from the layers of a CLIP. Its methods are named after the
// layers. Their comments give the shapes, with
//
//	B  batch            L  tokens, row 0 is CLS    N = L-1  patches
//	D  width            F  width inside the MLP    E  projection
//	H  heads            d = D/H
//
// The error of the first missing tensor or wrong shape is kept in err, so that the
// methods need not return it.
type net struct {
	*onnx.Graph
	weights *weights
	config  config
	params  map[string]param
	err     error
	x       onnx.Value // of the trunk: X, the input of the last block

	inline   bool       // whether the graph contains all constants
	external []constant // otherwise, those that are in a separate file
	size     int64      // of that file

	precision string // of the graph
	eightBit  bool   // whether the current layers are computed in 8 bits
	half      bool   // or in float16
	bfloat    bool   // whether products may round their inputs to bfloat16
	quantized map[onnx.Value][3]onnx.Value
}

func newNet(name string, c config, w *weights) *net {
	return &net{Graph: onnx.NewGraph(name), weights: w, config: c, params: map[string]param{}, precision: Float32, inline: w.inline}
}

// param is a tensor of the checkpoint, in the type of the current layers.
func (n *net) param(name string, shape ...int) onnx.Value {
	return n.constant(constant{name: name, shape: shape, half: n.half}).value
}

// transposed is a matrix of the checkpoint (out×in, as in PyTorch) as in×out.
func (n *net) transposed(name string, out, in int) onnx.Value {
	return n.constant(constant{name: name, shape: []int{out, in}, transposed: true, half: n.half}).value
}

// linear is x W^T + b: …×in to …×out.
func (n *net) linear(x onnx.Value, prefix string, out, in int) onnx.Value {
	return n.matMulWeight(x, prefix+".weight", out, in, true, n.param(prefix+".bias", out))
}

// layerNorm normalises the last axis, D wide.
func (n *net) layerNorm(x onnx.Value, prefix string, t tower) onnx.Value {
	return n.LayerNorm(x, n.param(prefix+".weight", t.Width), n.param(prefix+".bias", t.Width), t.Eps)
}

// activation is the MLP's non-linearity.
func (n *net) activation(x onnx.Value, t tower) onnx.Value {
	if t.Act == gelu {
		return n.Gelu(x)
	}
	return n.Mul(x, n.Sigmoid(n.Mul(n.Scalar(1.702), x)))
}

// activationGradient is the derivative of activation.
func (n *net) activationGradient(x onnx.Value, t tower) onnx.Value {
	one := n.Scalar(1)
	if t.Act == gelu { // Phi(x) + x phi(x)
		cdf := n.Mul(n.Scalar(0.5), n.Add(one, n.Erf(n.Mul(x, n.Scalar(math.Sqrt2/2)))))
		pdf := n.Mul(n.Scalar(float32(1/math.Sqrt(2*math.Pi))), n.Exp(n.Mul(n.Scalar(-0.5), n.Mul(x, x))))
		return n.Add(cdf, n.Mul(x, pdf))
	}
	// s (1 + 1.702 x (1 - s)), docs/algorithm.md 11.3
	s := n.Sigmoid(n.Mul(n.Scalar(1.702), x))
	return n.Mul(s, n.Add(one, n.Mul(n.Mul(n.Scalar(1.702), x), n.Sub(one, s))))
}

// mlp is the second half of a block without its residual: …×D to …×D.
func (n *net) mlp(x onnx.Value, prefix string, t tower) onnx.Value {
	h := n.activation(n.linear(x, prefix+".fc1", t.MLP, t.Width), t)
	return n.linear(h, prefix+".fc2", t.Width, t.MLP)
}

// queries is B×L×D with the heads concatenated, and so are keys and values.
func (n *net) queries(y onnx.Value, prefix string, t tower) onnx.Value {
	return n.linear(y, prefix+".self_attn.q_proj", t.Width, t.Width)
}

func (n *net) keys(y onnx.Value, prefix string, t tower) onnx.Value {
	return n.linear(y, prefix+".self_attn.k_proj", t.Width, t.Width)
}

func (n *net) values(y onnx.Value, prefix string, t tower) onnx.Value {
	return n.linear(y, prefix+".self_attn.v_proj", t.Width, t.Width)
}

// split separates the heads: B×L×D to B×H×L×d.
func (n *net) split(x onnx.Value, t tower) onnx.Value {
	return n.Transpose(n.Reshape(x, 0, 0, t.Heads, t.headDim()), 0, 2, 1, 3)
}

// join concatenates the heads: B×H×L×d to B×L×D.
func (n *net) join(x onnx.Value, t tower) onnx.Value {
	return n.Reshape(n.Transpose(x, 0, 2, 1, 3), 0, 0, t.Width)
}

// scaled divides queries by sqrt d. Scaling queries takes L/d times fewer operations than
// scaling the products. For the usual d = 64 the scale is a power of two and exact.
func (n *net) scaled(q onnx.Value, t tower) onnx.Value {
	return n.Mul(q, n.Scalar(float32(1/math.Sqrt(float64(t.headDim())))))
}

// keysT separates the heads of keys and transposes them: B×L×D to B×H×d×L.
func (n *net) keysT(k onnx.Value, t tower) onnx.Value {
	return n.Transpose(n.Reshape(k, 0, 0, t.Heads, t.headDim()), 0, 2, 3, 1)
}

// attend is softmax(q k^T / sqrt d) v without out_proj, for q (B×M×D), k and v
// (B×L×D). mask, if any, is added before the softmax.
func (n *net) attend(q, k, v onnx.Value, t tower, mask onnx.Value) onnx.Value {
	if mask == "" {
		return n.MultiHeadAttention(q, k, v, t.Heads)
	}
	s := n.MatMul(n.split(n.scaled(q, t), t), n.keysT(k, t)) // B×H×M×L
	return n.join(n.MatMul(n.Softmax(n.Add(s, mask)), n.split(v, t)), t)
}

// block is one whole block: B×L×D to B×L×D.
func (n *net) block(x onnx.Value, prefix string, t tower, mask onnx.Value) onnx.Value {
	y := n.layerNorm(x, prefix+".layer_norm1", t)
	o := n.attend(n.queries(y, prefix, t), n.keys(y, prefix, t), n.values(y, prefix, t), t, mask)
	return n.afterAttention(x, o, prefix, t)
}

// afterAttention is the part of a block after attention: out_proj, residual, MLP.
func (n *net) afterAttention(x, o onnx.Value, prefix string, t tower) onnx.Value {
	x = n.Add(x, n.outProj(o, prefix, t))
	return n.Add(x, n.mlp(n.layerNorm(x, prefix+".layer_norm2", t), prefix+".mlp", t))
}

func (n *net) outProj(o onnx.Value, prefix string, t tower) onnx.Value {
	return n.linear(o, prefix+".self_attn.out_proj", t.Width, t.Width)
}

// blockFirstRow is a block that computes the first token only: B×L×D to B×1×D. That
// token attends to all of them.
func (n *net) blockFirstRow(x onnx.Value, prefix string, t tower) onnx.Value {
	y := n.layerNorm(x, prefix+".layer_norm1", t)
	q := n.queries(n.Slice(y, 1, 0, 1), prefix, t)
	o := n.attend(q, n.keys(y, prefix, t), n.values(y, prefix, t), t, "")
	return n.afterAttention(n.Slice(x, 1, 0, 1), o, prefix, t)
}

// unit scales the last axis to length 1.
func (n *net) unit(x onnx.Value) onnx.Value { return n.Div(x, n.Norm(x, -1)) }

// Names of the checkpoint's parts.
const (
	visionPrefix = "vision_model."
	textPrefix   = "text_model."
)

func layerName(prefix string, i int) string {
	return fmt.Sprintf("%sencoder.layers.%d", prefix, i)
}

// embeddings is the input of the first block: from uint8 pixels B×N×3p² (channel, row,
// column within a patch) and positions L×D to B×L×D.
func (n *net) embeddings(patches, pos onnx.Value) onnx.Value {
	t := n.config.Vision
	area := t.PatchSize * t.PatchSize
	// One number per pixel of a patch, because the last axis has one channel after the
	// other. PyTorch's order of operations (docs/algorithm.md 3.1).
	mean, std := make([]float32, 3*area), make([]float32, 3*area)
	for i := range mean {
		mean[i], std[i] = n.config.pixels.mean[i/area], n.config.pixels.std[i/area]
	}
	x := n.Div(n.Cast(patches, onnx.Float32), n.Scalar(255))
	x = n.Div(n.Sub(x, n.Floats(mean, 3*area)), n.Floats(std, 3*area))

	// A convolution of patches that do not overlap is a matrix product.
	conv := n.param(visionPrefix+"embeddings.patch_embedding.weight", t.Width, 3, t.PatchSize, t.PatchSize)
	conv = n.Transpose(n.Reshape(conv, t.Width, 3*area), 1, 0)
	x = n.MatMul(x, conv) // B×N×D
	cls := n.Reshape(n.param(visionPrefix+"embeddings.class_embedding", t.Width), 1, 1, t.Width)
	cls = n.Expand(cls, n.Concat(0, n.Side(x, 0), n.Ints(1, 1)))
	x = n.Add(n.Concat(1, cls, x), pos)
	// The name is misspelt in all checkpoints.
	return n.layerNorm(x, visionPrefix+"pre_layrnorm", t)
}
