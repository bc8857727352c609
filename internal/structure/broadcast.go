package structure

import (
	"bytes"
	"encoding/binary"
)

func isGXF(b []byte) bool { return bytes.HasPrefix(b, []byte{0, 0, 0, 0, 1, 0xbc}) }

// checkGXF walks the packets to the one that ends the stream.
func checkGXF(f file) error {
	const last = 0xfb
	for off, steps := int64(0), 0; steps < maxSteps; steps++ {
		head, ok, err := f.bytes(off, 16)
		if err != nil {
			return err
		}
		if !ok {
			return broken("it ends at byte %d, before the packet that ends the stream", f.size)
		}
		n := int64(binary.BigEndian.Uint32(head[6:]))
		if !bytes.HasPrefix(head, []byte{0, 0, 0, 0, 1}) || head[14] != 0xe1 || head[15] != 0xe2 || n < 16 {
			return broken("there is no packet at byte %d", off)
		}
		if off+n > f.size {
			return f.beyond("the packet", off, off+n)
		}
		if head[5] == last {
			return nil
		}
		off += n
	}
	return nil
}

// Prefixes of the keys of an MXF file: of all keys, and of its partitions.
var (
	keyMXF       = []byte{0x06, 0x0e, 0x2b, 0x34}
	partitionMXF = []byte{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0d, 0x01, 0x02, 0x01, 0x01}
)

func isMXF(b []byte) bool { return bytes.HasPrefix(b, partitionMXF) && b[13] == 2 }

// checkMXF walks the items, each with a key and a length, and checks that the last
// partition is there.
func checkMXF(f file) error {
	footer, found := int64(0), false
	for off, steps := int64(0), 0; off < f.size && steps < maxSteps; steps++ {
		key, ok, err := f.bytes(off, 17)
		if err != nil {
			return err
		}
		if !ok {
			return broken("it ends at byte %d within an item", f.size)
		}
		if !bytes.HasPrefix(key, keyMXF) {
			if found {
				return nil // appended by another program
			}
			return broken("there is no item at byte %d", off)
		}
		n, width := int64(key[16]), int64(1)
		if n >= 0x80 {
			width += n & 0x7f
			b, ok, err := f.bytes(off+17, int(width-1))
			if err != nil {
				return err
			}
			if !ok || width > 9 {
				return broken("there is no item at byte %d", off)
			}
			n = 0
			for _, c := range b {
				n = n<<8 | int64(c)
			}
		}
		at := off + 16 + width
		if n < 0 || n > f.size-at {
			return f.beyond("the item", off, at+max(0, n))
		}
		if bytes.HasPrefix(key, partitionMXF) && key[13] >= 2 && key[13] <= 4 && n >= 32 {
			places, _, err := f.bytes(at+8, 24)
			if err != nil {
				return err
			}
			footer = max(footer, int64(binary.BigEndian.Uint64(zeros(places, 24)[16:])))
			found = found || key[13] == 4
		}
		off = at + n
	}
	if footer > 0 && !found {
		return broken("the partition at byte %d, its last, is not there", footer)
	}
	return nil
}
