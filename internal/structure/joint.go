package structure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// MPEG-TS recordings may be joined byte by byte. A demuxer then sees the packet
// counters jump and wrongly takes the last frame of the first recording for damaged.

// PacketTS is the size of an MPEG-TS packet from its sync byte on.
const PacketTS = 188

const (
	jointReach = 4 << 20   // how far from its start a frame may end
	tableReach = 256 << 10 // how far before it the program table may be
)

// Joint reports whether the access unit at byte pos of an MPEG-TS file, in packets with
// this pid, is among the last two of a recording that is followed by another one. (It
// need not be the last: parsers may move a corrupt mark to the unit before.) That is so
// if the next unit begins with a jump of the counter, a program table comes between
// them, and the table's counter jumps too or the clock goes back.
func Joint(path string, pos int64, pid int) (bool, error) {
	f, err := open(path)
	if err != nil {
		return false, fmt.Errorf("looking for a joint: %w", err)
	}
	defer f.Close()
	return f.joint(pos, pid)
}

// JointWithin reports the same where only the bytes from start to end can be read, as
// from a pipe. It returns an error if pos is not among them.
func JointWithin(r io.ReaderAt, start, end, pos int64, pid int) (bool, error) {
	if pos < start || pos >= end {
		return false, errors.New("looking for a joint: it is out of reach")
	}
	return file{r, end, start}.joint(pos, pid)
}

func (f file) joint(pos int64, pid int) (bool, error) {
	b, ok, err := f.bytes(pos, int(max(0, min(jointReach, f.size-pos))))
	if !ok || err != nil || len(b) < 512 {
		return false, err
	}
	kind := kindTS(b)
	if kind < 0 {
		return false, nil
	}
	k := packetsTS[kind]
	before, err := f.before(pos, tableReach, k.size)
	if err != nil {
		return false, err
	}
	var t tables
	for p := range eachTS(before, k.size, k.mark) {
		t.record(p)
	}
	return joint(b, k.size, k.mark, pid, t), nil
}

// JointAt reports the same for the packet whose counter jumps. pos is the byte position
// of its sync byte.
func JointAt(path string, pos int64, pid int) (bool, error) {
	f, err := open(path)
	if err != nil {
		return false, fmt.Errorf("looking for a joint: %w", err)
	}
	defer f.Close()
	return f.jointAt(pos, pid)
}

// JointAtWithin is JointAt with the limits of JointWithin.
func JointAtWithin(r io.ReaderAt, start, end, pos int64, pid int) (bool, error) {
	if pos <= start || pos > end-PacketTS {
		return false, errors.New("looking for a joint: it is out of reach")
	}
	return file{r, end, start}.jointAt(pos, pid)
}

func (f file) jointAt(pos int64, pid int) (bool, error) {
	packet, ok, err := f.bytes(pos, PacketTS)
	if !ok || err != nil || packet[0] != markTS {
		return false, err
	}
	for _, k := range packetsTS {
		b, err := f.before(pos, jointReach, k.size)
		if err != nil {
			return false, err
		}
		if len(b) < k.size || b[len(b)-k.size] != markTS {
			continue
		}
		return jointAt(append(b, packet...), k.size, pid), nil
	}
	return false, nil
}

// jointAt examines the packets up to the last, whose counter jumps.
func jointAt(b []byte, size, pid int) bool {
	for len(b) >= size && b[0] != markTS {
		b = b[size:] // not in sync yet
	}
	var t tables
	time := int64(-1)
	between, jumps := false, false
	left := (len(b) + size - 1) / size
	for p := range eachTS(b, size, 0) {
		left--
		if p.pid() != pid {
			if table, jump := t.record(p); table {
				between, jumps = true, jumps || jump
			}
			continue
		}
		if left == 0 {
			return p.starts() && between && (jumps || goesBack(time, p.time()))
		}
		if p.starts() {
			time = p.time()
		}
		between, jumps = false, false
	}
	return false
}

// before returns up to n bytes before pos, a multiple of size.
func (f file) before(pos, n int64, size int) ([]byte, error) {
	n = max(0, min(pos-f.start, n)) / int64(size) * int64(size)
	b, _, err := f.bytes(pos-n, int(n))
	return b, err
}

type opened struct {
	file
	*os.File
}

