package annotation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/image/tiff"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/maskmanifest"
	"github.com/carve-video/carve/internal/pathpattern"
)

// readManifest reads the manifest of a mask sequence that carve has written. It returns
// nil if there is none, or the file of that name is of another form.
func readManifest(dir string) (*maskmanifest.Manifest, error) {
	path := filepath.Join(dir, maskmanifest.File)
	data, err := bounded.ReadFile(path, maskmanifest.Limits.Bytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := maskmanifest.Unmarshal(data)
	if err != nil && bytes.Contains(data, []byte(`"kind"`)) && !errors.Is(err, maskmanifest.ErrOther) {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return m, nil // the reader of the other forms reports what else is wrong
}

// describedImages backs a sequence with a manifest.
type describedImages struct {
	path    string
	m       *maskmanifest.Manifest
	objects []Object
	numbers []numbered // an image with numbers has one
	split   []numbered // images of coverage, one list of files for each
}

// numbered is a pattern of files, and the objects that their values stand for.
type numbered struct {
	pattern pathpattern.Pattern
	object  int     // of all pixels inside, if values are coverage
	owners  []owner // of the values, if they are numbers
}

// An owner is the object that a value stands for, in some of the images.
type owner struct {
	value       int
	object      int
	from, until int64 // 0 if it is to the end
}

// index returns object+1 of each value in image i.
func (n *numbered) index(i int) (index [256]uint16) {
	for _, o := range n.owners {
		if o.value != 0 && int64(i) >= o.from && (o.until == 0 || int64(i) < o.until) {
			index[o.value] = uint16(o.object + 1)
		}
	}
	return index
}

// openDescribed opens a sequence of which a manifest says all. The instances of a
// concept are one object.
func openDescribed(ctx context.Context, path string, m *maskmanifest.Manifest, workers int) (*Sequence, error) {
	fail := func(format string, arg ...any) error {
		return fmt.Errorf("%s: %w", filepath.Join(path, maskmanifest.File), fmt.Errorf(format, arg...))
	}
	if !plausible(m.Width, m.Height) {
		return nil, fail("images are %dx%d", m.Width, m.Height)
	}
	if n := len(m.PTS); n == 0 || n > maxLength || int64(n) != m.Frames || m.Start < 0 {
		return nil, fail("it has %d times for %d frames; %d at most", n, m.Frames, maxLength)
	}
	d := &describedImages{path: path, m: m}
	legend := legend{path: filepath.Join(path, maskmanifest.File)}
	for _, c := range m.Concepts {
		legend.objects = append(legend.objects, Object{ID: c.ID, Name: c.Label})
	}
	if err := legend.check(); err != nil {
		return nil, err
	}
	d.objects = legend.objects
	if err := d.addFiles(); err != nil {
		return nil, fail("%w", err)
	}
	err := Each(ctx, len(m.PTS), workers, func(i int) error {
		for _, n := range append(d.numbers, d.split...) {
			if _, err := d.inspect(d.file(n, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Sequence{Path: path, W: m.Width, H: m.Height, Objects: d.objects, ids: d.objects,
		Numbered: true, First: int(m.Start), length: len(m.PTS), read: d.frame}, nil
}

// addFiles reads the patterns.
func (d *describedImages) addFiles() error {
	add := func(list *[]numbered, text string, n numbered) (err error) {
		if n.pattern, err = pathpattern.Parse(text); err != nil {
			return err
		}
		if !n.pattern.Has(pathpattern.Frame) || !filepath.IsLocal(n.pattern.File(pathpattern.Time{})) {
			return fmt.Errorf("%q is no pattern of files in this folder", text)
		}
		*list = append(*list, n)
		return nil
	}
	if d.m.Values != maskmanifest.ValuesCoverage {
		var n numbered
		for k, c := range d.m.Concepts {
			owners := []owner{{value: c.Index, object: k}}
			for _, in := range c.Instances {
				owners = append(owners, owner{in.Index, k, in.From, in.Until})
			}
			for _, o := range owners {
				if o.value < 0 || o.value >= void {
					return fmt.Errorf("%q has the number %d; it is from 1 to 254", c.Label, o.value)
				}
			}
			n.owners = append(n.owners, owners...)
		}
		return add(&d.numbers, d.m.Files, n)
	}
	for k, c := range d.m.Concepts {
		patterns := []string{c.Files}
		for _, in := range c.Instances {
			patterns = append(patterns, in.Files)
		}
		for _, p := range patterns {
			if p == "" {
				continue // the concept as a whole, or the instances, have no files
			}
			if err := add(&d.split, p, numbered{object: k}); err != nil {
				return err
			}
		}
	}
	return nil
}

// file returns the path of a file for frame i.
func (d *describedImages) file(n numbered, i int) string {
	return filepath.Join(d.path, filepath.FromSlash(n.pattern.File(d.m.Time(i))))
}

// inspect reads the header of an image. It returns the whole file.
func (d *describedImages) inspect(name string) ([]byte, error) {
	data, err := bounded.ReadFile(name, maxPixels)
	if err != nil {
		return nil, err
	}
	config := png.DecodeConfig
	if isTIFF(name) {
		config = tiff.DecodeConfig
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if c.Width != d.m.Width || c.Height != d.m.Height {
		return nil, fmt.Errorf("%s is %dx%d, and %s says %dx%d", name, c.Width, c.Height, maskmanifest.File, d.m.Width, d.m.Height)
	}
	return data, nil
}

func isTIFF(name string) bool { return strings.HasPrefix(strings.ToLower(filepath.Ext(name)), ".tif") }

// decode returns the values of an image; of 16 bits the high ones.
func (d *describedImages) decode(name string) (*pngImage, error) {
	data, err := d.inspect(name)
	if err != nil {
		return nil, err
	}
	read := png.Decode
	if isTIFF(name) {
		read = tiff.Decode
	}
	img, err := read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", name, err)
	}
	p := &pngImage{w: d.m.Width, h: d.m.Height, stride: d.m.Width}
	switch img := img.(type) {
	case *image.Paletted:
		p.pix, p.stride, p.palette = img.Pix, img.Stride, img.Palette
	case *image.Gray:
		p.pix, p.stride = img.Pix, img.Stride
	case *image.Gray16:
		p.pix = make([]uint8, p.w*p.h)
		for i := range p.pix {
			p.pix[i] = img.Pix[i/p.w*img.Stride+i%p.w*2]
		}
	}
	if p.pix == nil || (p.palette != nil) != (d.m.Values != maskmanifest.ValuesCoverage) {
		return nil, fmt.Errorf("%s is no image of the kind that %s says", name, maskmanifest.File)
	}
	return p, nil
}

// inside is the coverage from which a pixel is inside a mask.
const inside = 128

// frame decodes frame i.
func (d *describedImages) frame(i int) (*Frame, error) {
	f := &Frame{W: d.m.Width, H: d.m.Height, Masks: make([]*Mask, len(d.objects))}
	if err := checkMemory(len(d.objects), f.W, f.H); err != nil {
		return nil, err
	}
	add := func(object, word int, bits uint64) {
		if f.Masks[object] == nil {
			f.Masks[object] = NewMask(f.W, f.H)
		}
		f.Masks[object].Bits[word] |= bits
	}
	for _, n := range d.numbers {
		p, err := d.decode(d.file(n, i))
		if err != nil {
			return nil, err
		}
		unknown, index := uint8(0), n.index(i)
		p.labels(func(word int, bits uint64, v uint8) {
			if k := index[v]; k > 0 {
				add(int(k)-1, word, bits)
			} else if v != 0 {
				unknown = v
			}
		})
		if unknown != 0 {
			return nil, fmt.Errorf("%s has the number %d, which %s does not name", d.file(n, i), unknown, maskmanifest.File)
		}
	}
	for _, n := range d.split {
		p, err := d.decode(d.file(n, i))
		if err != nil {
			return nil, err
		}
		p.labels(func(word int, bits uint64, v uint8) {
			if v >= inside {
				add(n.object, word, bits)
			}
		})
	}
	return f, nil
}
