package overlay

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// An outline computes what a line along the edge of a mask covers of each pixel. A box blur
// of the mask falls linearly across a straight edge, by 1/(2r+1) per pixel. So its difference
// from one half gives the distance from the edge, as precisely as the edge of the mask is.
type outline struct {
	w, r    int     // of the frame, and of the blur
	width   float32 // of the line; 0 for none
	area    uint32  // the sum of a window that lies inside
	lines   []uint16
	walkers []walker // one for each goroutine
}

// far means a distance larger than any line is wide.
const far = float32(math.MaxFloat32)

// maxLines bounds the table of lines.
const maxLines = 1 << 17

// init makes an outline of a width for frames of w columns. Without a line it only finds the
// plain parts of masks.
func (l *outline) init(w int, width float32, drawn bool) {
	l.w, l.width = w, width
	l.r = int(math.Ceil(float64(2*width))) + 1
	side := 2*l.r + 1
	l.area = uint32(side * side * 255)
	l.lines = nil
	if !drawn {
		l.width = 0
	}
	if l.area < maxLines {
		l.lines = make([]uint16, l.area+1)
		for sum := range l.lines {
			l.lines[sum] = l.lineAt(uint32(sum))
		}
	}
}

// reach returns how far a line extends outside its mask, in pixels.
func (l *outline) reach() int { return l.r + 1 }

// line returns the opacity, 0..255, of the opaque line inside the edge, where the sum of the
// window around a pixel is given. The upper byte has that of its edging outside.
func (l *outline) line(sum uint32) uint16 {
	if l.lines != nil {
		return l.lines[sum]
	}
	return l.lineAt(sum)
}

func (l *outline) lineAt(sum uint32) uint16 {
	t := l.width
	d := l.distance(sum)
	if t == 0 || d == far || d > 2*t+1 || d < -2*t-1 {
		return 0
	}
	// From the edge to t inside, and from t outside to the edge.
	return uint16(alphaOf(cover(d-t*0.5, t)) | alphaOf(edgingOpacity*cover(d+t*0.5, t))<<8)
}

// distance returns the distance of a pixel from the edge, in pixels, positive inside.
func (l *outline) distance(sum uint32) float32 {
	v := float32(sum) / float32(l.area)
	if v == 0 || v >= 1 {
		return far
	}
	return (v - 0.5) * float32(2*l.r+1)
}

// cover returns how much of a pixel a line of the given width covers. d is the distance
// from the middle of the line to the pixel.
func cover(d, width float32) float32 {
	if d < 0 {
		d = -d
	}
	return min(max(width/2+0.5-d, 0), 1) * min(width, 1)
}

// A walker blurs the mask inside a box, row after row. It keeps the sums of the columns of
// the window, eight columns at a time: first the even ones, then the odd ones, with 16 bits
// each. So it passes quickly over what is plain.
type walker struct {
	*outline
	alpha []uint8
	box   rect
	y     int // row of the box that sums is for
	sums  []uint64
	none  []uint8  // an empty row
	flat  []uint16 // see windows
}

// walk starts a walker at row from of a box.
func (l *outline) walk(worker int, alpha []uint8, b rect, from int) *walker {
	k := &l.walkers[worker]
	k.outline, k.alpha, k.box, k.y = l, alpha, b, from
	w := b.x1 - b.x0
	if n := (w + 7) / 8 * 2; cap(k.sums) < n || len(k.none) < w {
		k.sums, k.none = make([]uint64, n), make([]uint8, w)
	} else {
		k.sums = k.sums[:n]
	}
	clear(k.sums)
	for y := from - l.r; y <= from+l.r; y++ {
		k.replace(k.none[:w], k.row(y))
	}
	return k
}

// next advances to the next row.
func (k *walker) next() {
	k.replace(k.row(k.y-k.r), k.row(k.y+k.r+1))
	k.y++
}

// row returns a row of the box. Beyond its border the border pixels are repeated.
func (k *walker) row(y int) []uint8 {
	y = k.box.y0 + min(max(y, 0), k.box.y1-k.box.y0-1)
	return k.alpha[y*k.w+k.box.x0 : y*k.w+k.box.x1]
}

