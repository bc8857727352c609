// Package tensor has what the readers of checkpoints share: named arrays of numbers in
// a file, and their element types.
//
// A [Tensor] does not own its bytes. It is a view into a file that its reader has
// mapped or holds in memory, so it is valid until that reader is closed.
package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A DType is the type of a tensor's elements, spelled as in safetensors.
type DType string

// The supported element types. Others (8-bit floats, complex numbers) do not occur in
// CLIP checkpoints.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U8   DType = "U8"
	BOOL DType = "BOOL"
)

// Size returns the number of bytes of an element; ok is false for an unsupported type.
func (d DType) Size() (int, bool) {
	switch d {
	case F64, I64:
		return 8, true
	case F32, I32:
		return 4, true
	case F16, BF16, I16:
		return 2, true
	case I8, U8, BOOL:
		return 1, true
	}
	return 0, false
}

// A Tensor is a name, an element type, a shape, and bytes: row-major and
// little-endian, a view into the file unless Offset says otherwise.
type Tensor struct {
	Path   string // of the file, for errors and for external references
	Name   string
	DType  DType
	Shape  []int // empty for a scalar
	Data   []byte
	Offset int64 // of Data in the file; [Nowhere] if the file does not have these bytes
}

// Nowhere is the Offset of a tensor whose bytes are not in a file as they are in Data:
// it was copied into memory.
const Nowhere = -1

// A MissingError says that a file has no tensor with this name.
type MissingError struct {
	Path string // the file
	Name string // the tensor looked for
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: tensor %q is missing", e.Path, e.Name)
}

// Len returns the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// CheckShape returns an error that names file and tensor unless the shape is exactly
// the one given.
func (t Tensor) CheckShape(shape ...int) error {
	if !slices.Equal(t.Shape, shape) {
		return fmt.Errorf("%s: tensor %q has shape %v, want %v", t.Path, t.Name, t.Shape, shape)
	}
	return nil
}

func (t Tensor) typeError(want string) error {
	return fmt.Errorf("%s: tensor %q holds %s, want %s", t.Path, t.Name, t.DType, want)
}

// Float32 returns the elements of a floating-point tensor as float32: exact
// for F32, F16 and BF16, rounded for F64.
func (t Tensor) Float32() ([]float32, error) {
	out := make([]float32, t.Len())
	if err := t.ReadFloat32(out); err != nil {
		return nil, err
	}
	return out, nil
}

// ReadFloat32 is Float32 into the caller's slice, of length Len.
func (t Tensor) ReadFloat32(out []float32) error {
	if len(out) != t.Len() {
		return fmt.Errorf("%s: tensor %q has %d elements, not %d", t.Path, t.Name, t.Len(), len(out))
	}
	switch t.DType {
	case F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = FromFloat16(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	default:
		return t.typeError("floating-point numbers")
	}
	return nil
}

// Float64 returns the elements of a floating-point tensor, exactly.
func (t Tensor) Float64() ([]float64, error) {
	out := make([]float64, t.Len())
	if t.DType == F64 {
		for i := range out {
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:]))
		}
		return out, nil
	}
	f, err := t.Float32()
	if err != nil {
		return nil, err
	}
	for i, v := range f {
		out[i] = float64(v)
	}
	return out, nil
}

// Int64 returns the elements of an integer or BOOL tensor.
func (t Tensor) Int64() ([]int64, error) {
	out := make([]int64, t.Len())
	for i := range out {
		switch t.DType {
		case I64:
			out[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
		case I32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		case I16:
			out[i] = int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
		case I8:
			out[i] = int64(int8(t.Data[i]))
		case U8, BOOL:
			out[i] = int64(t.Data[i])
		default:
			return nil, t.typeError("integers")
		}
	}
	return out, nil
}

// Int32 returns the elements of an integer or BOOL tensor. A value outside int32 is an
// error.
func (t Tensor) Int32() ([]int32, error) {
	wide, err := t.Int64()
	if err != nil {
		return nil, err
	}
	out := make([]int32, len(wide))
	for i, v := range wide {
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("%s: tensor %q: element %d is %d, too large for int32", t.Path, t.Name, i, v)
		}
		out[i] = int32(v)
	}
	return out, nil
}

// Uint8 returns a copy of the elements of a U8 or BOOL tensor.
func (t Tensor) Uint8() ([]uint8, error) {
	if t.DType != U8 && t.DType != BOOL {
		return nil, t.typeError("bytes")
	}
	return slices.Clone(t.Data), nil
}
