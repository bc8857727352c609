package carve

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// maxIndex is the highest number in an indexed image; 255 means that a pixel is not
// known.
const maxIndex = 254

var errNumbers = fmt.Errorf("an indexed image has room for %d numbers, and there are more; split them", maxIndex)

// hex is the colour of a number in the images.
func (m *Masks) hex(number int) string {
	r, g, b, _ := m.palette[number].RGBA()
	return hex([3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)})
}

func hex(c [3]uint8) string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

func (m *Masks) concept(id int) *maskConcept {
	for _, c := range m.concepts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// instance returns an instance of a concept, which may be a new one.
func (m *Masks) instance(ctx context.Context, c *maskConcept, number int) (_ *maskInstance, err error) {
	if in := c.instance(number); in != nil {
		return in, nil
	}
	in := &maskInstance{concept: c.ID, last: m.written}
	in.Number = number
	if m.split() == SplitInstance {
		if in.files, err = m.newFiles(ctx, c.name, strconv.Itoa(number)); err != nil {
			return nil, err
		}
		in.Files = in.files.pattern.String()
	} else if err := m.giveNumber(in); err != nil {
		return nil, err
	}
	c.instances = append(c.instances, in)
	return in, nil
}

// instance returns an instance that has files or a number; nil if there is none.
func (c *maskConcept) instance(number int) *maskInstance {
	for _, in := range c.instances {
		if in.Number == number && in.Until == 0 {
			return in
		}
	}
	return nil
}

// see notes which instances are in a frame. They keep their numbers.
func (m *Masks) see(f *Frame) {
	if !m.Instances {
		return
	}
	for i := range f.Layers {
		l := &f.Layers[i]
		c := m.concept(queryID(f.Queries[l.Query], l.Query))
		if c == nil {
			continue
		}
		if in := c.instance(l.Instance); in != nil {
			in.last = m.written
		}
	}
}

// giveNumber gives an instance a number in the images. If all are in use, it takes that of
// the instance that was seen longest ago, which gets another one if it comes back. The
// manifest says from which image on and until which a number is whose.
func (m *Masks) giveNumber(in *maskInstance) error {
	if len(m.numbered) < maxIndex {
		m.numbered = append(m.numbered, in)
		in.Index = len(m.numbered)
	} else {
		oldest := 0
		for i, other := range m.numbered {
			if other.last < m.numbered[oldest].last {
				oldest = i
			}
		}
		holder := m.numbered[oldest]
		if holder.last == m.written {
			return errNumbers // all are in this frame
		}
		holder.Until, in.From = int64(m.written), int64(m.written)
		if c := m.concept(holder.concept); c != nil && m.written == 0 { // it had the number in another run
			c.instances = slices.DeleteFunc(c.instances, func(in *maskInstance) bool { return in == holder })
		}
		m.numbered[oldest], in.Index = in, oldest+1
	}
	in.Palette = m.hex(in.Index)
	return nil
}
