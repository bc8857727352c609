package onnx

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields decodes a message: the contents of each length-delimited or varint field, by
// number.
func fields(t *testing.T, b []byte) (bytes map[protowire.Number][][]byte, ints map[protowire.Number][]uint64) {
	t.Helper()
	bytes, ints = map[protowire.Number][][]byte{}, map[protowire.Number][]uint64{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		switch typ {
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			bytes[num], b = append(bytes[num], v), b[n:]
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			ints[num], b = append(ints[num], v), b[n:]
		default:
			n := protowire.ConsumeFieldValue(num, typ, b)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			b = b[n:]
		}
	}
	return bytes, ints
}

func texts(b [][]byte) (out []string) {
	for _, v := range b {
		out = append(out, string(v))
	}
	return out
}

// The message has the fields of onnx.proto. (Package ort tests that ONNX Runtime
// understands it.)
func TestMarshal(t *testing.T) {
	g := NewGraph("test")
	g.Scope("layer")
	x := g.Input("x", Float32, Free("B"), Fixed(3))
	asked := 0
	w := g.Initializer("w", Float16, func() (Contents, error) {
		asked++
		return Contents{At: &External{File: "model.safetensors", Offset: 128, Length: 12}}, nil
	}, 3, 2)
	y := g.MatMul(x, g.Cast(w, Float32))
	y = g.Add(g.Add(y, g.Scalar(2)), g.Scalar(2)) // both scalars are one constant
	g.Output("y", y, Float32)
	if !slices.Equal(g.Inputs(), []string{"x"}) || !slices.Equal(g.Outputs(), []string{"y"}) {
		t.Errorf("inputs %v, outputs %v", g.Inputs(), g.Outputs())
	}

	if asked > 0 {
		t.Error("a weight was asked for before the graph was encoded")
	}
	model, ints := fields(t, marshal(t, g))
	if ints[1][0] != irVersion || len(model[7]) != 1 || len(model[8]) != 1 {
		t.Fatalf("model: version %v, %d graphs, %d opsets", ints[1], len(model[7]), len(model[8]))
	}
	if _, v := fields(t, model[8][0]); v[2][0] != opset {
		t.Errorf("opset %v", v[2])
	}
	graph, _ := fields(t, model[7][0])
	var ops []string
	for _, n := range graph[1] {
		f, _ := fields(t, n)
		ops = append(ops, texts(f[4])...)
	}
	if want := []string{"Cast", "MatMul", "Add", "Add", "Identity"}; !slices.Equal(ops, want) {
		t.Errorf("operators %v, want %v", ops, want)
	}
	if len(graph[5]) != 2 {
		t.Fatalf("%d initializers, want the weight and one constant", len(graph[5]))
	}
	weight, ints := fields(t, graph[5][0])
	if !slices.Equal(ints[1], []uint64{3, 2}) || ints[2][0] != uint64(Float16) || ints[14][0] != 1 || len(weight[9]) != 0 {
		t.Errorf("weight: dims %v, type %v, location %v", ints[1], ints[2], ints[14])
	}
	var entries []string
	for _, e := range weight[13] {
		f, _ := fields(t, e)
		entries = append(entries, string(f[1][0])+"="+string(f[2][0]))
	}
	if want := []string{"location=model.safetensors", "offset=128", "length=12"}; !slices.Equal(entries, want) {
		t.Errorf("external data %v, want %v", entries, want)
	}
	constant, ints := fields(t, graph[5][1])
	if len(ints[1]) != 0 || ints[2][0] != uint64(Float32) || string(constant[9][0]) != "\x00\x00\x00\x40" {
		t.Errorf("constant: dims %v, bytes %q", ints[1], constant[9])
	}

	// Only a graph that uses the runtime's own operators imports them.
	g.MultiHeadAttention(x, x, x, 1)
	model, _ = fields(t, marshal(t, g))
	if len(model[8]) != 2 {
		t.Errorf("%d opsets with a contrib operator, want 2", len(model[8]))
	}

	// Encoding fails if a weight cannot be read.
	lost := errors.New("the file is gone")
	g.Initializer("v", Float32, func() (Contents, error) { return Contents{}, lost }, 1)
	if b, err := g.Marshal(); !errors.Is(err, lost) || b != nil {
		t.Errorf("without a weight: %d bytes, %v", len(b), err)
	}
}

func marshal(t *testing.T, g *Graph) []byte {
	t.Helper()
	b, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
