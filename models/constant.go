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

// A constant is a tensor of the checkpoint in the form that a graph wants it
// in: 32, 16 or 8 bits, whatever the checkpoint stores, and the way round that
// its product wants, which for most matrices is not the one stored. It is
// brought into that form here and not by operators of the graph, because the
// runtime would hold every step of every tensor in memory at once: eight
// gigabytes for an L/14 in 8 bits.
type constant struct {
	name     string // Hugging Face's
	shape    []int  // as Hugging Face lays it out
	turned   bool   // in×out, where Hugging Face has out×in
	half     bool   // float16
	eightBit bool   // with one scale for each column
	offset   int64  // among a graph's weights, see [net.write]
}

// sides is the shape in the graph.
func (c constant) sides() []int {
	if c.turned {
		return []int{c.shape[1], c.shape[0]}
	}
	return c.shape
}

// columns is the number of scales.
func (c constant) columns() int { return c.sides()[len(c.shape)-1] }

// bytes is what the numbers take, and what the scales take, which follow them.
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

// key names the constant in a graph.
func (c constant) key() string {
	s := c.name
	if c.turned {
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

// align is what constants begin at multiples of: a line of the cache.
func align(n int64) int64 { return (n + 63) &^ 63 }

// A param is a constant in a graph.
type param struct{ value, scales onnx.Value }

// inlineBelow is the size under which a constant becomes part of a graph: a
// mapping each for hundreds of biases costs more.
const inlineBelow = 64 << 10

// constant declares a constant, once. That there is such a tensor, of that shape,
// is looked up now; its numbers are brought into their form when the graph is
// encoded.
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
	var prepared []byte // the scales, which come with the numbers
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

// write writes the constants that are not part of a graph in files into one of
// those, at their offsets, several at a time.
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

// prepare brings a constant into its form: its numbers, row-major and
// little-endian, and the scales of 8-bit ones.
func (w *weights) prepare(c constant) (numbers, scales []byte, err error) {
	t, transposed, err := w.tensor(c.name, c.shape...)
	if err != nil {
		return nil, nil, err
	}
	stored := tensor.F32
	if c.half {
		stored = tensor.F16
	}
	if t.DType == stored && transposed == c.turned && !c.eightBit {
		return t.Data, nil, nil // a view into the checkpoint: nothing to do
	}
	v, err := t.Float32()
	if err != nil {
		return nil, nil, err
	}
	if transposed != c.turned {
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

// transpose turns a matrix round, in squares that fit the cache.
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

// quantize brings a matrix to 8 bits with a sign, each column by a scale of its
// own: v ≈ scale q, |q| at most [weightRange].
func quantize(v []float32, cols int) (numbers, scales []byte) {
	largest := make([]float32, cols)
	for i, x := range v {
		c := i % cols
		largest[c] = max(largest[c], float32(math.Abs(float64(x))))
	}
	limit := weightRange()
	inverse := make([]float32, cols)
	for c, m := range largest {
		if m > 0 { // a column of zeros stays one
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

// weightRange is the largest 8-bit weight. An x86 CPU without the dot products
// of VNNI adds two products of bytes in 16 bits, which only holds them if
// weights keep to 7 bits.
func weightRange() float32 {
	if runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI {
		return 63
	}
	return 127
}
