package annotation

import (
	"context"
	"fmt"
	"slices"

	"github.com/carve-video/carve/internal/plural"
)

// openIndexed opens a folder of images whose values are object numbers.
func openIndexed(ctx context.Context, path string, o Options) (*Sequence, error) {
	f, err := openFolder(ctx, path, o.Workers)
	if err != nil {
		return nil, err
	}
	s := &indexedImages{folder: f}
	if s.legend, err = readLegend(path); err != nil {
		return nil, err
	}
	if s.legend != nil {
		if a := s.legend.album; a != nil && len(a.Frames) != len(f.files) {
			return nil, fmt.Errorf("%s tells of %s, and %s has %d", s.legend.path, plural.Of(len(a.Frames), "frame"), path, len(f.files))
		}
		s.objects = s.legend.objects
	} else if s.objects, err = s.scan(ctx, o.Workers); err != nil {
		return nil, err
	}
	for i := range f.files {
		s.index = append(s.index, s.table(i))
		if s.legend == nil || s.legend.album == nil {
			break // one table is enough for all frames
		}
	}
	return &Sequence{Path: path, W: f.w, H: f.h, Objects: s.objects, ids: s.objects,
		Numbered: true, First: f.first, length: len(f.files), read: s.frame}, nil
}

// indexedImages backs such a sequence.
type indexedImages struct {
	*folder
	legend  *legend
	objects []Object
	index   [][256]int16 // per frame, or one for all: maps a pixel's value to an object's index
}

// Values in a table that are not indices of objects.
const (
	isNothing = -1
	isVoid    = -2
	isUnknown = -3
)

// table returns the meaning of the pixel values of frame i.
func (s *indexedImages) table(i int) (t [256]int16) {
	for v := range t {
		t[v] = isUnknown
	}
	t[0], t[void] = isNothing, isVoid
	if s.legend != nil && s.legend.album != nil {
		for k, name := range s.legend.album.Frames[i].Labels {
			t[k+1] = int16(slices.IndexFunc(s.objects, func(o Object) bool { return o.Name == name }))
		}
		return t
	}
	for k, o := range s.objects {
		t[o.ID] = int16(k)
	}
	return t
}

// scan finds out which numbers occur when no file lists them.
func (s *indexedImages) scan(ctx context.Context, workers int) ([]Object, error) {
	if s.kind == grey {
		return []Object{{ID: 1}}, nil
	}
	seen := make([][256]bool, len(s.files))
	err := Each(ctx, len(s.files), workers, func(i int) error {
		p, err := s.decode(i)
		if err != nil {
			return err
		}
		for y := range p.h {
			for _, v := range p.row(y) {
				seen[i][v] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var objects []Object
	for id := 1; id < void; id++ {
		if slices.ContainsFunc(seen, func(of [256]bool) bool { return of[id] }) {
			objects = append(objects, Object{ID: id})
		}
	}
	return objects, nil
}

// frame decodes frame i.
func (s *indexedImages) frame(i int) (*Frame, error) {
	p, err := s.decode(i)
	if err != nil {
		return nil, err
	}
	table := s.index[min(i, len(s.index)-1)]
	if s.kind == grey {
		// The mask may use any value, 1 or 255 for example.
		v, err := p.oneValue(s.file(i))
		if err != nil {
			return nil, err
		}
		if v != 0 {
			table[v] = table[1]
		}
	}
	f := &Frame{W: s.w, H: s.h, Masks: make([]*Mask, len(s.objects))}
	unknown := 0
	p.labels(func(word int, bits uint64, v uint8) {
		m := &f.Void
		switch k := table[v]; k {
		case isNothing:
			return
		case isUnknown:
			unknown = int(v)
			return
		case isVoid:
		default:
			m = &f.Masks[k]
		}
		if *m == nil {
			*m = NewMask(s.w, s.h)
		}
		(*m).Bits[word] |= bits
	})
	if unknown != 0 {
		return nil, fmt.Errorf("%s has the number %d, which %s", s.file(i), unknown, s.unknown())
	}
	return f, s.applyAlbum(i, f)
}

func (s *indexedImages) unknown() string {
	if s.legend != nil {
		return s.legend.path + " does not name"
	}
	return "was not there before"
}

// applyAlbum adds what the album says about a frame, and checks it against the image.
func (s *indexedImages) applyAlbum(i int, f *Frame) error {
	if s.legend == nil || s.legend.album == nil {
		return nil
	}
	said := s.legend.album.Frames[i]
	f.Ignored = make([]bool, len(s.objects))
	for k, o := range s.objects {
		f.Ignored[k] = slices.Contains(said.Ignored, o.Name)
		shown := !f.Masks[k].Empty() && !f.Ignored[k]
		if present := slices.Contains(said.Present, o.Name); present != shown {
			return fmt.Errorf("%s says of %q in frame %s: present %t, and %s says %t", s.legend.path, o.Name, frameNumber(s.first+i), present, s.files[i], shown)
		}
	}
	return nil
}
