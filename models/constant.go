package models

import (
	"encoding/binary"
	"math"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/cpu"

	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/tensor"
)

// A constant is a tensor of the checkpoint in the form that a graph needs: 32, 16 or 8
// bits, whatever the checkpoint stores, and transposed if the matrix product needs it,
// which is the case for most matrices. It is converted here and not by operators of the
// graph, because the runtime would keep every intermediate result of every tensor in
// memory at once: eight gigabytes for an L/14 in 8 bits.
type constant struct {
	name       string // Hugging Face's
	shape      []int  // Hugging Face's
	transposed bool   // in×out, where Hugging Face has out×in
	half       bool   // float16
	eightBit   bool   // with one scale for each column
	offset     int64  // in the file of a graph's weights, see [net.write]
}

// sides is the shape in the graph.
func (c constant) sides() []int {
	if c.transposed {
		return []int{c.shape[1], c.shape[0]}
	}
	return c.shape
}

// columns is the number of scales.
func (c constant) columns() int { return c.sides()[len(c.shape)-1] }

// bytes returns the sizes of the numbers and of the scales, which follow them.
func (c constant) bytes() (numbers, scales int64) {
	n := int64(elements(c.shape))
	switch {
	case c.eightBit:
		return n, 4 * int64(c.columns())
	case c.half:
		return 2 * n, 0
	}
	return 4 * n, 0
}

// key is the name of the constant in a graph.
func (c constant) key() string {
	s := c.name
	if c.transposed {
		s += "^T"
	}
	if c.half {
		s += " fp16"
	}
	if c.eightBit {
		s += " int8"
	}
	return s
}

// align rounds an offset up to a cache line, where constants begin.
func align(n int64) int64 { return (n + 63) &^ 63 }

// A param is a constant in a graph.
type param struct{ value, scales onnx.Value }

// inlineBelow is the size below which a constant is stored in the graph itself: hundreds
// of mappings for biases would cost more.
const inlineBelow = 64 << 10

// constant declares a constant, once. The existence and shape of the tensor are checked
// now; its numbers are converted when the graph is encoded.
func (n *net) constant(c constant) param {
	key := c.key()
	if p, ok := n.params[key]; ok {
		return p
	}
	if _, _, err := n.weights.tensor(c.name, c.shape...); err != nil {
		if n.err == nil {
			n.err = err
		}
		return param{}
	}
	numbers, scales := c.bytes()
	dtype := onnx.Float32
	switch {
	case c.eightBit:
		dtype = onnx.Int8
	case c.half:
		dtype = onnx.Float16
	}
	small := numbers < inlineBelow
	if !small {
		c.offset = align(n.size)
		n.size = c.offset + numbers
		if c.eightBit {
			n.size = align(n.size) + scales
		}
		n.external = append(n.external, c)
	}
	var p param
	var prepared []byte // the scales, which are computed with the numbers
	p.value = n.Initializer(key, dtype, func() (_ onnx.Contents, err error) {
		if !small && !n.inline {
			return onnx.Contents{At: &onnx.External{File: weightsOfGraph, Offset: c.offset, Length: numbers}}, nil
		}
		var data []byte
		data, prepared, err = n.weights.prepare(c)
		return onnx.Contents{Raw: data}, err
	}, c.sides()...)
	if c.eightBit {
		p.scales = n.Initializer(key+" scales", onnx.Float32, func() (onnx.Contents, error) {
			if !small && !n.inline {
				return onnx.Contents{At: &onnx.External{File: weightsOfGraph, Offset: align(c.offset + numbers), Length: scales}}, nil
			}
			return onnx.Contents{Raw: prepared}, nil
		}, c.columns())
	}
	n.params[key] = p
	return p
}

// write writes the external constants of a graph to a file, at their offsets, several at
// a time.
func (n *net) write(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := f.Truncate(n.size); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range n.external {
		g.Go(func() error {
			data, scales, err := n.weights.prepare(c)
			if err != nil {
				return err
			}
			if _, err := f.WriteAt(data, c.offset); err != nil {
				return err
			}
			_, err = f.WriteAt(scales, align(c.offset+int64(len(data))))
			return err
		})
	}
	return g.Wait()
}

// prepare converts a constant: it returns its numbers, row-major and little-endian, and
// the scales of an 8-bit one.
func (w *weights) prepare(c constant) (numbers, scales []byte, err error) {
	t, transposed, err := w.tensor(c.name, c.shape...)
	if err != nil {
		return nil, nil, err
	}
	stored := tensor.F32
	if c.half {
		stored = tensor.F16
	}
	if t.DType == stored && transposed == c.transposed && !c.eightBit {
		return t.Data, nil, nil // stored in this form already
	}
	v, err := t.Float32()
	if err != nil {
		return nil, nil, err
	}
	if transposed != c.transposed {
		v = transpose(v, t.Shape[0], t.Shape[1])
	}
	if c.eightBit {
		numbers, scales = quantize(v, c.columns())
		return numbers, scales, nil
	}
	if c.half {
		return halfBytes(v), nil, nil
	}
	return floatBytes(v), nil, nil
}

func floatBytes(v []float32) []byte {
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

func halfBytes(v []float32) []byte {
	b := make([]byte, 2*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint16(b[2*i:], tensor.ToFloat16(x))
	}
	return b
}

// transpose transposes a matrix, in squares that fit into the cache.
func transpose(v []float32, rows, cols int) []float32 {
	const side = 32
	out := make([]float32, len(v))
	for r0 := 0; r0 < rows; r0 += side {
		for c0 := 0; c0 < cols; c0 += side {
			for r := r0; r < min(r0+side, rows); r++ {
				row := v[r*cols:][:cols]
				for c := c0; c < min(c0+side, cols); c++ {
					out[c*rows+r] = row[c]
				}
			}
		}
	}
	return out
}

// quantize converts a matrix to signed 8 bits with one scale per column: v ≈ scale q, |q|
// at most [weightRange].
func quantize(v []float32, cols int) (numbers, scales []byte) {
	largest := make([]float32, cols)
	for i, x := range v {
		c := i % cols
		largest[c] = max(largest[c], float32(math.Abs(float64(x))))
	}
	limit := weightRange()
	inverse := make([]float32, cols)
	for c, m := range largest {
		if m > 0 { // a column of zeros stays zero
			inverse[c] = limit / m
		}
		largest[c] = m / limit
	}
	numbers = make([]byte, len(v))
	for i, x := range v {
		numbers[i] = byte(int8(math.RoundToEven(float64(x * inverse[i%cols]))))
	}
	return numbers, floatBytes(largest)
}

// weightRange is the largest 8-bit weight. An x86 CPU without VNNI adds two products of
// bytes in 16 bits, which only avoids overflow if weights have 7 bits.
func weightRange() float32 {
	if runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI {
		return 63
	}
	return 127
}
