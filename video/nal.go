package video

import (
	"encoding/binary"

	"github.com/asticode/go-astiav"
)

// resetsDecoder reports whether a key packet of H.264 or HEVC makes a decoder forget
// all earlier frames. A key packet that does not may begin an open group of pictures or
// a gradual refresh, whose frames refer to earlier ones. For other codecs, and if the
// packet cannot be parsed, the result is true.
func resetsDecoder(codec astiav.CodecID, extradata, packet []byte) bool {
	var kind func(first byte) (resets, picture bool)
	width := 0 // bytes of the size before each unit; 0: start codes
	switch codec {
	case astiav.CodecIDH264:
		if len(extradata) > 4 && extradata[0] == 1 {
			width = int(extradata[4]&3) + 1
		}
		kind = func(first byte) (resets, picture bool) {
			n := first & 0x1f
			return n == 5, n >= 1 && n <= 5
		}
	case astiav.CodecIDHevc:
		if len(extradata) > 21 && extradata[0] == 1 {
			width = int(extradata[21]&3) + 1
		}
		kind = func(first byte) (resets, picture bool) {
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
		if resets, picture := kind(unit[0]); picture {
			return resets
		}
	}
	return true
}

// nextUnit returns the first unit of a packet and the rest. With start codes it returns
// only the first byte of the unit, and the rest includes that byte.
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