// replace takes a row out of the sums, and puts another one in.
func (k *walker) replace(out, in []uint8) {
	const low = 0x00ff00ff00ff00ff
	in = in[:len(out)]
	x := 0
	for ; x+8 <= len(out); x += 8 {
		a, b := binary.LittleEndian.Uint64(in[x:]), binary.LittleEndian.Uint64(out[x:])
		if a != b {
			s := k.sums[x/4:][:2:2]
			s[0] += a&low - b&low
			s[1] += a>>8&low - b>>8&low
		}
	}
	for ; x < len(out); x++ {
		k.sums[x>>3<<1+x&1] += (uint64(in[x]) - uint64(out[x])) << (x & 6 * 8)
	}
}

// column returns the sum of a column of the window.
func (k *walker) column(x int) uint16 { return uint16(k.sums[x>>3<<1+x&1] >> (x & 6 * 8)) }

// plain returns the next pixels, from column x of the box on, that are all far outside the
// mask, or all far inside it. Before them lies what is not plain. There are none if from is
// to, which is the end of the box.
func (k *walker) plain(x int) (from, to int, in bool) {
	w := k.box.x1 - k.box.x0
	full := uint16(2*k.r+1) * 255
	for x < w {
		first := k.column(x)
		if first != 0 && first != full {
			x++
			continue
		}
		end := k.alike(x, w, first)
		from, to := x, end
		if from > 0 {
			from = k.aligned(from + k.r + align - 1)
		}
		if to < w {
			to = k.aligned(to - k.r)
		}
		if to-from >= leastPlain {
			return from, to, first == full
		}
		x = end
	}
	return w, w, false
}

// Plain pixels begin and end where subsampled chroma has a sample of its own.
const align = 4

func (k *walker) aligned(x int) int { return (k.box.x0+x)&^(align-1) - k.box.x0 }

// leastPlain is how many plain pixels are worth a span.
const leastPlain = 16

// alike returns the end of the columns from x on that have one sum.
func (k *walker) alike(x, w int, sum uint16) int {
	four := uint64(sum) * 0x0001000100010001
	// Before x any sum will do.
	i, skip := x>>3<<1, x&7
	even, odd := (k.sums[i]^four)>>((skip+1)>>1*16)<<((skip+1)>>1*16), (k.sums[i+1]^four)>>(skip>>1*16)<<(skip>>1*16)
	for even|odd == 0 {
		if i += 2; i == len(k.sums) {
			return w
		}
		even, odd = k.sums[i]^four, k.sums[i+1]^four
	}
	// The lowest lane that differs.
	lane := min(bits.TrailingZeros64(even)/16*2, bits.TrailingZeros64(odd)/16*2+1)
	return min(i*4+lane, w)
}

// windows returns sums of columns such that the window around column from of the box has
// the first 2r+1 of them, the next window those one further, and so on up to column to. Beyond
// the border of the box the border columns are repeated.
func (k *walker) windows(from, to int) []uint16 {
	w := k.box.x1 - k.box.x0
	n := to - from + 2*k.r
	if cap(k.flat) < n {
		k.flat = make([]uint16, n)
	}
	flat := k.flat[:n]
	i, x := 0, from-k.r
	for ; x < 0; i, x = i+1, x+1 {
		flat[i] = k.column(0)
	}
	end := min(to+k.r, w)
	for ; x < end && x&7 != 0; i, x = i+1, x+1 {
		flat[i] = k.column(x)
	}
	for ; x+8 <= end; i, x = i+8, x+8 {
		even, odd, f := k.sums[x>>2], k.sums[x>>2+1], flat[i:][:8:8]
		f[0], f[1], f[2], f[3] = uint16(even), uint16(odd), uint16(even>>16), uint16(odd>>16)
		f[4], f[5], f[6], f[7] = uint16(even>>32), uint16(odd>>32), uint16(even>>48), uint16(odd>>48)
	}
	for ; i < n; i, x = i+1, x+1 {
		flat[i] = k.column(min(x, w-1))
	}
	return flat
}
