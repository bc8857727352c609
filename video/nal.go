package video

import (
	"encoding/binary"

	"github.com/asticode/go-astiav"
)

// startsAfresh reports whether a key packet of H.264 or HEVC makes a decoder
// forget all that came before. One that does not may begin an open group of
// pictures or a gradual refresh, whose pictures refer to earlier ones. Of other
// codecs, and of what cannot be read, nothing else is known.
func startsAfresh(codec astiav.CodecID, extradata, packet []byte) bool {
	var kind func(first byte) (afresh, picture bool)
	width := 0 // of the sizes before units; 0: a mark is before each
	switch codec {
	case astiav.CodecIDH264:
		if len(extradata) > 4 && extradata[0] == 1 {
			width = int(extradata[4]&3) + 1
		}
		kind = func(first byte) (afresh, picture bool) {
			n := first & 0x1f
			return n == 5, n >= 1 && n <= 5
		}
	case astiav.CodecIDHevc:
		if len(extradata) > 21 && extradata[0] == 1 {
			width = int(extradata[21]&3) + 1
		}
		kind = func(first byte) (afresh, picture bool) {
			n := first >> 1 & 0x3f
			return n >= 16 && n <= 20, n < 32
		}
	default:
		return true
	}
	for len(packet) > 0 {
		var unit []byte
		if unit, packet = nextUnit(packet, width); len(unit) == 0 {
			continue
		}
		if afresh, picture := kind(unit[0]); picture {
			return afresh
		}
	}
	return true
}

// nextUnit splits a packet behind the beginning of its first unit, of which it
// returns at least one byte if there is one.
func nextUnit(b []byte, width int) (unit, rest []byte) {
	if width == 0 {
		for i := 0; i+3 < len(b); i++ {
			if b[i] == 0 && b[i+1] == 0 && b[i+2] == 1 {
				return b[i+3 : i+4], b[i+3:]
			}
		}
		return nil, nil
	}
	if len(b) < width {
		return nil, nil
	}
	var size [8]byte
	copy(size[8-width:], b[:width])
	n := binary.BigEndian.Uint64(size[:])
	b = b[width:]
	n = min(n, uint64(len(b)))
	return b[:n], b[n:]
}
