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

// Bounds on the image size that an annotation file may claim, in pixels.
const (
	maxSide   = 1 << 15
	maxPixels = 1 << 27
)

// maxAnnotation bounds one annotation in the file, in bytes. COCO's longest have about
// 100 KB.
const maxAnnotation = 1 << 24

// Bounds on the whole file: COCO's largest has 450 MB, 118 000 images and 860 000
// annotations.
const (
	maxInstances = 1 << 32 // bytes
	maxEntries   = 1 << 22 // in a list
	maxNesting   = 64      // in skipped values
)

// A cocoImage is an image entry of an annotation file.
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

// plausible tells whether an image may have this size.
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

// A span is the position of an annotation in its file, in bytes.
type span struct{ from, to int64 }

// scanInstances reads an annotation file once as a stream, and calls image and
// annotation for the entries of the lists with those names, in any order. No more than
// one entry is in memory.
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
		if s := err.Error(); len(s) > 300 { // the decoder repeats its input
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

// A ration bounds how much is read for one entry, since the decoder holds a whole entry
// in memory, whatever its size.
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

// next allows reading as much as the next entry may take, twice, because the decoder
// reads ahead as much as it already has.
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
	// The span may begin with the comma and space between two entries, which are cut
	// off when it is read again.
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

// skip skips a value of any size.
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

// outline paints the annotation at this span of the file, its polygons or its runs,
// into a w×h mask.
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

// paintRuns sets the pixels of a mask that are inside the runs.
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
