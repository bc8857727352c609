package annotation

import (
	"encoding/json"
	"errors"
	"fmt"
)

// An RLE is a mask as run lengths, the form of the COCO data sets. Pixels are counted
// down the first column, then down the second and so on; runs outside and inside the
// mask alternate, beginning with outside. The first run may be empty, and together the
// runs fill the image.
type RLE struct {
	W, H   int
	Counts []uint32
}

// EncodeRLE returns the run lengths of a mask.
func EncodeRLE(m *Mask) RLE {
	r := RLE{W: m.W, H: m.H}
	inside, run := false, uint32(0)
	for x := range m.W {
		for y := range m.H {
			if m.At(x, y) != inside {
				r.Counts = append(r.Counts, run)
				inside, run = !inside, 0
			}
			run++
		}
	}
	r.Counts = append(r.Counts, run)
	return r
}

// Check returns an error if the runs do not fill the image.
func (r RLE) Check() error {
	if !plausible(r.W, r.H) {
		return fmt.Errorf("run lengths for a picture of %dx%d", r.W, r.H)
	}
	// Empty runs would allow any number of runs in a small image.
	if len(r.Counts) > r.W*r.H+1 {
		return fmt.Errorf("%d run lengths for a picture of %dx%d", len(r.Counts), r.W, r.H)
	}
	sum := uint64(0)
	for _, n := range r.Counts {
		sum += uint64(n)
	}
	if want := uint64(r.W) * uint64(r.H); sum != want {
		return fmt.Errorf("run lengths add up to %d pixels, and a picture of %dx%d has %d", sum, r.W, r.H, want)
	}
	return nil
}

// Mask decodes the runs.
func (r RLE) Mask() (*Mask, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	m := NewMask(r.W, r.H)
	r.draw(m)
	return m, nil
}

// draw sets the pixels inside in m, which has the right size.
func (r RLE) draw(m *Mask) {
	x, y := 0, 0
	for i, n := range r.Counts {
		run := int(n)
		if i%2 == 0 {
			y += run
			x, y = x+y/r.H, y%r.H
			continue
		}
		for run > 0 {
			rows := min(run, r.H-y)
			word, bit := x>>6, uint64(1)<<(x&63)
			for k := range rows {
				m.Bits[(y+k)*m.Stride+word] |= bit
			}
			run -= rows
			if y += rows; y == r.H {
				x, y = x+1, 0
			}
		}
	}
}

// rleJSON is the form in a file. The size is height, then width. The counts are a list
// of numbers or a string.
type rleJSON struct {
	Size   []int           `json:"size"`
	Counts json.RawMessage `json:"counts"`
}

// MarshalJSON writes the counts as a string, as other programs do.
func (r RLE) MarshalJSON() ([]byte, error) {
	counts, err := json.Marshal(r.CountsString())
	if err != nil {
		return nil, err
	}
	return json.Marshal(rleJSON{Size: []int{r.H, r.W}, Counts: counts})
}

// UnmarshalJSON reads both forms of counts. It returns an error if the runs do not fill
// the image.
func (r *RLE) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return errors.New("polygons are not read, only run lengths")
	}
	var in rleJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if len(in.Size) != 2 {
		return fmt.Errorf("run lengths with %d numbers for a size, which are height and width", len(in.Size))
	}
	*r = RLE{H: in.Size[0], W: in.Size[1]}
	if !plausible(r.W, r.H) {
		return r.Check()
	}
	// A number takes up to 11 characters, and its separator may be a line break.
	if most := 64 * (r.W*r.H + 2); len(in.Counts) > most {
		return fmt.Errorf("run lengths of %d bytes for a picture of %dx%d", len(in.Counts), r.W, r.H)
	}
	if len(in.Counts) > 0 && in.Counts[0] == '"' {
		var s string
		if err := json.Unmarshal(in.Counts, &s); err != nil {
			return err
		}
		counts, err := ParseCounts(s)
		if err != nil {
			return err
		}
		r.Counts = counts
	} else if err := json.Unmarshal(in.Counts, &r.Counts); err != nil {
		return fmt.Errorf("run lengths that are neither numbers nor a string: %w", err)
	}
	return r.Check()
}
