package stickers

import "math"

// degrade applies the defects of cameras and codecs: blur, exposure, noise, block
// quantisation. The training script blurs a quarter of its training images and
// quantises three tenths, and none of its test images; hence the two chances.
func (c *canvas) degrade(blurChance, jpegChance float64, d dice) {
	if d.chance(blurChance) {
		c.blur(.4 + .9*d.u())
	}
	contrast, light := .75+.45*d.u(), .5+(d.u()-.5)*.2
	sigma := d.u()
	sigma *= .05 * sigma
	for k := range c.pix {
		off := light + (d.u()-.5)*.1
		for i, v := range c.pix[k] {
			c.pix[k][i] = (v-.5)*contrast + off
		}
	}
	c.grain(sigma, d)
	if d.chance(jpegChance) {
		c.quantise(25 + 65*d.u())
	}
}

// grain adds noise with this standard deviation, and clamps.
func (c *canvas) grain(sigma float32, d dice) {
	for _, p := range c.pix {
		for i, v := range p {
			p[i] = clamp01(v + d.n()*sigma)
		}
	}
}

// blur applies a Gaussian, sigma in pixels, edges mirrored.
func (c *canvas) blur(sigma float32) {
	r := max(1, int(3*sigma+.5))
	kernel := make([]float32, 2*r+1)
	var sum float32
	for i := range kernel {
		x := float32(i - r)
		kernel[i] = exp32(-x * x / (2 * sigma * sigma))
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	tmp := make([]float32, c.w*c.h)
	for _, p := range c.pix {
		for y := range c.h {
			for x := range c.w {
				var s float32
				for i, k := range kernel {
					s += k * p[y*c.w+mirror(x+i-r, c.w)]
				}
				tmp[y*c.w+x] = s
			}
		}
		for y := range c.h {
			for x := range c.w {
				var s float32
				for i, k := range kernel {
					s += k * tmp[mirror(y+i-r, c.h)*c.w+x]
				}
				p[y*c.w+x] = s
			}
		}
	}
}

// mirror reflects an index into 0..n-1 without repeating the edge.
func mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	for i < 0 || i >= n {
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	return i
}

// quantTable is the luminance table of JPEG's annex K. The script uses it for R, G and
// B.
var quantTable = [64]float32{
	16, 11, 10, 16, 24, 40, 51, 61,
	12, 12, 14, 19, 26, 58, 60, 55,
	14, 13, 16, 24, 40, 57, 69, 56,
	14, 17, 22, 29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77,
	24, 35, 55, 64, 81, 104, 113, 92,
	49, 64, 78, 87, 103, 121, 120, 101,
	72, 92, 95, 98, 112, 100, 103, 99,
}

// dct[k][n] is the orthonormal DCT of length 8.
var dct = func() (m [8][8]float32) {
	for k := range m {
		for n := range m[k] {
			m[k][n] = float32(.5 * math.Cos(float64((2*n+1)*k)*math.Pi/16))
			if k == 0 {
				m[k][n] *= math.Sqrt2 / 2
			}
		}
	}
	return m
}()

// inverseDCT is the transpose of dct, which is orthonormal.
var inverseDCT = func() (m [8][8]float32) {
	for k := range dct {
		for n, v := range dct[k] {
			m[n][k] = v
		}
	}
	return m
}()

// quantise removes what JPEG loses at a quality of 1..100, in 8×8 blocks of each
// channel. Blocks at the right and lower edge are filled by repeating the last sample.
func (c *canvas) quantise(quality float32) {
	scale := (200 - 2*quality) / 100
	if quality < 50 {
		scale = 50 / quality
	}
	var q [64]float32
	for i := range q {
		q[i] = max(quantTable[i]*scale, 1)
	}
	for _, p := range c.pix {
		for y := 0; y < c.h; y += 8 {
			for x := 0; x < c.w; x += 8 {
				c.quantiseBlock(p, x, y, &q)
			}
		}
	}
}

func (c *canvas) quantiseBlock(p []float32, x0, y0 int, q *[64]float32) {
	var b [8][8]float32
	for y := range b {
		for x := range b[y] {
			b[y][x] = p[min(y0+y, c.h-1)*c.w+min(x0+x, c.w-1)]*255 - 128
		}
	}
	// "Transform the rows, transpose", done twice, transforms rows and columns.
	b = rowsTransposed(rowsTransposed(b, &dct), &dct)
	for k := range b {
		for x := range b[k] {
			step := q[8*k+x]
			b[k][x] = float32(math.RoundToEven(float64(b[k][x]/step))) * step
		}
	}
	b = rowsTransposed(rowsTransposed(b, &inverseDCT), &inverseDCT)
	for y := range min(8, c.h-y0) {
		for x := range min(8, c.w-x0) {
			p[(y0+y)*c.w+x0+x] = clamp01((b[y][x] + 128) / 255)
		}
	}
}

// rowsTransposed returns (b mᵀ)ᵀ: every row of b multiplied by m, as a column.
func rowsTransposed(b [8][8]float32, m *[8][8]float32) (t [8][8]float32) {
	for y := range b {
		for k := range m {
			var s float32
			for n, v := range b[y] {
				s += m[k][n] * v
			}
			t[k][y] = s
		}
	}
	return t
}
