// Package matte enlarges soft masks from the size of the model's image to that of the
// video, along the video's own edges.
//
// A mask of 640 pixels scaled to an image of 3840 has stair-shaped edges. Blurring
// hides them but loses the edge. The guided filter (He, Sun and Tang, "Guided Image
// Filtering", 2013; its fast form: He and Sun, 2015) expresses the mask, in every small
// window, as a linear function of the image's brightness, and applies that function to
// the image at full size: where the image has an edge the mask gets the same one. The
// functions are computed at the mask's size, so the cost at full size is one
// multiplication and addition a pixel, and only along the edges of the mask.
package matte

import (
	"encoding/binary"
	"image"

	"github.com/carve-video/carve/internal/parallel"
)

// radius of a window, in mask pixels: wide enough to reach from a slightly misplaced
// outline to the true edge.
const radius = 3

// epsilon is the variance of brightness (0..1, squared) below which a window counts as
// flat: its mask is then a plain mean.
const epsilon = 4e-4

// gain steepens the result around one half. Values clearly inside or outside become
// exactly 1 or 0, so that pixels of no concept stay unchanged.
const gain = 2.5

// An Enlarger is for images of one size. It reuses its memory and is for one goroutine.
type Enlarger struct {
	// Threads bounds the goroutines that share the rows of an image; 0 and 1 mean none.
	// The result does not depend on it.
	Threads int

	w, h   int // full size
	lw, lh int // size of the masks

	luma   []byte // the image at full size, as given
	stride int    // of its rows

	guide   []float32 // the image at the masks' size, in the band
	band    *band
	sums    sums
	a, b    []float32 // the functions of the mask at hand, in the band
	workers []worker  // one for each goroutine
	fx      []float32
	first   []int // by column of the mask: the first pixel that lies right of its centre
	cells   []cell
}

// A cell is the columns of pixels that a column of the mask covers.
type cell struct {
	from, to int
	one      float32 // 1 over their number
}

// New returns an Enlarger from masks of lw×lh to images of w×h.
func New(w, h, lw, lh int) *Enlarger {
	n := lw * lh
	e := &Enlarger{w: w, h: h, lw: lw, lh: lh, band: newBand(lw, lh)}
	for _, s := range []*[]float32{&e.guide, &e.a, &e.b, &e.sums.i, &e.sums.ii, &e.sums.ip, &e.sums.p} {
		*s = make([]float32, n)
	}
	for x := range lw {
		from := x * w / lw
		to := max((x+1)*w/lw, from+1)
		e.cells = append(e.cells, cell{from, to, 1 / float32(to-from)})
	}
	e.fx, e.first = make([]float32, w), make([]int, lw+1)
	at := -1
	for x := range w {
		i, f := position(x, w, lw)
		for e.fx[x] = f; at < i; {
			at++
			e.first[at] = x
		}
	}
	for at++; at <= lw; at++ {
		e.first[at] = w
	}
	return e
}

// position maps sample i of n to its position among m samples, by half-pixel centres:
// it is between j and j+1, at f.
func position(i, n, m int) (j int, f float32) {
	p := (float64(i)+0.5)*float64(m)/float64(n) - 0.5
	p = min(max(p, 0), float64(m-1))
	j = min(int(p), max(m-2, 0))
	return j, float32(p - float64(j))
}

// Guide sets the image. Masks follow its edges. It has w×h samples of brightness, in rows
// that begin stride bytes apart. The slice is kept, not copied, until the next call.
func (e *Enlarger) Guide(luma []byte, stride int) {
	e.luma, e.stride = luma[:(e.h-1)*stride+e.w], stride
}

// sumColumns writes to sums the sum of each column of some rows, which begin stride bytes
// apart.
func sumColumns(sums []uint32, rows []byte, stride int) {
	w := len(sums)
	x := 0
	if len(rows)/stride < 256 { // the highest number of bytes of which the sum fits 16 bits
		for ; x+8 <= w; x += 8 {
			const low = 0x00ff00ff00ff00ff // of each 16 bits
			var even, odd uint64           // sums of every second column, in 16 bits each
			for at := x; at < len(rows); at += stride {
				v := binary.LittleEndian.Uint64(rows[at:])
				even, odd = even+v&low, odd+v>>8&low
			}
			s := sums[x:][:8:8]
			for i := 0; i < 8; i += 2 {
				s[i], s[i+1] = uint32(even)&0xffff, uint32(odd)&0xffff
				even, odd = even>>16, odd>>16
			}
		}
	}
	for ; x < w; x++ {
		sums[x] = 0
		for at := x; at < len(rows); at += stride {
			sums[x] += uint32(rows[at])
		}
	}
}

// direct tells whether masks have the size of the image already.
func (e *Enlarger) direct() bool { return e.w == e.lw && e.h == e.lh }

// Enlarge scales a mask of probabilities, 0..1, to the image's size and 0..255. Where
// the mask is 0 or 1 throughout a window the result is exactly 0 or 255. dst must be 0, and
// stays so outside of extent.
func (e *Enlarger) Enlarge(mask []float32, dst []uint8) (extent image.Rectangle) {
	if e.direct() {
		for i, p := range mask[:e.w*e.h] {
			dst[i] = quantise(p)
		}
		return image.Rect(0, 0, e.w, e.h)
	}
	e.hire()
	e.filter(mask)
	parallel.Do(e.Threads, e.h, func(number, from, to int) {
		k := &e.workers[number]
		k.between = -1
		for y := from; y < to; y++ {
			k.row(y, dst[y*e.w:(y+1)*e.w])
		}
	})
	for i := range e.workers {
		extent = extent.Union(e.workers[i].extent)
		e.workers[i].extent = image.Rectangle{}
	}
	return extent
}
