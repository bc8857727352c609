package video

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"
)

// Phones store photos as a grid of tiles. Each is an image of its own, and FFmpeg makes
// a stream of it. A grid says how to assemble the whole image.
type grid struct {
	x, y, w, h int // the visible part of the canvas
	background [4]byte
	tiles      []tile
	done       bool // the image was assembled
}

// A tile is the position of a stream's image on the canvas.
type tile struct{ stream, x, y int }

// decodeGrid leaves the whole image in s.decoded, once. If a tile is missing it fails.
func (s *Source) decodeGrid() error {
	if s.grid.done {
		return io.EOF
	}
	s.grid.done = true
	fail := func(err error) error { return &PathError{Path: s.Path, Err: ErrTiles, Detail: lowerFirst(err.Error())} }
	packets, err := s.readTiles()
	defer func() {
		for _, p := range packets {
			p.Free()
		}
	}()
	if err != nil {
		return fail(err)
	}
	for i, t := range s.grid.tiles {
		if err := s.decodeTile(packets[t.stream], t, i == 0); err != nil {
			return fail(fmt.Errorf("tile %d of %d: %w", i+1, len(s.grid.tiles), err))
		}
	}
	s.decoded.SetPts(0)
	s.ledger.started = true
	s.ready = true
	return nil
}

// readTiles reads the first packet of every stream.
func (s *Source) readTiles() (map[int]*astiav.Packet, error) {
	packets := make(map[int]*astiav.Packet)
	for {
		err := s.listen(func() error { return s.input.ReadFrame(s.packet) })
		if errors.Is(err, astiav.ErrEof) {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		if i := s.packet.StreamIndex(); packets[i] == nil {
			packets[i] = s.packet.Clone()
		}
		s.packet.Unref()
	}
}

// decodeTile decodes one tile and copies it to the canvas. The first tile creates the
// canvas.
func (s *Source) decodeTile(p *astiav.Packet, t tile, first bool) error {
	if p == nil {
		return errors.New("it is missing")
	}
	st := s.input.Streams()[t.stream]
	codec := astiav.FindDecoder(st.CodecParameters().CodecID())
	if codec == nil {
		return ErrUnsupportedCodec
	}
	cc, f := astiav.AllocCodecContext(codec), astiav.AllocFrame()
	if cc == nil || f == nil {
		return errOutOfMemory
	}
	defer cc.Free()
	defer f.Free()
	if err := cc.FromCodecParameters(st.CodecParameters()); err != nil {
		return err
	}
	cc.SetThreadCount(1) // more threads would wait for more packets
	if err := cc.Open(codec, nil); err != nil {
		return err
	}
	for _, in := range []*astiav.Packet{p, nil} {
		if err := cc.SendPacket(in); err != nil {
			return err
		}
	}
	if err := cc.ReceiveFrame(f); err != nil {
		return err
	}
	if frameDamaged(f) {
		return errors.New("it is damaged")
	}
	if first {
		if err := s.makeCanvas(f); err != nil {
			return err
		}
	}
	return s.grid.lay(s.decoded, f, t)
}

// makeCanvas makes s.decoded a frame of the whole size, otherwise like a tile.
func (s *Source) makeCanvas(like *astiav.Frame) error {
	d := s.decoded
	d.Unref()
	d.SetWidth(s.grid.w)
	d.SetHeight(s.grid.h)
	d.SetPixelFormat(like.PixelFormat())
	if err := d.AllocBuffer(0); err != nil {
		return err
	}
	if err := frameCopyProperties(d, like); err != nil {
		return err
	}
	return frameFill(d, s.grid.background)
}

// lay copies the visible part of a tile.
func (g *grid) lay(canvas, f *astiav.Frame, t tile) error {
	if f.PixelFormat() != canvas.PixelFormat() {
		return fmt.Errorf("its pixel format is %s, that of the first one %s", f.PixelFormat().Name(), canvas.PixelFormat().Name())
	}
	l, ok := describe(f.PixelFormat())
	if !ok || !l.drawable() || frameUpsideDown(f) {
		return fmt.Errorf("tiles of %s cannot be put together", f.PixelFormat().Name())
	}
	// From here on in pixels of the visible part.
	x, y := t.x-g.x, t.y-g.y
	left, top := max(0, -x), max(0, -y)
	w, h := min(f.Width(), g.w-x)-left, min(f.Height(), g.h-y)-top
	if w <= 0 || h <= 0 {
		return nil
	}
	if mask := 1<<l.ChromaX - 1; (x|left)&mask != 0 {
		return errors.New("it begins within a sample of chroma")
	}
	if mask := 1<<l.ChromaY - 1; (y|top)&mask != 0 {
		return errors.New("it begins within a sample of chroma")
	}
	done := make(map[int]bool)
	for i, c := range l.Components {
		if done[c.Plane] {
			continue
		}
		done[c.Plane] = true
		cx, cy := 0, 0
		if !l.RGB && (i == 1 || i == 2) && c.Plane != l.Components[0].Plane {
			cx, cy = l.ChromaX, l.ChromaY
		}
		from, fromStride := framePlane(f, c.Plane, l.rows(c.Plane, f.Height()))
		to, toStride := framePlane(canvas, c.Plane, l.rows(c.Plane, canvas.Height()))
		n := (w + 1<<cx - 1) >> cx * c.Step
		for row := range (h + 1<<cy - 1) >> cy {
			a := (top>>cy+row)*fromStride + left>>cx*c.Step
			b := ((y+top)>>cy+row)*toStride + (x+left)>>cx*c.Step
			copy(to[b:b+n], from[a:a+n])
		}
	}
	return nil
}
