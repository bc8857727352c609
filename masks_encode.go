package carve

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"golang.org/x/image/tiff"

	"github.com/carve-video/carve/video"
)

// An imageFormat says how masks are stored.
type imageFormat struct {
	indexed bool
	tiff    bool
	bits    int // 8 or 16
	palette color.Palette

	width, height           int // upright
	codedWidth, codedHeight int
	turn                    video.Orientation // from coded to upright
}

func (f *imageFormat) String() string {
	if f.tiff {
		return "tiff"
	}
	return "png"
}

func (f *imageFormat) setSize(info video.Info) {
	o := info.Orientation
	f.codedWidth, f.codedHeight = info.Width, info.Height
	f.width, f.height = o.Upright(info.Width, info.Height)
	// ToCoded goes the other way: the inverse mirrors first, and then transposes.
	f.turn = o
	if o.Transpose {
		f.turn.FlipX, f.turn.FlipY = o.FlipY, o.FlipX
	}
}

// A maskEncoder encodes images for one goroutine. It keeps its memory.
type maskEncoder struct {
	format *imageFormat
	png    png.Encoder
	buffer bytes.Buffer
	none   []byte // an empty image
	sum    []uint8
	turned []uint8
	wide   *image.Gray16
}

func newMaskEncoder(f *imageFormat) *maskEncoder {
	return &maskEncoder{format: f, png: png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngMemory{}}}
}

// pngMemory is the memory of one encoder.
type pngMemory struct{ buffer *png.EncoderBuffer }

func (m *pngMemory) Get() *png.EncoderBuffer  { return m.buffer }
func (m *pngMemory) Put(b *png.EncoderBuffer) { m.buffer = b }

// encode returns the file of the sum of some masks, which are as coded. It is valid
// until the next call.
func (e *maskEncoder) encode(masks [][]uint8) ([]byte, error) {
	if len(masks) == 0 {
		return e.empty()
	}
	plane := masks[0]
	if len(masks) > 1 {
		plane = e.add(masks)
	}
	if e.format.turn != (video.Orientation{}) {
		if e.turned == nil {
			e.turned = make([]uint8, len(plane))
		}
		video.ToCoded(e.format.turn, e.turned, plane, e.format.codedWidth, e.format.codedHeight)
		plane = e.turned
	}
	e.buffer.Reset()
	err := e.write(plane)
	return e.buffer.Bytes(), err
}

// empty returns the file of an empty mask. It stays valid.
func (e *maskEncoder) empty() ([]byte, error) {
	if e.none == nil {
		e.buffer.Reset()
		if err := e.write(make([]uint8, e.format.width*e.format.height)); err != nil {
			return nil, err
		}
		e.none = bytes.Clone(e.buffer.Bytes())
	}
	return e.none, nil
}

// add adds masks up, to the highest value at most.
func (e *maskEncoder) add(masks [][]uint8) []uint8 {
	e.sum = append(e.sum[:0], masks[0]...)
	for _, mask := range masks[1:] {
		for i, v := range mask {
			e.sum[i] = uint8(min(int(e.sum[i])+int(v), 255))
		}
	}
	return e.sum
}

// write encodes an upright plane.
func (e *maskEncoder) write(plane []uint8) error {
	f := e.format
	size := image.Rect(0, 0, f.width, f.height)
	var img image.Image
	switch {
	case f.indexed:
		img = &image.Paletted{Pix: plane, Stride: f.width, Rect: size, Palette: f.palette}
	case f.bits == 8:
		img = &image.Gray{Pix: plane, Stride: f.width, Rect: size}
	case f.tiff:
		img = e.widen(plane)
	default:
		img = &grey16{image.Gray{Pix: plane, Stride: f.width, Rect: size}}
	}
	if f.tiff {
		return tiff.Encode(&e.buffer, img, &tiff.Options{Compression: tiff.Deflate})
	}
	return e.png.Encode(&e.buffer, img)
}

// widen makes 16 bits of 8.
func (e *maskEncoder) widen(plane []uint8) *image.Gray16 {
	if e.wide == nil {
		e.wide = image.NewGray16(image.Rect(0, 0, e.format.width, e.format.height))
	}
	for i, v := range plane {
		e.wide.Pix[2*i], e.wide.Pix[2*i+1] = v, v // 257·v
	}
	return e.wide
}

// grey16 is an image of 8 bits that is read as one of 16. The PNG encoder asks for
// each pixel of such an image, and [image.Gray16] allocates memory to answer.
type grey16 struct{ image.Gray }

func (*grey16) ColorModel() color.Model { return color.Gray16Model }

func (g *grey16) At(x, y int) color.Color { return greys16[g.Pix[y*g.Stride+x]] }

var greys16 = func() (greys [256]color.Color) {
	for v := range greys {
		greys[v] = color.Gray16{Y: uint16(v) * 257}
	}
	return greys
}()
