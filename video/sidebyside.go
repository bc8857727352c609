package video

import (
	"context"
	"fmt"
	"image"

	"github.com/asticode/go-astiav"
	"github.com/carve-video/carve/video/overlay"
)

// A SideBySide makes frames that show a frame twice, beside each other as it is displayed: the
// left half is the source, and the right half is drawn on. [Info.SideBySide] describes them for
// a [Sink]. It is used by one goroutine.
type SideBySide struct {
	// Info describes the frames of the source.
	Info Info

	pool          *pool
	like          *astiav.Frame   // has the size and format of the frames
	source, drawn image.Rectangle // the halves, in the frame as it is stored
}

// Initialize computes the size of the frames.
func (b *SideBySide) Initialize() error {
	if l := b.Info.Layout(); !l.drawable() {
		return fmt.Errorf("a frame in %s cannot be put beside another", b.Info.PixelFormat)
	}
	var wide Info
	wide, b.source, b.drawn = b.Info.sideBySide()
	var err error
	if b.like, err = shapedFrame(wide); err != nil {
		return err
	}
	b.pool = newPool(1)
	return nil
}

// SideBySide describes frames of a [SideBySide], for [Sink.FrameInfo].
func (i Info) SideBySide() Info {
	wide, _, _ := i.sideBySide()
	return wide
}

// sideBySide describes frames with two halves, and says where these are. A frame that is
// stored with a turn has them one above the other. The second one begins at a whole sample of
// chroma, so that there may be a gap.
func (i Info) sideBySide() (wide Info, source, drawn image.Rectangle) {
	l := i.Layout()
	frame := image.Rect(0, 0, i.Width, i.Height)
	second := image.Pt(roundUp(i.Width, 1<<l.ChromaX), 0)
	if i.Orientation.Transpose {
		rows := 1 << l.ChromaY
		if i.Interlaced {
			rows *= 2 // both fields
		}
		second = image.Pt(0, roundUp(i.Height, rows))
	}
	source, drawn = frame, frame.Add(second)
	if i.Orientation.FlipX {
		source, drawn = drawn, source
	}
	wide = i
	wide.Width, wide.Height = second.X+i.Width, second.Y+i.Height
	// A display matrix that moves the turned frame back to the origin moves a larger one
	// farther.
	if m := &wide.matrix; i.hasMatrix && (m[6] != 0 || m[7] != 0) {
		m[6] -= min(m[0], 0)*int32(second.X) + min(m[3], 0)*int32(second.Y)
		m[7] -= min(m[1], 0)*int32(second.X) + min(m[4], 0)*int32(second.Y)
	}
	return wide, source, drawn
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// Join returns a frame with f in both halves, which is released separately.
func (b *SideBySide) Join(ctx context.Context, f *Frame) (*Frame, error) {
	// Others read f at the same time, and a view may have to turn it over.
	shared, err := f.Share()
	if err != nil {
		return nil, err
	}
	defer shared.Release()
	view, err := shared.View()
	if err != nil {
		return nil, err
	}
	s, err := b.pool.get(ctx, true)
	if err != nil {
		return nil, err
	}
	joined := &Frame{Index: f.Index, PTS: f.PTS, Duration: f.Duration, TimeBase: f.TimeBase, slot: s}
	if err := b.fill(s, shared, view); err != nil {
		joined.Release()
		return nil, fmt.Errorf("frame %d: %w", f.Index, err)
	}
	return joined, nil
}

// fill gives a slot the samples of both halves.
func (b *SideBySide) fill(s *slot, f *Frame, view [4]Plane) error {
	o, err := b.pool.blank(b.like)
	if err != nil {
		return err
	}
	s.own = o // Release gives it back to the pool
	if err := frameCopyProperties(o, f.slot.frame()); err != nil {
		return fmt.Errorf("copying a frame's properties: %w", err)
	}
	l := b.Info.Layout()
	for i := range view {
		rows := l.rows(i, o.Height())
		if rows == 0 {
			continue
		}
		data, stride := framePlane(o, i, rows)
		p := l.plane(i)
		w, h := p.columns(b.Info.Width)*p.step, -(-b.Info.Height >> p.sy)
		for _, half := range []image.Rectangle{b.source, b.drawn} {
			copyRows(Plane{data[p.offset(half.Min, stride):], stride}, view[i], w, h)
		}
		b.fillGap(Plane{data, stride}, p, w, h)
	}
	return nil
}

func copyRows(to, from Plane, w, h int) {
	for y := range h {
		copy(to.Data[y*to.Stride:][:w], from.Data[y*from.Stride:][:w])
	}
}

// fillGap repeats the last column or row of the first half up to the second. w is in bytes.
func (b *SideBySide) fillGap(to Plane, p planeLayout, w, h int) {
	second := b.source.Min.Add(b.drawn.Min) // one of them is at the origin
	for x := w; x < second.X>>p.sx*p.step; x++ {
		for y := range h {
			to.Data[y*to.Stride+x] = to.Data[y*to.Stride+x-p.step]
		}
	}
	for y := h; y < second.Y>>p.sy; y++ {
		copy(to.Data[y*to.Stride:][:w], to.Data[(y-1)*to.Stride:])
	}
}

// Draw paints layers into the right half of a frame of Join. p is a painter for frames of the
// source.
func (b *SideBySide) Draw(joined *Frame, p *overlay.Painter, layers []overlay.Layer) error {
	planes, err := joined.Planes()
	if err != nil {
		return err
	}
	l := b.Info.Layout()
	var half [4]Plane
	for i, q := range planes {
		if q.Data != nil {
			half[i] = Plane{q.Data[l.plane(i).offset(b.drawn.Min, q.Stride):], q.Stride}
		}
	}
	return drawOn(half, p, layers)
}

// Close frees the frames. Those in flight live until they are released.
func (b *SideBySide) Close() {
	if b == nil || b.pool == nil {
		return
	}
	b.pool.close()
	b.pool = nil
	b.like.Free()
}

// A planeLayout says where the samples of a plane are.
type planeLayout struct {
	step   int // bytes of a pixel
	sx, sy int // base-2 logarithms of its subsampling
	whole  int // columns come in groups of so many
}

func (d Layout) plane(i int) (p planeLayout) {
	for c, comp := range d.Components {
		if comp.Plane != i {
			continue
		}
		p.step, p.whole = comp.Step, 1
		switch first := d.Components[0].Plane; {
		case d.RGB || c == 0 && len(d.Components) < 3:
		case c == 0 && len(d.Components) > 1 && d.Components[1].Plane == first:
			p.whole = 1 << d.ChromaX // packed: pixels share chroma
		case (c == 1 || c == 2) && i != first:
			p.sx, p.sy = d.ChromaX, d.ChromaY
		}
		return p
	}
	return p
}

// columns is the number of columns for frames of a width.
func (p planeLayout) columns(w int) int { return roundUp(-(-w >> p.sx), p.whole) }

// offset is that of a pixel in the plane, in bytes.
func (p planeLayout) offset(at image.Point, stride int) int {
	return at.Y>>p.sy*stride + at.X>>p.sx*p.step
}
