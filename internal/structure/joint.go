package structure

import (
	"bytes"
	"fmt"
	"os"
)

// Recordings of MPEG-TS may be joined byte by byte. A demuxer then sees the
// counters of packets jump and takes the last picture of the first recording
// for damaged, which it is not.

const (
	jointReach = 4 << 20   // how far from its start a picture may end
	tableReach = 256 << 10 // how far before it the program table may be
)

// Joint reports whether the access unit that starts at byte pos of an MPEG-TS
// file, in packets named pid, is among the last two of a recording that another
// follows (parsers hand the mark of one on to the one before): the next unit
// begins with a jump of the counter, a program table comes between them, and the
// table's counter jumps too or the clock goes back.
func Joint(path string, pos int64, pid int) (bool, error) {
	r, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("looking for a joint: %w", err)
	}
	defer r.Close()
	fi, err := r.Stat()
	if err != nil {
		return false, fmt.Errorf("looking for a joint: %w", err)
	}
	f := file{r, fi.Size()}
	b, ok, err := f.bytes(pos, int(max(0, min(jointReach, f.size-pos))))
	if !ok || err != nil || len(b) < 512 {
		return false, err
	}
	kind := kindTS(b)
	if kind < 0 {
		return false, nil
	}
	k := packetsTS[kind]
	back := min(pos, tableReach) / int64(k.size) * int64(k.size)
	before, ok, err := f.bytes(pos-back, int(back))
	if !ok || err != nil {
		return false, err
	}
	table := -1
	for p := range eachTS(before, k.size, k.mark) {
		if p.pid() == 0 {
			table = p.counter()
		}
	}
	return joint(b, k.size, k.mark, pid, table), nil
}

func joint(b []byte, size, mark, pid, table int) bool {
	const second = 90000
	unit, whole, between, jumps := -1, 0, false, false
	var time int64
	for p := range eachTS(b, size, mark) {
		switch p.pid() {
		case 0:
			jumps = jumps || table >= 0 && !p.follows(table)
			between, table = true, p.counter()
		case pid:
			if unit < 0 {
				unit, time = p.counter(), p.time()
				continue
			}
			if p.follows(unit) {
				if p.starts() {
					if whole++; whole > 2 {
						return false
					}
					time, between, jumps = p.time(), false, false
				}
				unit = p.counter()
				continue
			}
			next := p.time()
			goesBack := time >= 0 && next >= 0 && (next-time)<<31>>31 < -second // 33 bits, with a sign
			return p.starts() && between && (jumps || goesBack)
		}
	}
	return false
}

// A packetTS is one packet from its mark on.
type packetTS []byte

func eachTS(b []byte, size, mark int) func(func(packetTS) bool) {
	return func(yield func(packetTS) bool) {
		for ; len(b) >= mark+188; b = b[min(size, len(b)):] {
			p := packetTS(b[mark : mark+188])
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

// follows reports whether the counter goes on from last.
func (p packetTS) follows(last int) bool {
	if p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x80 != 0 {
		return true // the jump is announced
	}
	if p.payload() {
		last = (last + 1) & 15
	}
	return p.counter() == last
}

// time returns the presentation time that a unit starts with, -1 for none.
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
