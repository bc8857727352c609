// Package onnx writes ONNX models: a graph of typed operators, encoded as the
// protobuf message that ONNX Runtime reads.
//
// It knows the two dozen operators that a CLIP and its gradient need, and the
// half of onnx.proto that describes them. Weights are named, not held: their
// [Contents] are asked for when the graph is encoded, and may say in which file
// and where in it the bytes lie, so that a graph of gigabytes is a message of
// kilobytes.
//
// A [Graph] is built front to back. The methods that build it return the name of
// what they made and do not fail; the mistakes that can be made here (a wrong shape, a
// missing axis) are found by ONNX Runtime when it loads the model.
package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// A DataType numbers the element types as onnx.proto does.
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

// opset is the version of the operators. 20 is the first with Gelu; ONNX
// Runtime has it since 1.17, and the binding asks for a later one anyway.
const (
	opset     = 20
	irVersion = 9 // the first that goes with opset 20
)

// A Value is the name of a tensor in a graph.
type Value string

// A Dim is one side of an input: a fixed number, or free under a name.
type Dim struct {
	Size int
	Name string
}

// Fixed is a side of known length.
func Fixed(n int) Dim { return Dim{Size: n} }

// Free is a side that is known when the model runs.
func Free(name string) Dim { return Dim{Name: name} }

// An External says where the bytes of an initializer lie.
type External struct {
	File   string // relative to the folder that the session is given
	Offset int64
	Length int64
}

// Contents are the bytes of an initializer: given, or lying in a file.
type Contents struct {
	Raw []byte    // row-major and little-endian
	At  *External // where they lie; Raw is then of no account
}

// An initializer is a tensor of a graph: a TensorProto, but for what contents
// adds to it.
type initializer struct {
	head     []byte
	contents func() (Contents, error)
}

// A Graph is a model under construction. The zero value is not usable; see
// [NewGraph].
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

// NewGraph starts a graph. The name shows in ONNX Runtime's messages.
func NewGraph(name string) *Graph {
	return &Graph{name: name, consts: map[string]Value{}}
}

// Scope sets the prefix of the names of the nodes that follow, so that an
// error or a profile says which layer they belong to.
func (g *Graph) Scope(name string) { g.scope = name }

// Name is the name given to NewGraph.
func (g *Graph) Name() string { return g.name }

// Inputs and Outputs list the names in the order of their declaration.
func (g *Graph) Inputs() []string  { return g.inputs }
func (g *Graph) Outputs() []string { return g.outputs }

// Input declares an input.
func (g *Graph) Input(name string, t DataType, shape ...Dim) Value {
	g.ins = appendMessage(g.ins, 11, valueInfo(name, t, shape))
	g.inputs = append(g.inputs, name)
	return Value(name)
}

// Output declares v as an output under a name. Its shape is left to inference.
func (g *Graph) Output(name string, v Value, t DataType) {
	g.append("", []Value{Value(name)}, "Identity", []Value{v})
	g.outs = appendMessage(g.outs, 12, valueInfo(name, t, nil))
	g.outputs = append(g.outputs, name)
}

// Initializer declares a tensor whose contents are asked for by every
// [Graph.Marshal], in the order in which the tensors were declared. The name must
// be new to the graph.
func (g *Graph) Initializer(name string, t DataType, contents func() (Contents, error), shape ...int) Value {
	g.inits = append(g.inits, initializer{tensorHead(name, t, shape), contents})
	return Value(name)
}

// Floats is a constant of the graph itself; an empty shape makes a scalar.
func (g *Graph) Floats(v []float32, shape ...int) Value {
	raw := make([]byte, 0, 4*len(v))
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return g.constant(Float32, raw, shape)
}

// Halves is a constant of float16, given by their bits.
func (g *Graph) Halves(v []uint16, shape ...int) Value {
	raw := make([]byte, 0, 2*len(v))
	for _, h := range v {
		raw = binary.LittleEndian.AppendUint16(raw, h)
	}
	return g.constant(Float16, raw, shape)
}

// Scalar is a constant number.
func (g *Graph) Scalar(v float32) Value { return g.Floats([]float32{v}) }

// Ints is a constant vector of integers: axes, shapes, bounds.
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

// Marshal returns the encoded ModelProto. It fails only where the contents of an
// initializer cannot be had.
func (g *Graph) Marshal() ([]byte, error) {
	// Weights are megabytes or more: their pieces are copied once, into a message of
	// the right size.
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

// field is an initializer with its contents as a field of GraphProto, in pieces.
func (i initializer) field(c Contents) [][]byte {
	b := protowire.AppendTag(nil, 5, protowire.BytesType)
	if c.At != nil {
		at := c.At.fields()
		return [][]byte{protowire.AppendVarint(b, uint64(len(i.head)+len(at))), i.head, at}
	}
	raw := protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.BytesType), uint64(len(c.Raw)))
	return [][]byte{protowire.AppendVarint(b, uint64(len(i.head)+len(raw)+len(c.Raw))), i.head, raw, c.Raw}
}

// fields are those of a TensorProto that say where its bytes lie.
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

// contribDomain holds ONNX Runtime's own operators.
const contribDomain = "com.microsoft"

// An attr is an attribute of a node, encoded.
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

// node appends an operator of ONNX with one output.
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

// append appends a NodeProto. It is called what its first output is.
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

// tensorHead is a TensorProto but for its data.
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
