package carve

import (
	"encoding/binary"
	"image"
	mathbits "math/bits"
	"runtime"
	"sync"

	"github.com/carve-video/carve/internal/matte"
	"github.com/carve-video/carve/video"
)

// An Upsampler brings masks from the size that the model sees to that of the source,
// along the edges of the picture itself (see internal/matte). It is for one goroutine,
// but for Recycle.
type Upsampler struct {
	// Info describes the frames.
	Info video.Info
	// Overlap lets masks cover each other; else they add up to 255 at most.
	Overlap bool
	// Threads bounds the goroutines; 0 stands for runtime.GOMAXPROCS. Masks do not depend
	// on it.
	Threads int

	enlarger *matte.Enlarger
	lw, lh   int    // size of the small masks, as coded
	luma     []byte // of the frame at hand
	turned   []float32
	planes   [][]uint8

	mu    sync.Mutex
	spare [][]uint8
}

// Masks fills in the masks and boxes of the layers of a result of w×h, for the frame that
// it was found in.
func (u *Upsampler) Masks(picture *video.Frame, layers []Layer, w, h int) (err error) {
	if len(layers) == 0 {
		return nil
	}
	if u.luma, err = picture.Luma(u.luma); err != nil {
		return err
	}
	u.MasksAlong(u.luma, layers, w, h)
	return nil
}

// MasksAlong does what Masks does along the edges of a brightness: a byte for each pixel
// of the coded picture, which must stay as it is until the next call.
func (u *Upsampler) MasksAlong(luma []byte, layers []Layer, w, h int) {
	threads := u.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	lw, lh := u.Info.Orientation.Upright(w, h)
	if u.enlarger == nil || u.lw != lw || u.lh != lh {
		u.enlarger, u.lw, u.lh = matte.New(u.Info.Width, u.Info.Height, lw, lh), lw, lh
		u.enlarger.Threads = threads
		u.turned = make([]float32, w*h)
	}
	u.enlarger.Guide(luma)
	u.planes = u.planes[:0]
	for i := range layers {
		l := &layers[i]
		l.Mask = u.take()
		video.ToCoded(u.Info.Orientation, u.turned, l.probability, w, h)
		u.enlarger.Enlarge(u.turned, l.Mask)
		u.planes = append(u.planes, l.Mask)
	}
	if !u.Overlap {
		matte.Share(u.planes, threads)
	}
	for i := range layers {
		layers[i].Box = boxOf(layers[i].Mask, u.Info.Width)
	}
}

// Recycle takes back the memory of masks. It may be called from any goroutine.
func (u *Upsampler) Recycle(layers []Layer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range layers {
		if m := layers[i].Mask; m != nil {
			u.spare = append(u.spare, m)
			layers[i].Mask = nil
		}
	}
}

func (u *Upsampler) take() []uint8 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := len(u.spare); n > 0 {
		m := u.spare[n-1]
		u.spare = u.spare[:n-1]
		return m
	}
	return make([]uint8, u.Info.Width*u.Info.Height)
}

// inside is the value from which a pixel is more inside a mask than outside: those with
// the highest bit, which eight pixels can be asked for at a time.
const (
	inside  = 128
	insides = 0x8080808080808080
)

// boxOf is the smallest box that holds the pixels inside of a mask.
func boxOf(mask []uint8, width int) (box image.Rectangle) {
	for y := 0; (y+1)*width <= len(mask); y++ {
		row := mask[y*width : (y+1)*width]
		left := firstInside(row)
		if left == width {
			continue
		}
		box = box.Union(image.Rect(left, y, lastInside(row)+1, y+1))
	}
	return box
}

// firstInside is the first place in a row that is inside of the mask; its length if
// there is none.
func firstInside(row []uint8) int {
	x := 0
	for ; x+8 <= len(row); x += 8 {
		if bits := binary.LittleEndian.Uint64(row[x:]) & insides; bits != 0 {
			return x + mathbits.TrailingZeros64(bits)/8
		}
	}
	for ; x < len(row) && row[x] < inside; x++ {
	}
	return x
}

// lastInside is the last place in a row that is inside of the mask, -1 if there is none.
func lastInside(row []uint8) int {
	x := len(row)
	for ; x >= 8; x -= 8 {
		if bits := binary.LittleEndian.Uint64(row[x-8:]) & insides; bits != 0 {
			return x - 1 - mathbits.LeadingZeros64(bits)/8
		}
	}
	for x--; x >= 0 && row[x] < inside; x-- {
	}
	return x
}
