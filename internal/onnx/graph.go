// Package onnx writes ONNX models: a graph of typed operators, encoded as the protobuf
// message that ONNX Runtime reads.
//
// It supports the two dozen operators that a CLIP and its gradient need, and the part
// of onnx.proto that describes them. Weights are referred to by name: their [Contents]
// are requested when the graph is encoded, and may be a position in a file, so that a
// graph of gigabytes is a message of kilobytes.
//
// A [Graph] is built front to back. The methods that build it return the name of the
// new value and do not fail. Mistakes such as a wrong shape or a missing axis are found
// by ONNX Runtime when it loads the model.
package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// DataType numbers the element types as in onnx.proto.
type DataType int

// The element types in use.
const (
	Float32  DataType = 1
	Uint8    DataType = 2
	Int8     DataType = 3
	Int64    DataType = 7
	Float16  DataType = 10
	Float64  DataType = 11
	BFloat16 DataType = 16
)

// opset is the version of the operators. 20 is the first with Gelu. ONNX Runtime
// supports it since 1.17; the binding requires a later one.
const (
	opset     = 20
	irVersion = 9 // the first that supports opset 20
)

// A Value is the name of a tensor in a graph.
type Value string

// A Dim is one side of an input: a fixed number, or variable with a name.
type Dim struct {
	Size int
	Name string
}

// Fixed is a side of fixed length.
func Fixed(n int) Dim { return Dim{Size: n} }

// Free is a side whose length is set when the model runs.
func Free(name string) Dim { return Dim{Name: name} }

// An External is the position of an initializer's bytes in a file.
type External struct {
	File   string // relative to the folder given to the session
	Offset int64
	Length int64
}

// Contents are the bytes of an initializer, or their position in a file.
type Contents struct {
	Raw []byte    // row-major and little-endian
	At  *External // position in a file; Raw is then ignored
}

// An initializer is a tensor of a graph: an encoded TensorProto without its contents.
type initializer struct {
	head     []byte
	contents func() (Contents, error)
}

// A Graph is a model under construction. The zero value is not usable; see [NewGraph].
type Graph struct {
	name             string
	nodes, ins, outs []byte // encoded fields of GraphProto
	inits            []initializer
	inputs, outputs  []string
	count            int
	consts           map[string]Value
	scope            string
	contrib          bool
}

// NewGraph starts a graph. ONNX Runtime's messages show the name.
func NewGraph(name string) *Graph {
	return &Graph{name: name, consts: map[string]Value{}}
}

// Scope sets the prefix of the names of the following nodes, so that an error or a
// profile names the layer.
func (g *Graph) Scope(name string) { g.scope = name }

// Name is the name given to NewGraph.
func (g *Graph) Name() string { return g.name }

// Inputs and Outputs return the names in the order of declaration.
func (g *Graph) Inputs() []string  { return g.inputs }
func (g *Graph) Outputs() []string { return g.outputs }

// Input declares an input.
func (g *Graph) Input(name string, t DataType, shape ...Dim) Value {
	g.ins = appendMessage(g.ins, 11, valueInfo(name, t, shape))
	g.inputs = append(g.inputs, name)
	return Value(name)
}

// Output declares v as an output with this name. Its shape is inferred.
func (g *Graph) Output(name string, v Value, t DataType) {
	g.append("", []Value{Value(name)}, "Identity", []Value{v})
	g.outs = appendMessage(g.outs, 12, valueInfo(name, t, nil))
	g.outputs = append(g.outputs, name)
}

// Initializer declares a tensor. Every [Graph.Marshal] calls contents for each tensor,
// in the order of declaration. The name must be new to the graph.
func (g *Graph) Initializer(name string, t DataType, contents func() (Contents, error), shape ...int) Value {
	g.inits = append(g.inits, initializer{tensorHead(name, t, shape), contents})
	return Value(name)
}

// Floats makes a constant in the graph; an empty shape makes a scalar.
func (g *Graph) Floats(v []float32, shape ...int) Value {
	raw := make([]byte, 0, 4*len(v))
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return g.constant(Float32, raw, shape)
}

// Halves makes a constant of float16, given as bits.
func (g *Graph) Halves(v []uint16, shape ...int) Value {
	raw := make([]byte, 0, 2*len(v))
	for _, h := range v {
		raw = binary.LittleEndian.AppendUint16(raw, h)
	}
	return g.constant(Float16, raw, shape)
}

// Scalar makes a constant number.
func (g *Graph) Scalar(v float32) Value { return g.Floats([]float32{v}) }

// Ints makes a constant vector of integers: axes, shapes, bounds.
func (g *Graph) Ints(v ...int) Value {
	raw := make([]byte, 0, 8*len(v))
	for _, i := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
	}
	return g.constant(Int64, raw, []int{len(v)})
}

func (g *Graph) constant(t DataType, raw []byte, shape []int) Value {
	key := fmt.Sprint(t, shape, string(raw))
	if v, ok := g.consts[key]; ok {
		return v
	}
	v := g.Initializer(fmt.Sprintf("const_%d", len(g.consts)), t, func() (Contents, error) { return Contents{Raw: raw}, nil }, shape...)
	g.consts[key] = v
	return v
}