// open opens a file that can be read a second time. It checks the kind of file first,
// because opening a pipe may block for ever.
func open(path string) (opened, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return opened{}, err
	}
	if !fi.Mode().IsRegular() {
		return opened{}, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return opened{}, err
	}
	return opened{file{f, fi.Size(), 0}, f}, nil
}

// goesBack reports whether the clock goes back by more than frames are reordered.
func goesBack(from, to int64) bool {
	const second = 90000
	return from >= 0 && to >= 0 && (to-from)<<31>>31 < -second // 33 bits, with a sign
}

func joint(b []byte, size, mark, pid int, t tables) bool {
	unit, whole, between, jumps := -1, 0, false, false
	var time int64
	for p := range eachTS(b, size, mark) {
		if p.pid() != pid {
			if table, jump := t.record(p); table {
				between, jumps = true, jumps || jump
			}
			continue
		}
		if unit < 0 {
			unit, time = p.counter(), p.time()
			continue
		}
		if !p.follows(unit) {
			return p.starts() && between && (jumps || goesBack(time, p.time()))
		}
		if p.starts() {
			if whole++; whole > 2 {
				return false
			}
			time, between, jumps = p.time(), false, false
		}
		unit = p.counter()
	}
	return false
}

// tables are the tables that describe a recording: the list of programs, each program,
// and their names.
type tables struct {
	last     map[int]int // counters by pid
	programs map[int]bool
}

const (
	listTable = 0
	nameTable = 17
)

// record records a table packet, and reports whether its counter jumps.
func (t *tables) record(p packetTS) (table, jumps bool) {
	pid := p.pid()
	if pid != listTable && pid != nameTable && !t.programs[pid] {
		return false, false
	}
	if pid == listTable {
		t.list(p)
	}
	if t.last == nil {
		t.last = make(map[int]int)
	}
	last, seen := t.last[pid]
	t.last[pid] = p.counter()
	return true, seen && !p.follows(last)
}

// list records the pids of the programs in a list of programs.
func (t *tables) list(p packetTS) {
	b := p[4:]
	if p[3]&0x20 != 0 {
		b = b[min(len(b), 1+int(b[0])):]
	}
	if !p.starts() || len(b) == 0 {
		return
	}
	b = b[min(len(b), 1+int(b[0])):]
	const head, sum = 8, 4
	if len(b) < head || b[0] != 0 {
		return
	}
	n := min(len(b), 3+int(b[1]&0xf)<<8+int(b[2])) - sum
	t.programs = make(map[int]bool)
	for i := head; i+4 <= n; i += 4 {
		if number := int(b[i])<<8 | int(b[i+1]); number != 0 {
			t.programs[int(b[i+2]&0x1f)<<8|int(b[i+3])] = true
		}
	}
}

// A packetTS is one packet from its sync byte on.
type packetTS []byte

func eachTS(b []byte, size, mark int) func(func(packetTS) bool) {
	return func(yield func(packetTS) bool) {
		for ; len(b) >= mark+PacketTS; b = b[min(size, len(b)):] {
			p := packetTS(b[mark : mark+PacketTS])
			if p[0] != markTS || !yield(p) {
				return
			}
		}
	}
}

func (p packetTS) pid() int      { return int(p[1]&0x1f)<<8 | int(p[2]) }
func (p packetTS) starts() bool  { return p[1]&0x40 != 0 }
func (p packetTS) counter() int  { return int(p[3] & 15) }
func (p packetTS) payload() bool { return p[3]&0x10 != 0 }

// follows reports whether the counter continues from last.
func (p packetTS) follows(last int) bool {
	if p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x80 != 0 {
		return true // the jump is announced
	}
	if p.payload() {
		last = (last + 1) & 15
	}
	return p.counter() == last
}

// time returns the presentation time at the start of a unit, -1 if there is none.
func (p packetTS) time() int64 {
	b := p[4:]
	if p[3]&0x20 != 0 {
		b = b[min(len(b), 1+int(b[0])):]
	}
	if !p.starts() || len(b) < 14 || !bytes.HasPrefix(b, []byte{0, 0, 1}) || b[7]&0x80 == 0 {
		return -1
	}
	return int64(b[9]>>1&7)<<30 | int64(b[10])<<22 | int64(b[11]>>1)<<15 | int64(b[12])<<7 | int64(b[13]>>1)
}
