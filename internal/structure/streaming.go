package structure

import (
	"bytes"
	"encoding/binary"
)

// Identifiers of the objects of an ASF file.
var (
	headerASF     = []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c")
	propertiesASF = []byte("\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65")
	dataASF       = []byte("\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c")
)

func isASF(b []byte) bool { return bytes.HasPrefix(b, headerASF) }

// checkASF checks that the data object lies within the file, and that its packets,
// which usually have one size, begin where they should.
func checkASF(f file) error {
	head, ok, err := f.bytes(16, 8)
	if !ok || err != nil {
		return err
	}
	end := int64(binary.LittleEndian.Uint64(head))
	if end < 30 || end > f.size {
		return f.beyond("the header", 0, end)
	}
	packet, err := f.packetASF(end)
	if err != nil {
		return err
	}
	data, ok, err := f.bytes(end, 50)
	if err != nil {
		return err
	}
	if !ok {
		return broken("it ends at byte %d, before its data", f.size)
	}
	if !bytes.HasPrefix(data, dataASF) {
		return nil // an unknown object
	}
	n := int64(binary.LittleEndian.Uint64(data[16:]))
	packets := int64(binary.LittleEndian.Uint64(data[40:]))
	switch {
	case packets == 0 || n <= 50:
		return ErrUnstated // a broadcast, whose length was not known in advance
	case n > f.size-end:
		return f.beyond("the data", end, end+n)
	case packet == 0:
		return nil
	case packets > (n-50)/packet:
		return broken("of %d packets there is room for %d", packets, (n-50)/packet)
	}
	return f.walkASF(end+50, packet, packets)
}

// packetASF returns the packet size from the header's objects up to end, or 0 if
// packets differ in size.
func (f file) packetASF(end int64) (int64, error) {
	for off, steps := int64(30), 0; off < end && steps < maxSteps; steps++ {
		b, ok, err := f.bytes(off, 24)
		if !ok || err != nil {
			return 0, err
		}
		n := int64(binary.LittleEndian.Uint64(b[16:]))
		if n < 24 || n > end-off {
			return 0, broken("there is no object at byte %d of the header", off)
		}
		if bytes.HasPrefix(b, propertiesASF) && n >= 104 {
			sizes, ok, err := f.bytes(off+92, 8)
			least, most := int64(binary.LittleEndian.Uint32(zeros(sizes, 8))), int64(binary.LittleEndian.Uint32(zeros(sizes, 8)[4:]))
			if !ok || err != nil || least != most {
				return 0, err
			}
			return least, nil
		}
		off += n
	}
	return 0, nil
}

// walkASF checks that every packet begins like the first.
func (f file) walkASF(off, size, n int64) error {
	// The usual beginning: error correction of two bytes, both zero.
	usual := []byte{0x82, 0, 0}
	for i := range min(n, maxSteps) {
		b, ok, err := f.bytes(off+i*size, len(usual))
		if err != nil {
			return err
		}
		if !ok || !bytes.Equal(b, usual) {
			if i == 0 {
				return nil
			}
			return broken("there is no packet at byte %d", off+i*size)
		}
	}
	return nil
}

// zeros returns b, or n zeros if there is none.
func zeros(b []byte, n int) []byte {
	if len(b) < n {
		return make([]byte, n)
	}
	return b
}

func isRM(b []byte) bool { return bytes.HasPrefix(b, []byte(".RMF\x00\x00\x00")) }

// checkRM walks the chunks of a RealMedia file up to its data.
func checkRM(f file) error {
	for off, steps := int64(0), 0; off < f.size && steps < maxSteps; steps++ {
		head, ok, err := f.bytes(off, 14)
		if !ok || err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint32(head[4:]))
		if string(head[:4]) == "DATA" {
			if binary.BigEndian.Uint32(head[10:]) == 0 {
				return ErrUnstated // the number of packets was never filled in
			}
			// FFmpeg counts ten bytes of the chunk header twice.
			if off+n-10 > f.size {
				return f.beyond("the data", off, off+n)
			}
			return nil
		}
		if n < 10 || !printable(head[:4]) {
			return broken("there is no chunk at byte %d", off)
		}
		off += n
	}
	return broken("it ends at byte %d, before its data", f.size)
}
