package models

import (
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/tensor"
)

// Precisions of trunk and classifier. The text encoder, whose vectors are cached, and the
// gradient through the trunk's last block, whose numbers are small, are always computed in
// float32.
const (
	// Float32 is the reference's arithmetic.
	Float32 = "fp32"
	// Float16 computes the blocks in half precision, except the first embeddings and
	// the last block, through which the gradient goes. It is for GPUs; on a CPU it is
	// not faster than float32.
	Float16 = "fp16"
	// BFloat16 rounds the inputs of products to bfloat16, on CPUs for which ONNX
	// Runtime supports it: 64-bit Arm.
	BFloat16 = "bf16"
	// Int8 computes the products with weights in 8 bits, on a CPU.
	Int8 = "int8"
)

// Precisions lists all precisions.
func Precisions() []string { return []string{Float32, Float16, BFloat16, Int8} }

// A DeviceInfo describes a kind of device that a model can run on.
type DeviceInfo = ort.Provider

// Devices lists the supported devices. Whether one is available turns out when a role is
// created.
func Devices() []DeviceInfo { return ort.Providers() }

// CheckDevice returns an error if a device, its options or a precision on it are invalid,
// without opening the device. [Open] does the same check.
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

// setPrecision sets the precision of a graph.
func (n *net) setPrecision(precision string) {
	if precision == BFloat16 {
		precision, n.bfloat = Float32, true // the same graph with another session option
	}
	n.precision, n.eightBit = precision, precision == Int8
}

// toHalf casts x to float16 if the graph has that precision. The following layers are then
// built in float16.
func (n *net) toHalf(x onnx.Value) onnx.Value {
	n.half = n.precision == Float16
	return n.cast(x)
}

// toFloat casts x back to float32.
func (n *net) toFloat(x onnx.Value) onnx.Value {
	if !n.half {
		return x
	}
	n.half = false
	return n.Cast(x, onnx.Float32)
}

// cast casts a float32 value to the type of the current layers.
func (n *net) cast(x onnx.Value) onnx.Value {
	if !n.half {
		return x
	}
	return n.Cast(x, onnx.Float16)
}

// Floats is a constant in the type of the current layers.
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

// Scalar is a constant number in the type of the current layers.
func (n *net) Scalar(v float32) onnx.Value { return n.Floats([]float32{v}) }

// matMulWeight is the product of x and a matrix of the checkpoint, which has out rows of in
// numbers: x W^T if transposed, else x W; plus bias unless that is empty. It is computed in
// the precision of the layer.
func (n *net) matMulWeight(x onnx.Value, name string, out, in int, turned bool, bias onnx.Value) onnx.Value {
	w := n.constant(constant{name: name, shape: []int{out, in}, transposed: turned, half: n.half, eightBit: n.eightBit})
	if n.eightBit {
		return n.matMulWeight8(x, w, bias)
	}
	y := n.MatMul(x, w.value)
	if bias != "" {
		y = n.Add(y, bias)
	}
	return y
}

// matMulWeight8 is matMulWeight in 8 bits. Its input is quantized at run time with one
// scale, once for all products that share it; the weights are quantized by column. The
// error of a product is about 0.8 % of its standard deviation (measured on normal noise).
func (n *net) matMulWeight8(x onnx.Value, w param, bias onnx.Value) onnx.Value {
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
