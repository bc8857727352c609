package overlay

import "encoding/binary"

// A canvas holds what is laid over a frame: premultiplied RGBA with 8 bits, and for
// each row the range of columns in use.
type canvas struct {
	w, h   int
	pix    []uint8
	x0, x1 []int
}

func (c *canvas) init(w, h int) {
	c.w, c.h = w, h
	c.pix = make([]uint8, 4*w*h)
	c.x0, c.x1 = make([]int, h), make([]int, h)
	for y := range h {
		c.x0[y] = w
	}
}

// clear empties the canvas. It clears only what was drawn on.
func (c *canvas) clear() {
	for y := range c.h {
		if c.x1[y] > c.x0[y] {
			clear(c.pix[4*(y*c.w+c.x0[y]) : 4*(y*c.w+c.x1[y])])
		}
		c.x0[y], c.x1[y] = c.w, 0
	}
}

// over draws a colour over a pixel, with an opacity of 0..1.
func (c *canvas) over(x, y int, colour [3]uint8, opacity float32) {
	if opacity <= 0 {
		return
	}
	a := alphaOf(opacity)
	if a == 0 {
		return
	}
	c.x0[y], c.x1[y] = min(c.x0[y], x), max(c.x1[y], x+1)
	blendOver(c.pix[4*(y*c.w+x):][:4:4], colour, a)
}

// overRow is over for n pixels from x on.
func (c *canvas) overRow(x, y, n int, colour [3]uint8, opacity float32) {
	a := alphaOf(opacity)
	if a == 0 {
		return
	}
	c.x0[y], c.x1[y] = min(c.x0[y], x), max(c.x1[y], x+n)
	var fresh [4]uint8 // over a pixel that nothing is drawn on
	blendOver(fresh[:], colour, a)
	quad := binary.NativeEndian.Uint32(fresh[:])
	row := c.pix[4*(y*c.w+x):][:4*n]
	for i := 0; i < len(row); i += 4 {
		if p := row[i:][:4:4]; binary.NativeEndian.Uint32(p) == 0 {
			binary.NativeEndian.PutUint32(p, quad)
		} else {
			blendOver(p, colour, a)
		}
	}
}

func alphaOf(opacity float32) uint32 { return uint32(min(max(opacity, 0), 1)*255 + 0.5) }

// blendOver draws a colour with an opacity of 0..255 over a premultiplied pixel.
func blendOver(p []uint8, colour [3]uint8, a uint32) {
	rest := 255 - a
	for i := range 3 {
		p[i] = uint8((uint32(colour[i])*a + uint32(p[i])*rest + 127) / 255)
	}
	p[3] = uint8((255*a + uint32(p[3])*rest + 127) / 255)
}
