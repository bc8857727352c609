package annotation

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/carve-video/carve/internal/bounded"
)

// A pngKind is how a PNG stores the pixels of a mask.
type pngKind string

// The kinds that can hold masks. An image of any other kind is refused.
const (
	indexed pngKind = "indexed"
	grey    pngKind = "grey"
)

// inspect reads the kind and size from the header of a PNG.
func inspect(name string) (kind pngKind, w, h int, err error) {
	f, _, err := bounded.Open(name)
	if err != nil {
		return "", 0, 0, err
	}
	defer f.Close()
	c, err := png.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return "", 0, 0, fmt.Errorf("reading %s as a PNG: %w", name, err)
	}
	if !plausible(c.Width, c.Height) {
		return "", 0, 0, fmt.Errorf("%s is %dx%d, which is too large for a mask", name, c.Width, c.Height)
	}
	switch c.ColorModel {
	case color.GrayModel:
		return grey, c.Width, c.Height, nil
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		return "", 0, 0, fmt.Errorf("%s has 16 bits a sample; masks have 8 at most", name)
	}
	if _, ok := c.ColorModel.(color.Palette); ok {
		return indexed, c.Width, c.Height, nil
	}
	return "", 0, 0, fmt.Errorf("%s is a colour picture; masks are indexed or grey", name)
}

// A pngImage is a decoded PNG: one byte a pixel, an index or a grey value.
type pngImage struct {
	w, h, stride int
	pix          []uint8
	palette      color.Palette // nil for a grey image
}

func (p *pngImage) row(y int) []uint8 { return p.pix[y*p.stride:][:p.w] }

// decode reads a PNG that was inspected before. It may have changed since.
func decode(name string, kind pngKind, w, h int) (*pngImage, error) {
	f, _, err := bounded.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if c, err := png.DecodeConfig(bufio.NewReader(f)); err != nil || c.Width != w || c.Height != h {
		return nil, fmt.Errorf("%s is no longer %s of %dx%d", name, kind, w, h)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", name, err)
	}
	img, err := png.Decode(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", name, err)
	}
	var p *pngImage
	got := kind
	switch img := img.(type) {
	case *image.Paletted:
		p, got = &pngImage{pix: img.Pix, stride: img.Stride, palette: img.Palette}, indexed
	case *image.Gray:
		p, got = &pngImage{pix: img.Pix, stride: img.Stride}, grey
	}
	if size := img.Bounds().Size(); p == nil || got != kind || size != image.Pt(w, h) {
		return nil, fmt.Errorf("%s is no longer %s of %dx%d", name, kind, w, h)
	}
	p.w, p.h = w, h
	return p, nil
}

// labels calls draw for every run of equal values within one word of a mask row, with
// the index of the word, the bits, and the value.
func (p *pngImage) labels(draw func(word int, bits uint64, value uint8)) {
	stride := (p.w + 63) / 64
	for y := range p.h {
		row := p.row(y)
		for k := range stride {
			part := row[k*64 : min(k*64+64, p.w)]
			for from := 0; from < len(part); {
				to := from + 1
				for to < len(part) && part[to] == part[from] {
					to++
				}
				draw(y*stride+k, ^uint64(0)>>(64-(to-from))<<from, part[from])
				from = to
			}
		}
	}
}
