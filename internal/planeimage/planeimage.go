// Package planeimage writes planes of bytes as PNG or TIFF images.
//
// The encoders of image/png and golang.org/x/image/tiff take three to five times as long
// for masks (BenchmarkMasks in the root package): they search for the best filter of each
// row of a grey image, ask for 16-bit pixels one by one, or compress at a high level with
// new memory for each image. Here rows are not filtered, deflate is at its fastest level,
// and its memory is kept. Tests read the images with those packages.
package planeimage

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/color"
)

// An Encoder writes images of one size. It is for one goroutine.
type Encoder struct {
	Width, Height int
	// Bits are those of a pixel in the file, 8 or 16. With 16 the value is 257 times the
	// byte.
	Bits int
	// Palette makes a PNG with 8 bits an indexed one; nil makes it grey. It has 256
	// colours.
	Palette color.Palette

	out  bytes.Buffer
	zlib *zlib.Writer
	row  []uint8
}

// PNG returns the file of a plane (PNG, third edition). It is valid until the next call.
func (e *Encoder) PNG(plane []uint8) ([]byte, error) {
	if err := e.check(plane); err != nil {
		return nil, err
	}
	const grey, indexed = 0, 3
	kind := byte(grey)
	if e.Palette != nil {
		kind = indexed
	}
	e.out.Reset()
	e.out.WriteString("\x89PNG\r\n\x1a\n")
	at := e.begin("IHDR")
	e.put32(binary.BigEndian, uint32(e.Width), uint32(e.Height))
	e.out.Write([]byte{byte(e.Bits), kind, 0, 0, 0})
	e.end(at)
	if e.Palette != nil {
		at = e.begin("PLTE")
		for _, c := range e.Palette {
			r, g, b, _ := c.RGBA()
			e.out.Write([]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
		}
		e.end(at)
	}
	at = e.begin("IDAT")
	const unfiltered = 1 // one byte before each row, which is 0
	if err := e.deflate(plane, unfiltered); err != nil {
		return nil, err
	}
	e.end(at)
	e.end(e.begin("IEND"))
	return e.out.Bytes(), nil
}

// begin begins a chunk of a PNG.
func (e *Encoder) begin(name string) (at int) {
	at = e.out.Len()
	e.out.WriteString("\x00\x00\x00\x00")
	e.out.WriteString(name)
	return at
}

// end fills in the length of a chunk and appends its checksum.
func (e *Encoder) end(at int) {
	chunk := e.out.Bytes()[at:]
	binary.BigEndian.PutUint32(chunk, uint32(len(chunk)-8))
	e.put32(binary.BigEndian, crc32.ChecksumIEEE(chunk[4:]))
}

func (e *Encoder) put32(order binary.AppendByteOrder, values ...uint32) {
	b := e.out.AvailableBuffer()
	for _, v := range values {
		b = order.AppendUint32(b, v)
	}
	e.out.Write(b)
}

// Tags and types of TIFF 6.0; Adobe's note of 2002 defines the compression.
const (
	tiffShort, tiffLong, tiffRational = 3, 4, 5
	tiffDeflate                       = 8
	tiffBlackIsZero                   = 1
	tiffHeader                        = 8
	tiffEntry                         = 12
)

// TIFF returns the file of a grey plane: one strip, little-endian. It is valid until the
// next call.
func (e *Encoder) TIFF(plane []uint8) ([]byte, error) {
	if err := e.check(plane); err != nil {
		return nil, err
	}
	type entry struct{ tag, kind, value uint32 }
	entries := [...]entry{
		{256, tiffLong, uint32(e.Width)},
		{257, tiffLong, uint32(e.Height)},
		{258, tiffShort, uint32(e.Bits)},
		{259, tiffShort, tiffDeflate},
		{262, tiffShort, tiffBlackIsZero},
		{273, tiffLong, 0},                // offset of the strip
		{277, tiffShort, 1},               // samples a pixel
		{278, tiffLong, uint32(e.Height)}, // rows of the strip
		{279, tiffLong, 0},                // length of the strip
		{282, tiffRational, 0},            // resolution, two times
		{283, tiffRational, 0},
		{296, tiffShort, 2}, // in pixels an inch
	}
	const strip, length, across, down = 5, 8, 9, 10
	resolution := uint32(tiffHeader + 2 + tiffEntry*len(entries) + 4)
	entries[across].value, entries[down].value = resolution, resolution
	entries[strip].value = resolution + 8
	e.out.Reset()
	e.out.WriteString("II*\x00")
	e.put32(binary.LittleEndian, tiffHeader)
	e.out.Write(binary.LittleEndian.AppendUint16(e.out.AvailableBuffer(), uint16(len(entries))))
	for _, t := range entries {
		e.put32(binary.LittleEndian, t.tag|t.kind<<16, 1, t.value)
	}
	e.put32(binary.LittleEndian, 0, 72, 1) // no further images; 72 pixels an inch
	if err := e.deflate(plane, 0); err != nil {
		return nil, err
	}
	data := e.out.Bytes()
	binary.LittleEndian.PutUint32(data[tiffHeader+2+tiffEntry*length+8:], uint32(len(data))-entries[strip].value)
	return data, nil
}

func (e *Encoder) check(plane []uint8) error {
	if e.Width <= 0 || e.Height <= 0 || len(plane) != e.Width*e.Height {
		return fmt.Errorf("encoding an image of %dx%d: there are %d pixels", e.Width, e.Height, len(plane))
	}
	if e.Bits != 8 && e.Bits != 16 || e.Palette != nil && (e.Bits != 8 || len(e.Palette) != 256) {
		return fmt.Errorf("encoding an image: %d bits a pixel, and %d colours", e.Bits, len(e.Palette))
	}
	return nil
}

// deflate appends the compressed rows, with some zero bytes before each.
func (e *Encoder) deflate(plane []uint8, before int) (err error) {
	if e.zlib == nil {
		if e.zlib, err = zlib.NewWriterLevel(&e.out, zlib.BestSpeed); err != nil {
			return err
		}
	} else {
		e.zlib.Reset(&e.out)
	}
	bytesEach := e.Bits / 8
	if need := before + bytesEach*e.Width; len(e.row) != need {
		e.row = make([]uint8, need)
	}
	clear(e.row[:before])
	for y := range e.Height {
		row, to := plane[y*e.Width:(y+1)*e.Width], e.row[before:]
		if bytesEach == 1 {
			copy(to, row)
		} else {
			for x, v := range row {
				to[2*x], to[2*x+1] = v, v // 257·v, in either order of bytes
			}
		}
		if _, err := e.zlib.Write(e.row); err != nil {
			return err
		}
	}
	return e.zlib.Close()
}
