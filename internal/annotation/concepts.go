package annotation

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// openConcepts opens a folder that has a folder of masks for each concept.
func openConcepts(ctx context.Context, path string, names []string, o Options) (*Sequence, error) {
	type concept struct {
		Object
		folder string
	}
	concepts := make([]concept, len(names))
	numbers := true // folders 1, 2, … are numbers; 7 beside dog is a name
	for i, name := range names {
		id, err := strconv.ParseUint(name, 10, 31)
		numbers = numbers && err == nil && id > 0
		concepts[i] = concept{Object{ID: int(id), Name: name}, name}
	}
	for i := range concepts {
		if numbers {
			concepts[i].Name = ""
		} else {
			concepts[i].ID = 0
		}
	}
	slices.SortFunc(concepts, func(a, b concept) int { return compareObjects(a.Object, b.Object) })
	c := &conceptFolders{}
	var objects []Object
	for i, one := range concepts {
		if i > 0 && one.Object == concepts[i-1].Object {
			return nil, fmt.Errorf("%s has two folders for the number %d", path, one.ID)
		}
		f, err := openFolder(ctx, filepath.Join(path, one.folder), o.Workers)
		if err != nil {
			return nil, err
		}
		c.folders = append(c.folders, f)
		objects = append(objects, one.Object)
	}
	first := c.folders[0]
	for _, f := range c.folders[1:] {
		if f.w != first.w || f.h != first.h {
			return nil, fmt.Errorf("masks in %s are %dx%d, and in %s %dx%d", f.path, f.w, f.h, first.path, first.w, first.h)
		}
		if n, in := firstMissing(first.first, len(first.files), f.first, len(f.files)); in != 0 {
			lacks, has := first, f
			if in == 2 {
				lacks, has = f, first
			}
			return nil, fmt.Errorf("frame %s is missing in %s, and %s has it", frameNumber(n), lacks.path, has.path)
		}
	}
	return &Sequence{Path: path, W: first.w, H: first.h, Objects: objects, ids: objects,
		Numbered: true, First: first.first, length: len(first.files), read: c.frame}, nil
}

// firstMissing finds the lowest frame number that only one of two sequences has, and
// which of them lacks it: 1 or 2, or 0 if they have the same frames.
func firstMissing(first1, len1, first2, len2 int) (n, in int) {
	switch {
	case first1 < first2:
		return first1, 2
	case first2 < first1:
		return first2, 1
	case len1 < len2:
		return first1 + len1, 1
	case len2 < len1:
		return first1 + len2, 2
	}
	return 0, 0
}

// conceptFolders backs such a sequence: one folder for each object.
type conceptFolders struct{ folders []*folder }

// frame decodes frame i of all folders. In a grey image every value but 0 is inside. In
// an indexed one every colour but black is: the index of black depends on the palette.
func (c *conceptFolders) frame(i int) (*Frame, error) {
	f := &Frame{W: c.folders[0].w, H: c.folders[0].h, Masks: make([]*Mask, len(c.folders))}
	if err := checkMemory(len(c.folders), f.W, f.H); err != nil {
		return nil, err
	}
	for k, in := range c.folders {
		p, err := in.decode(i)
		if err != nil {
			return nil, err
		}
		var outside [256]bool
		outside[0] = p.palette == nil
		for v, c := range p.palette {
			r, g, b, _ := c.RGBA()
			outside[v] = r|g|b == 0
		}
		p.labels(func(word int, bits uint64, v uint8) {
			if outside[v] {
				return
			}
			if f.Masks[k] == nil {
				f.Masks[k] = NewMask(f.W, f.H)
			}
			f.Masks[k].Bits[word] |= bits
		})
	}
	return f, nil
}
