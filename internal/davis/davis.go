// Package davis has the palette of the PASCAL VOC and DAVIS data sets.
package davis

import "image/color"

// Palette returns the 256 colours. The bits of an index go in turn to red, green and
// blue, the highest bit first, so that near numbers have distant colours. Index 0, the
// background, is black.
func Palette() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		var c [3]uint8
		for bit, v := 0, i; v > 0; bit, v = bit+1, v>>3 {
			for k := range c {
				c[k] |= uint8(v>>k&1) << (7 - bit)
			}
		}
		p[i] = color.RGBA{c[0], c[1], c[2], 255}
	}
	return p
}
