package torch

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// maxRank is how many sides a tensor of PyTorch can have.
const maxRank = 64

// A layout says where in a storage the elements of a tensor lie: the one at
// index i, j, … at offset + i·strides[0] + j·strides[1] + …
type layout struct {
	offset         int64
	shape, strides []int64
	count          int64 // of elements, set by check
}

// check refuses a layout that leaves a storage of so many elements, or that has
// more of them than the storage: a view of one element can claim any number.
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
		// The sides of an empty tensor are bounded too, lest others multiply
		// them and wrap.
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
			return l.leaves(elements)
		}
		last = sum
	}
	if last >= uint64(elements) {
		return l.leaves(elements)
	}
	l.count = int64(product)
	return nil
}

func (l *layout) leaves(elements int64) error {
	return fmt.Errorf("shape %v with strides %v from element %d leaves the %d elements of its storage", l.shape, l.strides, l.offset, elements)
}

// rowMajor tells whether the elements lie one behind the other.
func (l *layout) rowMajor() bool {
	step := int64(1)
	for i := len(l.shape) - 1; i >= 0 && l.count > 0; i-- {
		// Along a side of one element nobody steps, so its stride may be any.
		if l.shape[i] != 1 && l.strides[i] != step {
			return false
		}
		step *= l.shape[i]
	}
	return true
}

// gather copies the elements, row after row.
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
