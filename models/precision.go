package models

import (
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/tensor"
)

// Precisions of trunk and classifier. The text encoder, whose vectors are
// remembered, and the gradient through the trunk's last block, whose numbers
// are small, are always done in float32.
const (
	// Float32 is the reference's arithmetic.
	Float32 = "fp32"
	// Float16 does the blocks in half precision, the first embeddings and what
	// the gradient is taken through excepted. It is for GPUs; a CPU can do it,
	// no faster than float32.
	Float16 = "fp16"
	// BFloat16 rounds the inputs of products to bfloat16, on CPUs whose ONNX
	// Runtime can: 64-bit Arm.
	BFloat16 = "bf16"
	// Int8 does the products of weights in 8 bits, on a CPU.
	Int8 = "int8"
)

// Precisions lists them.
func Precisions() []string { return []string{Float32, Float16, BFloat16, Int8} }

// A DeviceInfo describes what a model can run on.
type DeviceInfo = ort.Provider

// Devices lists what a model can be asked to run on. Whether one is there shows
// when a role is made.
func Devices() []DeviceInfo { return ort.Providers() }

// CheckDevice finds what is wrong with a device, its options and a precision on
// it, without opening anything. What [Open] is given is checked the same way.
func CheckDevice(device string, options map[string]string, precision string) error {
	if err := ort.CheckDevice(device, options); err != nil {
		return err
	}
	automatic := device == "" || device == ort.Auto
	switch precision {
	case "", Float32, Float16:
	case Int8, BFloat16:
		if !automatic && device != ort.CPU {
			return fmt.Errorf("precision %s is for the CPU, and the device is %s", precision, device)
		}
		if precision == BFloat16 && !ort.HasBFloat16() {
			return fmt.Errorf("precision %s is for 64-bit Arm: ONNX Runtime has no such products for this CPU", precision)
		}
	default:
		return fmt.Errorf("unknown precision %q: want one of %s", precision, strings.Join(Precisions(), ", "))
	}
	return nil
}

// in sets the precision of a graph.
func (n *net) in(precision string) {
	if precision == BFloat16 {
		precision, n.bfloat = Float32, true // the same graph, differently run
	}
	n.precision, n.eightBit = precision, precision == Int8
}

// toHalf brings x to float16, in which the layers that follow are built, where
// the graph is in that precision.
func (n *net) toHalf(x onnx.Value) onnx.Value {
	n.half = n.precision == Float16
	return n.as(x)
}

// toFloat brings x back to float32.
func (n *net) toFloat(x onnx.Value) onnx.Value {
	if !n.half {
		return x
	}
	n.half = false
	return n.Cast(x, onnx.Float32)
}

// as casts a float32 value to the type of the layers now built.
func (n *net) as(x onnx.Value) onnx.Value {
	if !n.half {
		return x
	}
	return n.Cast(x, onnx.Float16)
}

// Floats is a constant in the type of the layers now built.
func (n *net) Floats(v []float32, shape ...int) onnx.Value {
	if !n.half {
		return n.Graph.Floats(v, shape...)
	}
	half := make([]uint16, len(v))
	for i, x := range v {
		half[i] = tensor.ToFloat16(x)
	}
	return n.Graph.Halves(half, shape...)
}

// Scalar is a constant number in the type of the layers now built.
func (n *net) Scalar(v float32) onnx.Value { return n.Floats([]float32{v}) }

// times is the product of x and a matrix of the checkpoint, which has out rows
// of in numbers: x W^T where turned, else x W; plus bias unless that is empty.
// It is done in the precision of the layer.
func (n *net) times(x onnx.Value, name string, out, in int, turned bool, bias onnx.Value) onnx.Value {
	w := n.constant(constant{name: name, shape: []int{out, in}, turned: turned, half: n.half, eightBit: n.eightBit})
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
