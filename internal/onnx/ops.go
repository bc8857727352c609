package onnx

// The operators, under their ONNX names. Shapes broadcast as in NumPy.

// Add is a + b.
func (g *Graph) Add(a, b Value) Value { return g.node("Add", []Value{a, b}) }

// Sub is a - b.
func (g *Graph) Sub(a, b Value) Value { return g.node("Sub", []Value{a, b}) }

// Mul is a * b, element by element.
func (g *Graph) Mul(a, b Value) Value { return g.node("Mul", []Value{a, b}) }

// Div is a / b.
func (g *Graph) Div(a, b Value) Value { return g.node("Div", []Value{a, b}) }

// Neg is -a.
func (g *Graph) Neg(a Value) Value { return g.node("Neg", []Value{a}) }

// Sqrt is the square root.
func (g *Graph) Sqrt(a Value) Value { return g.node("Sqrt", []Value{a}) }

// Exp is e to the a.
func (g *Graph) Exp(a Value) Value { return g.node("Exp", []Value{a}) }

// Abs is the absolute value.
func (g *Graph) Abs(a Value) Value { return g.node("Abs", []Value{a}) }

// Larger is the larger of a and b, element by element.
func (g *Graph) Larger(a, b Value) Value { return g.node("Max", []Value{a, b}) }

// Round rounds to the nearest integer, ties to even.
func (g *Graph) Round(a Value) Value { return g.node("Round", []Value{a}) }

// Erf is the error function.
func (g *Graph) Erf(a Value) Value { return g.node("Erf", []Value{a}) }

// Sigmoid is 1/(1+e^-a).
func (g *Graph) Sigmoid(a Value) Value { return g.node("Sigmoid", []Value{a}) }

// Gelu is a times the normal distribution function of a, exactly.
func (g *Graph) Gelu(a Value) Value { return g.node("Gelu", []Value{a}) }

// MatMul is the product of the last two axes, the others being a batch.
func (g *Graph) MatMul(a, b Value) Value { return g.node("MatMul", []Value{a, b}) }

// MatMulT is a times b transposed, without a transposed copy of b.
func (g *Graph) MatMulT(a, b Value) Value {
	return g.one(contribDomain, "FusedMatMul", []Value{a, b}, intAttr("transB", 1))
}

// Softmax is taken along the last axis.
func (g *Graph) Softmax(a Value) Value {
	return g.node("Softmax", []Value{a}, intAttr("axis", -1))
}

// LayerNorm normalises the last axis, with biased variance.
func (g *Graph) LayerNorm(x, scale, bias Value, eps float32) Value {
	return g.node("LayerNormalization", []Value{x, scale, bias}, intAttr("axis", -1), floatAttr("epsilon", eps))
}

// Mean is the mean along axes, which are kept with length 1.
func (g *Graph) Mean(x Value, axes ...int) Value {
	return g.node("ReduceMean", []Value{x, g.Ints(axes...)}, intAttr("keepdims", 1))
}

// Sum is the sum along axes, which are kept with length 1.
func (g *Graph) Sum(x Value, axes ...int) Value {
	return g.node("ReduceSum", []Value{x, g.Ints(axes...)}, intAttr("keepdims", 1))
}

// Norm is the Euclidean length along axes, which are kept with length 1.
func (g *Graph) Norm(x Value, axes ...int) Value {
	return g.node("ReduceL2", []Value{x, g.Ints(axes...)}, intAttr("keepdims", 1))
}

// Largest is the maximum along axes, which are kept with length 1.
func (g *Graph) Largest(x Value, axes ...int) Value {
	return g.node("ReduceMax", []Value{x, g.Ints(axes...)}, intAttr("keepdims", 1))
}

// Transpose permutes the axes.
func (g *Graph) Transpose(x Value, perm ...int) Value {
	return g.node("Transpose", []Value{x}, intsAttr("perm", perm...))
}

