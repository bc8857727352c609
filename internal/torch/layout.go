package torch

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// maxRank is the maximal number of sides of a PyTorch tensor.
const maxRank = 64

// A layout is the position of a tensor's elements in a storage: that at index i, j, …
// is at offset + i·strides[0] + j·strides[1] + …
type layout struct {
	offset         int64
	shape, strides []int64
	count          int64 // number of elements, set by check
}

// check refuses a layout that exceeds a storage of this many elements, or that has more
// elements than the storage: a view of one element can claim any number.
func (l *layout) check(elements int64) error {
	if len(l.shape) != len(l.strides) || len(l.shape) > maxRank || l.offset < 0 {
		return errors.New("it is described wrongly")
	}
	product, last, empty := uint64(1), uint64(l.offset), false
	for i, d := range l.shape {
		if d < 0 || l.strides[i] < 0 {
			return fmt.Errorf("shape %v or strides %v are negative", l.shape, l.strides)
		}
		if d == 0 {
			empty = true
			continue
		}
		// The sides of an empty tensor are bounded too, so that a product of sides
		// elsewhere cannot overflow.
		over, n := bits.Mul64(product, uint64(d))
		if over != 0 || n > math.MaxInt64/8 || d > math.MaxInt {
			return fmt.Errorf("shape %v does not fit the %d elements of its storage", l.shape, elements)
		}
		product = n
	}
	if empty {
		if l.offset > elements {
			return fmt.Errorf("element %d, where it is said to begin, leaves the %d elements of its storage", l.offset, elements)
		}
		return nil
	}
	if product > uint64(elements) {
		return fmt.Errorf("shape %v with strides %v does not fit the %d elements of its storage", l.shape, l.strides, elements)
	}
	for i, d := range l.shape {
		over, reach := bits.Mul64(uint64(d-1), uint64(l.strides[i]))
		sum, carry := bits.Add64(last, reach, 0)
		if over != 0 || carry != 0 || sum >= uint64(elements) {
			return l.leavesError(elements)
		}
		last = sum
	}
	if last >= uint64(elements) {
		return l.leavesError(elements)
	}
	l.count = int64(product)
	return nil
}

func (l *layout) leavesError(elements int64) error {
	return fmt.Errorf("shape %v with strides %v from element %d leaves the %d elements of its storage", l.shape, l.strides, l.offset, elements)
}

// rowMajor tells whether the elements are contiguous.
func (l *layout) rowMajor() bool {
	step := int64(1)
	for i := len(l.shape) - 1; i >= 0 && l.count > 0; i-- {
		// The stride of a side with one element does not matter.
		if l.shape[i] != 1 && l.strides[i] != step {
			return false
		}
		step *= l.shape[i]
	}
	return true
}

// gather copies the elements in row-major order.
func (l *layout) gather(data []byte, width int64) []byte {
	out := make([]byte, 0, l.count*width)
	index := make([]int64, len(l.shape))
	at := l.offset
	for range l.count {
		out = append(out, data[at*width:][:width]...)
		for i := len(index) - 1; i >= 0; i-- {
			index[i]++
			at += l.strides[i]
			if index[i] < l.shape[i] {
				break
			}
			at -= l.strides[i] * l.shape[i]
			index[i] = 0
		}
	}
	return out
}
