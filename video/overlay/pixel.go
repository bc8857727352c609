package overlay

import "encoding/binary"

// An rgba is a premultiplied colour: red in the lowest byte, then green, blue and alpha.
type rgba uint32

func load(p []uint8) rgba { return rgba(binary.LittleEndian.Uint32(p)) }

func (q rgba) store(p []uint8) { binary.LittleEndian.PutUint32(p, uint32(q)) }

// low is the lower byte of each 16 bits.
const low = 0x00ff00ff

// An ink is an opaque colour, its components in 16 bits each: red and blue, green and alpha.
type ink struct{ even, odd uint32 }

func inkOf(c [3]uint8) ink {
	return ink{uint32(c[0]) | uint32(c[2])<<16, uint32(c[1]) | 255<<16}
}

// over draws a colour with an opacity of 0..255 over a pixel.
func (q rgba) over(k ink, opacity uint32) rgba {
	rest := 255 - opacity
	// A quotient of v and 255 is rounded to the nearest by (w + w/256) / 256, w = v + 128.
	even := k.even*opacity + uint32(q)&low*rest + 0x00800080
	odd := k.odd*opacity + uint32(q)>>8&low*rest + 0x00800080
	even = (even + even>>8&low) >> 8 & low
	odd = (odd + odd>>8&low) & (low << 8)
	return rgba(even | odd)
}

// straight returns the colour without its opacity, and the opacity.
func (q rgba) straight() (k ink, opacity uint32) {
	if opacity = uint32(q >> 24); opacity == 0 {
		return ink{}, 0
	}
	divide := func(v rgba) uint8 { return uint8(min((uint32(v&0xff)*255+opacity/2)/opacity, 255)) }
	return inkOf([3]uint8{divide(q), divide(q >> 8), divide(q >> 16)}), opacity
}

func alphaOf(opacity float32) uint32 { return uint32(min(max(opacity, 0), 1)*255 + 0.5) }
