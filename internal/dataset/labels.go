package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/png"

	"github.com/carve-video/carve/internal/bounded"
)

// A labelImage is a PNG whose samples are labels.
type labelImage struct {
	Truth
	gray bool // samples are grey values, not palette indices
}

// maxMask bounds the size of a mask file, in bytes.
const maxMask = 1 << 28

// readLabels reads a PNG whose samples are labels: palette indices, whose colours have
// no meaning, or grey values of up to 8 bits.
func readLabels(path string) (*labelImage, error) {
	data, err := bounded.ReadFile(path, maxMask)
	if err != nil {
		return nil, fmt.Errorf("reading a mask: %w", err)
	}
	// A file of a few bytes can claim any image size.
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("reading mask %s: %w", path, err)
	} else if !plausible(c.Width, c.Height) {
		return nil, fmt.Errorf("reading mask %s: it is %d×%d, which is too large", path, c.Width, c.Height)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading mask %s: %w", path, err)
	}
	b := img.Bounds()
	p := &labelImage{Truth: Truth{W: b.Dx(), H: b.Dy(), Labels: make([]uint8, 0, b.Dx()*b.Dy())}}
	switch img := img.(type) {
	case *image.Paletted:
		for y := range p.H {
			p.Labels = append(p.Labels, img.Pix[y*img.Stride:][:p.W]...)
		}
	case *image.Gray:
		p.gray = true
		for y := range p.H {
			p.Labels = append(p.Labels, img.Pix[y*img.Stride:][:p.W]...)
		}
		// The decoder spreads samples of fewer than 8 bits over 0..255. This restores
		// the values in the file. The depth is byte 24 of every PNG.
		if depth := data[24]; depth < 8 {
			step := uint8(255 / (1<<depth - 1))
			for i := range p.Labels {
				p.Labels[i] /= step
			}
		}
	default:
		return nil, fmt.Errorf("reading mask %s: it is a picture in colour (%T), not one of labels", path, img)
	}
	return p, nil
}

// readMapped reads a PNG of labels and translates each through the table.
func readMapped(path string, table *[256]uint8) (*Truth, error) {
	p, err := readLabels(path)
	if err != nil {
		return nil, err
	}
	for i, l := range p.Labels {
		p.Labels[i] = table[l]
	}
	return &p.Truth, nil
}

// labelsUpTo returns a table that keeps 0..n and turns all above into void. Valid files
// have only 255 there, which is void anyway.
func labelsUpTo(n int) *[256]uint8 {
	var t [256]uint8
	for i := range t {
		t[i] = Void
		if i <= n {
			t[i] = uint8(i)
		}
	}
	return &t
}

// singleFrame returns the truth function of a sample with one frame.
func singleFrame(id string, read func() (*Truth, error)) func(int) (*Truth, error) {
	return func(i int) (*Truth, error) {
		if i != 0 {
			return nil, fmt.Errorf("%s has one frame, and number %d was asked for", id, i)
		}
		return read()
	}
}
