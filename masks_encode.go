package carve

import (
	"bytes"
	"image/color"

	"github.com/carve-video/carve/internal/planeimage"
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
	shaper *maskShaper
	image  planeimage.Encoder
	none   []byte // an empty image
	sum    []uint8
	turned []uint8
}

func newMaskEncoder(f *imageFormat) *maskEncoder {
	return &maskEncoder{format: f, image: planeimage.Encoder{Width: f.width, Height: f.height, Bits: f.bits, Palette: f.palette}}
}

// encode returns the file of the sum of some masks, which are as coded, and whether shaping
// leaves some of them. The file is valid until the next call.
func (e *maskEncoder) encode(masks [][]uint8) (file []byte, visible bool, err error) {
	if len(masks) == 0 {
		file, err = e.empty()
		return file, false, err
	}
	plane := masks[0]
	if len(masks) > 1 {
		plane = e.add(masks)
	}
	e.shaper.begin()
	plane = e.shaper.shape(plane)
	visible = e.shaper.leaves(plane)
	if e.format.turn != (video.Orientation{}) {
		if e.turned == nil {
			e.turned = make([]uint8, len(plane))
		}
		video.ToCoded(e.format.turn, e.turned, plane, e.format.codedWidth, e.format.codedHeight)
		plane = e.turned
	}
	file, err = e.file(plane)
	return file, visible, err
}

// file encodes an upright plane.
func (e *maskEncoder) file(plane []uint8) ([]byte, error) {
	if e.format.tiff {
		return e.image.TIFF(plane)
	}
	return e.image.PNG(plane)
}

// empty returns the file of an empty mask. It stays valid.
func (e *maskEncoder) empty() ([]byte, error) {
	if e.none == nil {
		e.shaper.begin()
		// Of one value, so that it need not be turned.
		data, err := e.file(e.shaper.shape(make([]uint8, e.format.width*e.format.height)))
		if err != nil {
			return nil, err
		}
		e.none = bytes.Clone(data)
	}
	return e.none, nil
}

// add adds masks up, to the highest value at most.
func (e *maskEncoder) add(masks [][]uint8) []uint8 {
	e.sum = append(e.sum[:0], masks[0]...)
	for _, mask := range masks[1:] {
		addMask(e.sum, mask)
	}
	return e.sum
}
