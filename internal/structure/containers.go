package structure

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

func isBoxes(b []byte) bool {
	switch string(b[4:8]) {
	case "ftyp", "styp", "moov", "mdat", "wide", "pnot":
		return true
	}
	return false
}

// checkBoxes walks the boxes of an ISO or QuickTime file. Unknown data may have been
// appended by another program, but if media boxes follow it the file is broken.
func checkBoxes(f file) error {
	for off, steps := int64(0), 0; off < f.size && steps < maxSteps; steps++ {
		head, ok, err := f.bytes(off, 8)
		if !ok || err != nil {
			return err
		}
		n, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if n == 0 && kind == "mdat" {
			return nil // extends to the end
		}
		if n == 1 {
			long, ok, err := f.bytes(off+8, 8)
			if !ok || err != nil {
				return err
			}
			n = int64(binary.BigEndian.Uint64(long) & (1<<62 - 1))
		}
		if n < 8 || n > f.size-off || !printable(head[4:]) {
			if isMedia(kind) && n > 8 {
				return f.beyond("a box "+kind, off, off+n)
			}
			if more, err := f.moreBoxes(off + 4); err != nil || !more {
				return err
			}
			return broken("there is no box at byte %d", off)
		}
		off += n
	}
	return nil
}

func isMedia(kind string) bool { return kind == "mdat" || kind == "moov" || kind == "moof" }

// moreBoxes reports whether the names of media boxes occur soon after off.
func (f file) moreBoxes(off int64) (bool, error) {
	const near = 4 << 20
	b, _, err := f.bytes(off, int(max(0, min(near, f.size-off))))
	if err != nil {
		return false, err
	}
	for _, kind := range []string{"mdat", "moov", "moof"} {
		if bytes.Contains(b, []byte(kind)) {
			return true, nil
		}
	}
	return false, nil
}

func isEBML(b []byte) bool { return bytes.HasPrefix(b, []byte{0x1a, 0x45, 0xdf, 0xa3}) }

// checkEBML checks that the segment of a Matroska file lies within the file.
func checkEBML(f file) error {
	n, width, err := f.ebmlSize(4)
	if err != nil || width == 0 || n < 0 || n > f.size {
		return err
	}
	off := 4 + width + n
	id, ok, err := f.bytes(off, 4)
	if !ok || err != nil || !bytes.Equal(id, []byte{0x18, 0x53, 0x80, 0x67}) {
		return err
	}
	n, width, err = f.ebmlSize(off + 4)
	if err != nil || width == 0 || n < 0 {
		return err
	}
	if end := off + 4 + width + n; end > f.size {
		return f.beyond("the segment", off, end)
	}
	return nil
}

// ebmlSize reads a size, -1 if it is not stated. The width is 0 if there is none.
func (f file) ebmlSize(off int64) (n, width int64, err error) {
	first, ok, err := f.bytes(off, 1)
	if !ok || err != nil || first[0] == 0 {
		return 0, 0, err
	}
	width = int64(bits.LeadingZeros8(first[0])) + 1
	b, ok, err := f.bytes(off, int(width))
	if !ok || err != nil {
		return 0, 0, err
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	v &= 1<<(7*width) - 1
	if v == 1<<(7*width)-1 {
		return -1, width, nil
	}
	return int64(v), width, nil
}

func isFLV(b []byte) bool { return bytes.HasPrefix(b, []byte("FLV\x01")) }

// checkFLV walks the tags, each followed by its size. Some writers omit the size after
// the last tag.
func checkFLV(f file) error {
	head, ok, err := f.bytes(5, 4)
	if !ok || err != nil {
		return err
	}
	for off, steps := int64(binary.BigEndian.Uint32(head))+4, 0; off < f.size && steps < maxSteps; steps++ {
		tag, ok, err := f.bytes(off, 11)
		if err != nil {
			return err
		}
		if !ok {
			return broken("it ends at byte %d within a tag", f.size)
		}
		n := int64(tag[1])<<16 | int64(tag[2])<<8 | int64(tag[3])
		if off+11+n > f.size {
			return f.beyond("the tag", off, off+11+n)
		}
		if kind := tag[0] & 0x1f; kind != 8 && kind != 9 && kind != 18 {
			return broken("there is no tag at byte %d", off)
		}
		off += 15 + n
	}
	return nil
}

func isIVF(b []byte) bool { return bytes.HasPrefix(b, []byte("DKIF\x00\x00")) }

// checkIVF walks the frames.
func checkIVF(f file) error {
	head, ok, err := f.bytes(6, 2)
	if !ok || err != nil {
		return err
	}
	for off, steps := int64(binary.LittleEndian.Uint16(head)), 0; off < f.size && steps < maxSteps; steps++ {
		frame, ok, err := f.bytes(off, 12)
		if err != nil {
			return err
		}
		if !ok {
			return broken("it ends at byte %d within a frame", f.size)
		}
		n := int64(binary.LittleEndian.Uint32(frame))
		if off+12+n > f.size {
			return f.beyond("the frame", off, off+12+n)
		}
		off += 12 + n
	}
	return nil
}
