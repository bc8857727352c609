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

// An Upsampler enlarges masks from the size that the model sees to that of the video. Their
// outlines follow the edges of the frame (see internal/matte). Except for Recycle, it is
// for one goroutine.
type Upsampler struct {
	// Info describes the frames.
	Info video.Info
	// Overlap allows masks to overlap. Otherwise the masks of a pixel add up to 255 at most.
	Overlap bool
	// Threads bounds the goroutines. The default is runtime.GOMAXPROCS. Masks do not depend
	// on it.
	Threads int

	enlarger *matte.Enlarger
	lw, lh   int          // size of the small masks, in the orientation of the coded frame
	luma     []byte       // of the frame in hand
	turned   []float32    // a small mask in that orientation
	masks    []matte.Mask // of the frame in hand

	mu    sync.Mutex
	spare []matte.Mask
}

// Masks fills in the masks and boxes of layers. The layers are those of a result of w×h
// pixels for this frame.
func (u *Upsampler) Masks(frame *video.Frame, layers []Layer, w, h int) (err error) {
	if len(layers) == 0 {
		return nil
	}
	if view, ok := frame.LumaView(); ok {
		u.along(view, layers, w, h)
		return nil
	}
	if u.luma, err = frame.Luma(u.luma); err != nil {
		return err
	}
	u.MasksAlong(u.luma, layers, w, h)
	return nil
}

// MasksAlong is Masks for a frame of which only the luma is given: one byte per pixel of
// the coded frame. luma must not change until the next call.
func (u *Upsampler) MasksAlong(luma []byte, layers []Layer, w, h int) {
	u.along(video.Plane{Data: luma, Stride: u.Info.Width}, layers, w, h)
}

func (u *Upsampler) along(luma video.Plane, layers []Layer, w, h int) {
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
	u.enlarger.Guide(luma.Data, luma.Stride)
	u.masks = u.masks[:0]
	for i := range layers {
		l := &layers[i]
		l.Mask = u.takeMask()
		video.ToCoded(u.Info.Orientation, u.turned, l.probability, w, h)
		l.Extent = u.enlarger.Enlarge(u.turned, l.Mask)
		u.masks = append(u.masks, matte.Mask{Pix: l.Mask, Extent: l.Extent})
	}
	if !u.Overlap {
		matte.Share(u.masks, u.Info.Width, threads)
	}
	for i := range layers {
		layers[i].Box = boxOf(layers[i].Mask, u.Info.Width, layers[i].Extent)
	}
}

// Recycle takes back the masks that Masks has given to layers, for reuse. It may be called from
// any goroutine.
func (u *Upsampler) Recycle(layers []Layer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range layers {
		if l := &layers[i]; l.Mask != nil {
			u.spare = append(u.spare, matte.Mask{Pix: l.Mask, Extent: l.Extent})
			l.Mask = nil
		}
	}
}

// takeMask returns memory for a mask, which is 0.
func (u *Upsampler) takeMask() []uint8 {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.spare)
	if n == 0 {
		return make([]uint8, u.Info.Width*u.Info.Height)
	}
	m := u.spare[n-1]
	u.spare = u.spare[:n-1]
	m.Clear(u.Info.Width)
	return m.Pix
}

// A pixel is inside a mask if its value is at least inside, which is to say that its highest
// bit is set. insideBits tests eight pixels at once.
const (
	inside     = 128
	insideBits = 0x8080808080808080
)

// boxOf returns the bounding box of the pixels inside a mask, which is empty outside of a
// rectangle.
func boxOf(mask []uint8, width int, extent image.Rectangle) (box image.Rectangle) {
	for y := extent.Min.Y; y < extent.Max.Y; y++ {
		row := mask[y*width+extent.Min.X : y*width+extent.Max.X]
		left := firstInside(row)
		if left == len(row) {
			continue
		}
		box = box.Union(image.Rect(left, y, lastInside(row)+1, y+1).Add(image.Pt(extent.Min.X, 0)))
	}
	return box
}

// firstInside returns the first pixel of a row that is inside, or the row's length if none
// is.
func firstInside(row []uint8) int {
	x := 0
	for ; x+8 <= len(row); x += 8 {
		if bits := binary.LittleEndian.Uint64(row[x:]) & insideBits; bits != 0 {
			return x + mathbits.TrailingZeros64(bits)/8
		}
	}
	for ; x < len(row) && row[x] < inside; x++ {
	}
	return x
}

// lastInside returns the last pixel of a row that is inside, or -1 if none is.
func lastInside(row []uint8) int {
	x := len(row)
	for ; x >= 8; x -= 8 {
		if bits := binary.LittleEndian.Uint64(row[x-8:]) & insideBits; bits != 0 {
			return x - 1 - mathbits.LeadingZeros64(bits)/8
		}
	}
	for x--; x >= 0 && row[x] < inside; x-- {
	}
	return x
}
