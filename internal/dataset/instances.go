package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/bounded"
)

// Bounds of what an annotation file may claim of a picture, in pixels.
const (
	maxSide   = 1 << 15
	maxPixels = 1 << 27
)

// maxAnnotation bounds one annotation in the file, in bytes; the longest of
// COCO's have some 100 KB.
const maxAnnotation = 1 << 24

// Bounds of the whole file: COCO's largest has 450 MB, 118 000 pictures and 860 000
// annotations.
const (
	maxInstances = 1 << 32 // bytes
	maxEntries   = 1 << 22 // of a list
	maxNesting   = 64      // of what is passed over
)

// A cocoImage is a picture as an annotation file has it.
type cocoImage struct {
	ID    int64  `json:"id"`
	File  string `json:"file_name"`
	Width int    `json:"width"`
	// Height is the number of rows.
	Height int `json:"height"`
}

func (im *cocoImage) check() error {
	if !plausible(im.Width, im.Height) {
		return fmt.Errorf("image %d is %d×%d", im.ID, im.Width, im.Height)
	}
	return nil
}

// plausible tells whether a picture may be of this size.
func plausible(w, h int) bool {
	return w >= 1 && h >= 1 && w <= maxSide && h <= maxSide && w*h <= maxPixels
}

// A cocoAnnotation is an annotation without its outline.
type cocoAnnotation struct {
	ID       int64   `json:"id"`
	Image    int64   `json:"image_id"`
	Category int64   `json:"category_id"`
	Crowd    int     `json:"iscrowd"`
	Area     float64 `json:"area"` // pixels
	at       span
}

// A span is where an annotation stands in its file, in bytes.
type span struct{ from, to int64 }

// scanInstances passes through an annotation file once, and calls image and
// annotation with what is in its lists of those names. The lists may come in any
// order. No more of the file is in memory than one entry.
func scanInstances(path string, image func(*cocoImage) error, annotation func(*cocoAnnotation) error) error {
	file, size, err := bounded.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if size > maxInstances {
		return &bounded.SizeError{Path: path, Size: size, Limit: maxInstances}
	}
	bounded := &ration{file: file}
	s := instanceScan{json.NewDecoder(bounded), bounded}
	if err := s.run(image, annotation); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if s := err.Error(); len(s) > 300 { // the decoder repeats what it was given
			err = errors.New(s[:300] + "…")
		}
		return fmt.Errorf("reading %s, near byte %d: %w", path, s.in.InputOffset(), err)
	}
	return nil
}

type instanceScan struct {
	in     *json.Decoder
	ration *ration
}

// A ration bounds how much is read for one entry: the decoder has all of it in
// memory, however much it is.
type ration struct {
	file io.Reader
	left int
}

// Read implements [io.Reader].
func (r *ration) Read(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("an entry is larger than %d bytes", maxAnnotation)
	}
	n, err := r.file.Read(b)
	r.left -= n
	return n, err
}

// next lets as much be read as the next entry may take. The decoder reads ahead by
// as much again as it has.
func (s *instanceScan) next() { s.ration.left = 2*maxAnnotation + 1<<16 }

func (s *instanceScan) token() (json.Token, error) {
	s.next()
	return s.in.Token()
}

func (s *instanceScan) run(image func(*cocoImage) error, annotation func(*cocoAnnotation) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	seen := map[string]bool{"images": false, "annotations": false}
	for s.in.More() {
		key, err := s.token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if _, ours := seen[name]; !ours {
			if err := s.skip(); err != nil {
				return err
			}
			continue
		}
		seen[name] = true
		if err := s.expect('['); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for n := 0; s.in.More(); n++ {
			if n == maxEntries {
				return fmt.Errorf("%s has more than %d entries", name, maxEntries)
			}
			s.next()
			if name == "images" {
				err = s.image(image)
			} else {
				err = s.annotation(annotation)
			}
			if err != nil {
				return fmt.Errorf("entry %d of %s: %w", n, name, err)
			}
		}
		if err := s.expect(']'); err != nil {
			return err
		}
	}
	for _, name := range []string{"images", "annotations"} {
		if !seen[name] {
			return fmt.Errorf("there is no list %q: it is no file of instances", name)
		}
	}
	return s.expect('}')
}

func (s *instanceScan) image(f func(*cocoImage) error) error {
	var im cocoImage
	if err := s.in.Decode(&im); err != nil {
		return err
	}
	return f(&im)
}

func (s *instanceScan) annotation(f func(*cocoAnnotation) error) error {
	var a cocoAnnotation
	from := s.in.InputOffset()
	if err := s.in.Decode(&a); err != nil {
		return err
	}
	// Between two entries stand a comma and space, which are cut off when it is
	// read again.
	a.at = span{from, s.in.InputOffset()}
	if a.at.to-a.at.from > maxAnnotation {
		return fmt.Errorf("annotation %d is %d bytes long", a.ID, a.at.to-a.at.from)
	}
	return f(&a)
}

func (s *instanceScan) expect(want json.Delim) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("there is %.60v where %v is expected", t, want)
	}
	return nil
}

// skip passes over a value, whatever its size.
func (s *instanceScan) skip() error {
	for depth := 0; ; {
		t, err := s.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxNesting {
			return fmt.Errorf("lists and objects are nested more than %d deep", maxNesting)
		}
		if depth == 0 {
			return nil
		}
	}
}

// outline paints the annotation that stands at the span of the file into a w×h
// mask: its polygons, or its runs.
func outline(file io.ReaderAt, at span, mask []uint8, w, h int) error {
	data := make([]byte, at.to-at.from)
	if _, err := file.ReadAt(data, at.from); err != nil {
		return err
	}
	var a struct {
		Segmentation json.RawMessage `json:"segmentation"`
	}
	if err := json.Unmarshal(bytes.TrimLeft(data, ", \t\r\n"), &a); err != nil {
		return err
	}
	if !bytes.HasPrefix(a.Segmentation, []byte("{")) {
		var polygons [][]float64
		if err := json.Unmarshal(a.Segmentation, &polygons); err != nil {
			return fmt.Errorf("its outline: %w", err)
		}
		if err := checkOutline(polygons); err != nil {
			return err
		}
		for _, p := range polygons {
			if err := paintPolygon(mask, w, h, p); err != nil {
				return err
			}
		}
		return nil
	}
	var runs annotation.RLE
	if err := json.Unmarshal(a.Segmentation, &runs); err != nil {
		return fmt.Errorf("its runs: %w", err)
	}
	if runs.W != w || runs.H != h {
		return fmt.Errorf("its runs are for a mask of %d×%d, and the image is %d×%d", runs.W, runs.H, w, h)
	}
	return paintRuns(mask, runs)
}

// paintRuns sets the pixels of a mask that runs say.
func paintRuns(mask []uint8, runs annotation.RLE) error {
	m, err := runs.Mask()
	if err != nil {
		return fmt.Errorf("its runs: %w", err)
	}
	for i := range mask {
		if m.At(i%runs.W, i/runs.W) {
			mask[i] = 1
		}
	}
	return nil
}
