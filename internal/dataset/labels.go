package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/png"

	"github.com/carve-video/carve/internal/bounded"
)

// A labelPicture is a PNG whose samples are labels.
type labelPicture struct {
	Truth
	gray bool // its samples are grey values, not indices of a palette
}

// maxMask bounds the file of a mask, in bytes.
const maxMask = 1 << 28

// readLabels reads a PNG whose samples are labels: indices of a palette, whose
// colours mean nothing, or grey values of up to 8 bits.
func readLabels(path string) (*labelPicture, error) {
	data, err := bounded.ReadFile(path, maxMask)
	if err != nil {
		return nil, fmt.Errorf("reading a mask: %w", err)
	}
	// A few bytes can say that they are a picture of any size.
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
	p := &labelPicture{Truth: Truth{W: b.Dx(), H: b.Dy(), Labels: make([]uint8, 0, b.Dx()*b.Dy())}}
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
		// Decoding spreads samples of fewer than 8 bits over 0..255; as labels
		// they are what is in the file. The depth is byte 24 of every PNG.
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

// mapped reads a PNG of labels and translates each through the table.
func mapped(path string, table *[256]uint8) (*Truth, error) {
	p, err := readLabels(path)
	if err != nil {
		return nil, err
	}
	for i, l := range p.Labels {
		p.Labels[i] = table[l]
	}
	return &p.Truth, nil
}

// upTo is the table that keeps 0..n and makes everything beyond void. What is
// beyond is 255 in honest data, which is void by itself.
func upTo(n int) *[256]uint8 {
	var t [256]uint8
	for i := range t {
		t[i] = Void
		if i <= n {
			t[i] = uint8(i)
		}
	}
	return &t
}

// one is the truth of a sample with a single frame.
func one(id string, read func() (*Truth, error)) func(int) (*Truth, error) {
	return func(i int) (*Truth, error) {
		if i != 0 {
			return nil, fmt.Errorf("%s has one frame, and number %d was asked for", id, i)
		}
		return read()
	}
}
