package video

import "github.com/asticode/go-astiav"

// A sampler reads one component of one row as 8-bit values.
type sampler struct {
	row         []byte
	step        int
	shift, mask int  // to extract the sample
	down, up    int  // to convert it to 8 bits
	wide, big   bool // two bytes per sample; big endian
}

func (s sampler) at(x int) byte {
	b := s.row[x*s.step:]
	v := int(b[0])
	if s.wide {
		if s.big {
			v = v<<8 | int(b[1])
		} else {
			v |= int(b[1]) << 8
		}
	}
	return byte(v >> s.shift & s.mask >> s.down << s.up)
}

// sampler returns a sampler for component c (at full resolution) in row y.
func (d Layout) sampler(p *astiav.Frame, c, y int) sampler {
	comp := d.Components[c]
	data, stride := framePlane(p, comp.Plane, d.rows(comp.Plane, p.Height()))
	return sampler{
		row: data[y*stride+comp.Offset:], step: comp.Step,
		shift: comp.Shift, mask: 1<<comp.Depth - 1,
		down: max(0, comp.Depth-8), up: max(0, 8-comp.Depth),
		wide: comp.Shift+comp.Depth > 8, big: d.BigEndian,
	}
}

// sampleRow writes component c of row y into dst.
func (d Layout) sampleRow(p *astiav.Frame, c, y int, dst []byte) {
	s := d.sampler(p, c, y)
	switch {
	case s.step == 1 && s.shift == 0 && s.mask == 255 && !s.wide:
		copy(dst, s.row)
	case s.wide && !s.big && s.step == 2:
		row := s.row[:2*len(dst)]
		for x := range dst {
			dst[x] = byte((int(row[2*x]) | int(row[2*x+1])<<8) >> s.shift & s.mask >> s.down)
		}
	default:
		for x := range dst {
			dst[x] = s.at(x)
		}
	}
}