// Reshape changes the shape: 0 keeps a side, -1 (once) is inferred.
func (g *Graph) Reshape(x Value, shape ...int) Value {
	return g.node("Reshape", []Value{x, g.Ints(shape...)})
}

// ReshapeTo is Reshape to a shape computed at run time.
func (g *Graph) ReshapeTo(x, shape Value) Value {
	return g.node("Reshape", []Value{x, shape})
}

// Squeeze drops an axis of length 1.
func (g *Graph) Squeeze(x Value, axis int) Value {
	return g.node("Squeeze", []Value{x, g.Ints(axis)})
}

// Split cuts x along an axis into count parts of the lengths in sizes, a vector of
// count integers computed at run time. Parts may be empty.
func (g *Graph) Split(x Value, axis int, sizes Value, count int) []Value {
	out := make([]Value, count)
	for i := range out {
		out[i] = g.newName("Split")
	}
	g.append("", out, "Split", []Value{x, sizes}, intAttr("axis", axis))
	return out
}

// Slice takes the elements from <= i < to along an axis; use End for the end.
func (g *Graph) Slice(x Value, axis, from, to int) Value {
	return g.node("Slice", []Value{x, g.Ints(from), g.Ints(to), g.Ints(axis)})
}

// End is the end of an axis, for [Graph.Slice].
const End = 1<<31 - 1

// Head takes the first n along each of the axes; n is computed at run time.
func (g *Graph) Head(x, n Value, axes ...int) Value {
	ends := n
	if len(axes) > 1 {
		all := make([]Value, len(axes))
		for i := range all {
			all[i] = n
		}
		ends = g.Concat(0, all...)
	}
	return g.node("Slice", []Value{x, g.Ints(make([]int, len(axes))...), ends, g.Ints(axes...)})
}

// Concat joins along an axis.
func (g *Graph) Concat(axis int, x ...Value) Value {
	return g.node("Concat", x, intAttr("axis", axis))
}

// Gather picks rows (axis 0) of x by index.
func (g *Graph) Gather(x, index Value) Value {
	return g.node("Gather", []Value{x, index}, intAttr("axis", 0))
}

// Side is the length of one axis, as a vector of one integer.
func (g *Graph) Side(x Value, axis int) Value {
	return g.node("Shape", []Value{x}, intAttr("start", axis), intAttr("end", axis+1))
}

// Expand repeats sides of length 1 up to shape, a vector of integers.
func (g *Graph) Expand(x, shape Value) Value { return g.node("Expand", []Value{x, shape}) }

// Cast converts to another element type.
func (g *Graph) Cast(x Value, to DataType) Value {
	return g.node("Cast", []Value{x}, intAttr("to", int(to)))
}

// MultiHeadAttention is ONNX Runtime's fused attention without a mask: q, k
// and v are B×L×D, heads side by side, unscaled.
func (g *Graph) MultiHeadAttention(q, k, v Value, heads int) Value {
	return g.one(contribDomain, "MultiHeadAttention", []Value{q, k, v}, intAttr("num_heads", heads))
}

// Quantize converts x to unsigned 8 bits, with a scale and a zero point computed from x
// at run time: x ≈ scale (q - zero).
func (g *Graph) Quantize(x Value) (q, scale, zero Value) {
	q, scale, zero = g.newName("Quantize"), g.newName("Quantize"), g.newName("Quantize")
	g.append("", []Value{q, scale, zero}, "DynamicQuantizeLinear", []Value{x})
	return q, scale, zero
}

// MatMul8 is ONNX Runtime's product of 8-bit matrices, as float32: scaleA (a - zeroA)
// times scaleB b, plus an optional bias. b is signed; scaleB and bias have one number a
// column.
func (g *Graph) MatMul8(a, b, scaleA, scaleB, zeroA, bias Value) Value {
	in := []Value{a, b, scaleA, scaleB, zeroA}
	if bias != "" {
		in = append(in, "", bias)
	}
	return g.one(contribDomain, "MatMulIntegerToFloat", in)
}
