package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errCut   = errors.New("the pickle is cut off")
	errStack = errors.New("the pickle takes a value that it has not made")
	errDeep  = fmt.Errorf("values are nested deeper than %d", maxDepth)
)

// A slot is a value on the stack or in the memo, and its nesting depth as far as it was
// built in this slot.
type slot struct {
	v     any
	depth int
}

// A machine is the stack machine of a pickle.
type machine struct {
	in      []byte
	pos     int
	stack   []slot
	marks   []int // stack heights of the open marks
	memo    map[int64]slot
	memory  int // charged so far, see charge
	limit   int // of memory
	pairs   int // pairs that ordered dicts may still use
	options Options
	plain   bool // no class is allowed at all
}

// floor is the lowest height from which values may be taken: values below a mark cannot
// be used until it is closed.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// push pushes a new value.
func (m *machine) push(v any) error {
	if err := m.charge(boxed(v)); err != nil {
		return err
	}
	return m.pushSlot(slot{v: v})
}

// pushSlot pushes a value that has been charged already.
func (m *machine) pushSlot(s slot) error {
	if s.depth > maxDepth {
		return errDeep
	}
	if err := m.charge(slotBytes); err != nil {
		return err
	}
	m.stack = append(m.stack, s)
	return nil
}

// Memory of things in bytes, including the slack of growing slices and maps.
const (
	slotBytes   = 48  // on the stack
	boxBytes    = 24  // of a value allocated separately
	recordBytes = 64  // of a dict or an object without its contents
	itemBytes   = 32  // in a list or tuple
	entryBytes  = 128 // in a dict
	memoBytes   = 96
)

// boxed returns the memory of a value in addition to its slot, on average.
func boxed(v any) int {
	switch v := v.(type) {
	case nil, bool:
		return 0
	case string:
		return 16 + len(v)
	case []byte:
		return boxBytes + len(v)
	case *Dict, *Object:
		return recordBytes
	case Class:
		return 32 + len(v.Module) + len(v.Name)
	}
	return boxBytes
}

// charge counts memory before it is allocated. Freed memory is not subtracted, which
// bounds the work of the garbage collector as well.
func (m *machine) charge(n int) error {
	if m.memory += n; m.memory > m.limit {
		return fmt.Errorf("its values take more than the %d bytes that are given to a pickle of this length", m.limit)
	}
	return nil
}

func (m *machine) pop() (slot, error) {
	s, err := m.top()
	if err != nil {
		return slot{}, err
	}
	m.stack = m.stack[:len(m.stack)-1]
	return *s, nil
}

func (m *machine) top() (*slot, error) {
	if len(m.stack) == m.floor() {
		return nil, errStack
	}
	return &m.stack[len(m.stack)-1], nil
}

func (m *machine) mark() error {
	if len(m.marks) == maxDepth {
		return errDeep
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// sinceMark closes the last mark and takes what was pushed after it. The result is
// valid until the next push.
func (m *machine) sinceMark() ([]slot, error) {
	if len(m.marks) == 0 {
		return nil, errStack
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

// last takes the last n values; the result is valid until the next push.
func (m *machine) last(n int) ([]slot, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, errStack
	}
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) put(key int64) error {
	s, err := m.top()
	if err != nil {
		return err
	}
	if _, there := m.memo[key]; !there {
		if err := m.charge(memoBytes); err != nil {
			return err
		}
	}
	m.memo[key] = *s
	return nil
}

func (m *machine) get(key int64) error {
	s, ok := m.memo[key]
	if !ok {
		return fmt.Errorf("the pickle recalls number %d, which it has not put away", key)
	}
	return m.pushSlot(s)
}

// take consumes n bytes of the input. n is not trusted.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.in)-m.pos) {
		return nil, errCut
	}
	b := m.in[m.pos:][:n:n]
	m.pos += int(n)
	return b, nil
}

// number consumes an unsigned little-endian number of size bytes.
func (m *machine) number(size uint64) (uint64, error) {
	b, err := m.take(size)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// sized consumes a number of size bytes, and then as many bytes as it says.
func (m *machine) sized(size uint64) ([]byte, error) {
	n, err := m.number(size)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line consumes the input up to the next end of line.
func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.in[m.pos:], '\n')
	if i < 0 {
		return "", errCut
	}
	s := string(m.in[m.pos:][:i])
	m.pos += i + 1
	return s, nil
}
