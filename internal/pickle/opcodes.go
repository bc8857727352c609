package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// next runs one instruction. After the last one, done is true and v is the value of the
// pickle. The names are those of Python's pickletools. Protocols 0 to 5 are supported,
// except for what no checkpoint and no annotation file has: sets, out-of-band buffers,
// extension codes, instances of old-style classes, calls with keywords.
func (m *machine) next() (v any, done bool, err error) {
	op, err := m.number(1)
	if err != nil {
		return nil, false, err
	}
	if op == '.' { // STOP
		s, err := m.pop()
		return s.v, true, err
	}
	return nil, false, m.step(byte(op))
}

// step runs one instruction. It is long because it is a table of all of them, with a
// call for each.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		return m.protocol()
	case 0x95: // FRAME, a hint how much to read ahead
		_, err := m.number(8)
		return err

	case '(': // MARK
		return m.mark()
	case '1': // POP_MARK
		_, err := m.sinceMark()
		return err
	case '0': // POP, which may also close a mark in Python
		return m.drop()
	case '2': // DUP
		return m.duplicate()

	case 'N': // NONE
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(op == 0x88)
	case 'K': // BININT1
		return m.unsigned(1)
	case 'M': // BININT2
		return m.unsigned(2)
	case 'J': // BININT
		return m.signed()
	case 0x8a: // LONG1
		return m.long(1)
	case 0x8b: // LONG4
		return m.long(4)
	case 'G': // BINFLOAT
		return m.float()
	case 'I', 'L', 'F', 'S', 'V': // INT, LONG, FLOAT, STRING, UNICODE
		return m.text(op)

	case 'U', 0x8c: // SHORT_BINSTRING, SHORT_BINUNICODE
		return m.str(1)
	case 'T', 'X': // BINSTRING, BINUNICODE
		return m.str(4)
	case 0x8d: // BINUNICODE8
		return m.str(8)
	case 'C': // SHORT_BINBYTES
		return m.bytes(1)
	case 'B': // BINBYTES
		return m.bytes(4)
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		return m.bytes(8)

	case ')': // EMPTY_TUPLE
		return m.push(Tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		return m.tuple(m.last(int(op) - 0x84))
	case 't': // TUPLE
		return m.tuple(m.sinceMark())
	case ']': // EMPTY_LIST
		return m.push(&List{})
	case 'l': // LIST
		return m.list(m.sinceMark())
	case 'a': // APPEND
		return m.extend(m.last(1))
	case 'e': // APPENDS
		return m.extend(m.sinceMark())
	case '}': // EMPTY_DICT
		return m.push(&Dict{})
	case 'd': // DICT
		return m.dict(m.sinceMark())
	case 's': // SETITEM
		return m.update(m.last(2))
	case 'u': // SETITEMS
		return m.update(m.sinceMark())

	case 'p', 'g': // PUT, GET
		return m.recallText(op == 'p')
	case 'q', 'h': // BINPUT, BINGET
		return m.recall(1, op == 'q')
	case 'r', 'j': // LONG_BINPUT, LONG_BINGET
		return m.recall(4, op == 'r')
	case 0x94: // MEMOIZE
		return m.put(int64(len(m.memo)))

	case 'c': // GLOBAL
		return m.global()
	case 0x93: // STACK_GLOBAL
		return m.classOf(m.last(2))
	case 'R', 0x81: // REDUCE, NEWOBJ
		return m.call(m.last(2))
	case 'b': // BUILD
		return m.build(m.last(1))
	case 'Q': // BINPERSID
		id, err := m.pop()
		return m.persistent(id.v, err)
	case 'P': // PERSID
		return m.persistent(m.line())
	}
	return fmt.Errorf("instruction %#02x is not supported", op)
}

// protocol reads the version of the pickle.
func (m *machine) protocol() error {
	version, err := m.number(1)
	if err == nil && version > 5 {
		err = fmt.Errorf("protocol %d is not known", version)
	}
	return err
}

// drop removes the top of the stack, or a mark there.
func (m *machine) drop() error {
	if len(m.marks) > 0 && len(m.stack) == m.floor() {
		m.marks = m.marks[:len(m.marks)-1]
		return nil
	}
	_, err := m.pop()
	return err
}

// duplicate pushes the top of the stack again.
func (m *machine) duplicate() error {
	s, err := m.top()
	if err != nil {
		return err
	}
	return m.pushSlot(*s)
}

// global pushes the class named by two lines.
func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.class(module, name)
}

// float pushes a float64, the only big-endian number.
func (m *machine) float() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

// signed pushes a two's complement number of 4 bytes.
func (m *machine) signed() error {
	n, err := m.number(4)
	if err != nil {
		return err
	}
	return m.push(int64(int32(uint32(n))))
}

// unsigned pushes an unsigned number.
func (m *machine) unsigned(size uint64) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	return m.push(int64(n))
}

// long pushes a two's complement number of up to 8 bytes.
func (m *machine) long(size uint64) error {
	b, err := m.sized(size)
	if err != nil {
		return err
	}
	if len(b) > 8 {
		return fmt.Errorf("an int of %d bytes is too large", len(b))
	}
	var wide [8]byte
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		wide = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(wide[:], b)
	return m.push(int64(binary.LittleEndian.Uint64(wide[:])))
}

func (m *machine) str(size uint64) error {
	b, err := m.sized(size)
	if err != nil {
		return err
	}
	return m.push(string(b))
}

func (m *machine) bytes(size uint64) error {
	b, err := m.sized(size)
	if err != nil {
		return err
	}
	// The input may be a mapped file, which is closed before the value is released.
	return m.push(bytes.Clone(b))
}

// recall stores the top in the memo under a key of size bytes, or pushes the stored
// value.
func (m *machine) recall(size uint64, put bool) error {
	key, err := m.number(size)
	switch {
	case err != nil:
		return err
	case put:
		return m.put(int64(key))
	}
	return m.get(int64(key))
}