// Marshal returns the encoded ModelProto. It fails only if the contents of an
// initializer cannot be read.
func (g *Graph) Marshal() ([]byte, error) {
	// Weights may be large: their pieces are copied once, into a message of the right
	// size.
	graph := [][]byte{g.nodes, appendString(nil, 2, g.name)}
	for _, i := range g.inits {
		c, err := i.contents()
		if err != nil {
			return nil, fmt.Errorf("failed to encode %s: %w", g.name, err)
		}
		graph = append(graph, i.field(c)...)
	}
	graph = append(graph, g.ins, g.outs)
	size := 0
	for _, piece := range graph {
		size += len(piece)
	}

	model := make([]byte, 0, size+100) // room for what is around the graph
	model = appendVarint(model, 1, irVersion)
	model = appendString(model, 2, "carve")
	model = protowire.AppendTag(model, 7, protowire.BytesType)
	model = protowire.AppendVarint(model, uint64(size))
	for _, piece := range graph {
		model = append(model, piece...)
	}
	model = appendMessage(model, 8, appendVarint(nil, 2, opset))
	if g.contrib {
		model = appendMessage(model, 8, appendVarint(appendString(nil, 1, contribDomain), 2, 1))
	}
	return model, nil
}

// field encodes an initializer with its contents as a field of GraphProto, in pieces.
func (i initializer) field(c Contents) [][]byte {
	b := protowire.AppendTag(nil, 5, protowire.BytesType)
	if c.At != nil {
		at := c.At.fields()
		return [][]byte{protowire.AppendVarint(b, uint64(len(i.head)+len(at))), i.head, at}
	}
	raw := protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.BytesType), uint64(len(c.Raw)))
	return [][]byte{protowire.AppendVarint(b, uint64(len(i.head)+len(raw)+len(c.Raw))), i.head, raw, c.Raw}
}

// fields encodes the fields of a TensorProto with the position of its bytes.
func (at *External) fields() (b []byte) {
	for _, kv := range [][2]string{
		{"location", at.File},
		{"offset", strconv.FormatInt(at.Offset, 10)},
		{"length", strconv.FormatInt(at.Length, 10)},
	} {
		b = appendMessage(b, 13, appendString(appendString(nil, 1, kv[0]), 2, kv[1]))
	}
	return appendVarint(b, 14, 1) // data_location: EXTERNAL
}

// contribDomain is the domain of ONNX Runtime's own operators.
const contribDomain = "com.microsoft"

// An attr is an encoded attribute of a node.
type attr []byte

// Numbers of AttributeProto.AttributeType.
const (
	attrFloat = 1
	attrInt   = 2
	attrInts  = 7
)

func intAttr(name string, v int) attr {
	return appendVarint(appendVarint(appendString(nil, 1, name), 3, int64(v)), 20, attrInt)
}

func floatAttr(name string, v float32) attr {
	b := protowire.AppendTag(appendString(nil, 1, name), 2, protowire.Fixed32Type)
	return appendVarint(protowire.AppendFixed32(b, math.Float32bits(v)), 20, attrFloat)
}

func intsAttr(name string, v ...int) attr {
	b := appendString(nil, 1, name)
	for _, i := range v {
		b = appendVarint(b, 8, int64(i))
	}
	return appendVarint(b, 20, attrInts)
}

// node appends a standard operator with one output.
func (g *Graph) node(op string, in []Value, attrs ...attr) Value {
	return g.one("", op, in, attrs...)
}

// one appends an operator of a domain with one output.
func (g *Graph) one(domain, op string, in []Value, attrs ...attr) Value {
	out := g.newName(op)
	g.append(domain, []Value{out}, op, in, attrs...)
	return out
}

func (g *Graph) newName(op string) Value {
	g.count++
	return Value(fmt.Sprintf("%s/%s_%d", g.scope, op, g.count))
}

// append appends a NodeProto. Its name is that of its first output.
func (g *Graph) append(domain string, out []Value, op string, in []Value, attrs ...attr) {
	var b []byte
	for _, v := range in {
		b = appendString(b, 1, string(v))
	}
	for _, v := range out {
		b = appendString(b, 2, string(v))
	}
	b = appendString(b, 3, string(out[0]))
	b = appendString(b, 4, op)
	for _, a := range attrs {
		b = appendMessage(b, 5, a)
	}
	if domain != "" {
		b = appendString(b, 7, domain)
		g.contrib = true
	}
	g.nodes = appendMessage(g.nodes, 1, b)
}

func valueInfo(name string, t DataType, shape []Dim) []byte {
	tensor := appendVarint(nil, 1, int64(t))
	if shape != nil {
		var dims []byte
		for _, d := range shape {
			if d.Name != "" {
				dims = appendMessage(dims, 1, appendString(nil, 2, d.Name))
			} else {
				dims = appendMessage(dims, 1, appendVarint(nil, 1, int64(d.Size)))
			}
		}
		tensor = appendMessage(tensor, 2, dims)
	}
	return appendMessage(appendString(nil, 1, name), 2, appendMessage(nil, 1, tensor))
}

// tensorHead encodes a TensorProto without its data.
func tensorHead(name string, t DataType, shape []int) []byte {
	var b []byte
	for _, d := range shape {
		b = appendVarint(b, 1, int64(d))
	}
	b = appendVarint(b, 2, int64(t))
	return appendString(b, 8, name)
}

func appendVarint(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}
