package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A DType is the type of a tensor's elements, as the header spells it.
type DType string

// The element types that are read. Others (8-bit floats, complex numbers) do
// not occur in CLIP checkpoints.
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

// size is the number of bytes of an element.
func (d DType) size() (int, bool) {
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

// A Tensor is a name, an element type, a shape, and bytes: row-major,
// little-endian, a view into the File.
type Tensor struct {
	Path   string // of the file, for errors and for external references
	Name   string
	DType  DType
	Shape  []int // empty for a scalar
	Data   []byte
	Offset int64 // of Data in the file
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// CheckShape reports an error that names file and tensor unless the shape is
// exactly the one given.
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

// ReadFloat32 is Float32 into a slice of the caller, of length Len.
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

// Int32 returns the elements of an integer or BOOL tensor; a value outside
// int32 is an error.
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

// FromFloat16 widens an IEEE 754 binary16 number. Every one has an exact
// float32.
func FromFloat16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exp {
	case 0: // zero, or frac * 2^-24
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinity, not a number
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// ToFloat16 rounds to the nearest IEEE 754 binary16 number, ties to even, as
// PyTorch's half() does.
func ToFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000: // not a number: keep it one
		return sign | 0x7e00
	case abs >= 0x477ff000: // 65520 and more round to infinity
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: a multiple of 2^-24
		// Adding 0.5 puts the last place of the sum at 2^-24, so the
		// addition itself rounds, to even.
		sum := math.Float32frombits(abs) + 0.5
		return sign | uint16(math.Float32bits(sum)-math.Float32bits(0.5))
	}
	odd := abs >> 13 & 1
	return sign | uint16((abs+0xfff+odd)>>13-(127-15)<<10)
}
