package stickers

import "math"

// BackgroundKinds are the patterns of backgrounds, in the order of the training script.
var BackgroundKinds = []string{"gradient", "clouds", "stripes", "checks", "patches", "horizon", "plain"}

// background draws a background. kind is an index into BackgroundKinds, or negative for
// a random one.
//
// Coordinates are those of the script: y in -1..1, x in -w/h..w/h.
func background(w, h, kind int, d dice) *canvas {
	img := newCanvas(w, h)
	aspect := float32(w) / float32(h)
	if kind < 0 {
		kind = d.IntN(len(BackgroundKinds))
	}
	var col [3][3]float32
	for i := range col {
		col[i] = d.colour()
	}
	th := d.u() * math.Pi
	ct, st := cos32(th), sin32(th)
	p := pattern{kind: kind, often: exp32(d.u()*2.6 + .3)}
	noise := make([]float32, w*h)
	for i, amp := 0, float32(1); i < 4; i++ {
		k := 3 << i
		d.addField(noise, w, h, max(2, int(float32(k)*aspect)), k, amp)
		amp *= .3 + .5*d.u()
	}
	p.sharp = exp32(d.u() * 3)
	p.lift, p.flat = d.u(), d.u()
	blobs := make([]float32, w*h)
	d.addField(blobs, w, h, 7, 5, 1)
	withBlobs := d.chance(.35)

	for y := range h {
		yy := ramp(y, h)
		for x := range w {
			i := y*w + x
			xx := ramp(x, w) * aspect
			u, v := xx*ct+yy*st, yy*ct-xx*st
			m := p.at(u, v, noise[i])
			var k float32
			if withBlobs {
				k = softStep(blobs[i]-.7, 10)
			}
			for c := range 3 {
				two := col[0][c]*(1-m) + col[1][c]*m
				img.pix[c][i] = two*(1-k) + col[2][c]*k
			}
		}
	}

	for range 2 {
		d.addShape(img, aspect)
	}
	d.addGrain(img, noise)
	return img
}

// A pattern says how two colours are mixed.
type pattern struct {
	kind                     int     // in BackgroundKinds
	often, sharp, lift, flat float32 // repetition, sharpness of edges, height, fixed share
}

// at returns the share of the second colour at a point: u and v are its coordinates
// along and across the pattern, n is the noise there.
func (p pattern) at(u, v, n float32) float32 {
	switch p.kind {
	case 0:
		return softStep(u, 2)
	case 1:
		return softStep(n, p.sharp)
	case 2:
		return softStep(sin32(u*p.often*math.Pi+n*.3), p.sharp*2)
	case 3:
		return softStep(sin32(u*p.often*math.Pi)*sin32(v*p.often*math.Pi), p.sharp*2)
	case 4:
		return softStep(n-.5, 8)
	case 5:
		return softStep(v+.3*n+p.lift-.5, p.sharp*3)
	}
	return p.flat
}

// addShape draws a box or a disc, which is no concept, or sometimes nothing. It takes
// the same random numbers in either case.
func (d dice) addShape(img *canvas, aspect float32) {
	cx, cy := (d.u()*2-1)*aspect, d.u()*2-1
	rx, ry := .08+.4*d.u(), .08+.4*d.u()
	round, there, c := d.chance(.5), d.chance(.22), d.colour()
	if !there {
		return
	}
	for y := range img.h {
		dy := (ramp(y, img.h) - cy) / ry
		for x := range img.w {
			dx := (ramp(x, img.w)*aspect - cx) / rx
			inside := dx*dx+dy*dy < 1
			if !round {
				inside = max(dx, -dx, dy, -dy) < 1
			}
			if inside {
				for k := range 3 {
					img.pix[k][y*img.w+x] = c[k]
				}
			}
		}
	}
}

// addGrain adds sensor noise, and some of the background's own noise as light and
// shade.
func (d dice) addGrain(img *canvas, noise []float32) {
	grain := d.u()
	grain *= .12 * grain
	shade := .06 * d.u()
	for c := range 3 {
		for i := range img.pix[c] {
			img.pix[c][i] = clamp01(img.pix[c][i] + d.n()*grain + noise[i]*shade)
		}
	}
}

// colour draws a random colour that is rarely grey and not often dark.
func (d dice) colour() [3]float32 {
	scale, lift := .6+.4*d.u(), .25*d.u()
	var c [3]float32
	for i := range c {
		c[i] = clamp01(d.u()*scale + lift)
	}
	return c
}

// ramp returns value i of n values spaced evenly from -1 to 1.
func ramp(i, n int) float32 {
	if n == 1 {
		return -1
	}
	return float32(2*i)/float32(n-1) - 1
}

// addField adds amp times a smooth random field to dst (w×h): normal values on a coarse
// cols×rows grid, interpolated by cubics (Keys' kernel with a = -0.75, half-pixel
// centres, repeated edges, as in PyTorch).
func (d dice) addField(dst []float32, w, h, cols, rows int, amp float32) {
	grid := make([]float32, cols*rows)
	for i := range grid {
		grid[i] = d.n()
	}
	wide := make([]float32, w*rows) // stretched along x only
	for x := range w {
		x0, k := cubic(x, w, cols)
		for r := range rows {
			var s float32
			for t := range k {
				s += k[t] * grid[r*cols+min(max(x0+t, 0), cols-1)]
			}
			wide[r*w+x] = s
		}
	}
	for y := range h {
		y0, k := cubic(y, h, rows)
		row := dst[y*w : (y+1)*w]
		for t := range k {
			src := wide[min(max(y0+t, 0), rows-1)*w:]
			for x := range row {
				row[x] += amp * k[t] * src[x]
			}
		}
	}
}

// cubic returns the first of the four source positions and their weights for
// position i of n when m samples are stretched to n.
func cubic(i, n, m int) (first int, k [4]float32) {
	const a = -.75
	pos := (float64(i)+.5)*float64(m)/float64(n) - .5
	f := math.Floor(pos)
	t := pos - f
	near := func(x float64) float32 { return float32(((a+2)*x-(a+3))*x*x + 1) }
	far := func(x float64) float32 { return float32(((a*x-5*a)*x+8*a)*x - 4*a) }
	return int(f) - 1, [4]float32{far(t + 1), near(t), near(1 - t), far(2 - t)}
}
