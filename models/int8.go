package models

import "github.com/carve-video/carve/internal/onnx"

// Precisions of the large products of trunk and classifier. Attention, the
// gradients of single texts and the text encoder are done in float32 in either.
const (
	Float32 = "fp32"
	Int8    = "int8"
)

// times is the product of x and a matrix of the checkpoint, which has out rows
// of in numbers: x W^T where turned, else x W; plus bias unless that is empty.
// It is done in the precision of the layer.
func (n *net) times(x onnx.Value, name string, out, in int, turned bool, bias onnx.Value) onnx.Value {
	w := n.constant(constant{name: name, shape: []int{out, in}, turned: turned, eightBit: n.eightBit})
	if n.eightBit {
		return n.times8(x, w, bias)
	}
	y := n.MatMul(x, w.value)
	if bias != "" {
		y = n.Add(y, bias)
	}
	return y
}

// times8 quantizes its input as a whole, when it runs, once for all products
// that share it; the weights were quantized by column. The error of a product
// is about 0.8 % of its deviation (measured on normal noise).
func (n *net) times8(x onnx.Value, w param, bias onnx.Value) onnx.Value {
	q, ok := n.quantized[x]
	if !ok {
		q[0], q[1], q[2] = n.Quantize(x)
		if n.quantized == nil {
			n.quantized = map[onnx.Value][3]onnx.Value{}
		}
		n.quantized[x] = q
	}
	return n.MatMul8(q[0], w.value, q[1], w.scales, q[2], bias)
}
