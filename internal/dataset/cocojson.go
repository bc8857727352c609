package dataset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A pasted annotation is what is kept of it to paint the truth of its image.
type pasted struct {
	label uint8
	crowd bool
	area  float64
	at    span
}

// cocoJSON fills the set with samples whose truth is painted from the outlines of an
// annotation file.
//
// Outlines of different objects overlap: a table's includes what stands on it, a
// person's includes the tie. So crowds, whose outlines are the coarsest, are painted
// first, then objects from the largest to the smallest area given in the file, so that
// a small object on a large one is not lost. Of equal ones the later in the file is on
// top. Nothing is void.
func (s *Set) cocoJSON(images, path string, o *Options) error {
	queries, labels := s.addClasses(parseClasses(cocoTable))
	var list []cocoImage
	kept := map[int64][]pasted{}
	err := scanInstances(path, func(im *cocoImage) error {
		list = append(list, *im)
		return im.check()
	}, func(a *cocoAnnotation) error {
		if a.Category < 1 || a.Category > cocoCategories || cocoLabels[a.Category] == 0 {
			return fmt.Errorf("annotation %d is of category %d, which is none of the 80", a.ID, a.Category)
		}
		kept[a.Image] = append(kept[a.Image], pasted{cocoLabels[a.Category], a.Crowd != 0, a.Area, a.at})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b cocoImage) int { return cmp.Compare(a.File, b.File) })
	for _, im := range list {
		if o.full(s) {
			break
		}
		imagePath := filepath.Join(images, filepath.Base(im.File))
		id := stem(imagePath)
		if err := checkFile("the picture", id, imagePath); err != nil {
			return err
		}
		outlines := kept[im.ID]
		slices.SortStableFunc(outlines, func(a, b pasted) int {
			if a.crowd != b.crowd {
				if a.crowd {
					return -1
				}
				return 1
			}
			return cmp.Compare(b.area, a.area)
		})
		s.Samples = append(s.Samples, Sample{
			ID: id, Frames: []string{imagePath}, Queries: queries, Objects: labels,
			Truth: singleFrame(id, func() (*Truth, error) { return paste(path, im, outlines) }),
		})
	}
	return nil
}

// paste paints the annotations of an image one over the other.
func paste(path string, im cocoImage, outlines []pasted) (*Truth, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the outlines of %s: %w", im.File, err)
	}
	defer file.Close()
	t := &Truth{W: im.Width, H: im.Height, Labels: make([]uint8, im.Width*im.Height)}
	mask := make([]uint8, len(t.Labels))
	for _, a := range outlines {
		clear(mask)
		if err := outline(file, a.at, mask, t.W, t.H); err != nil {
			return nil, fmt.Errorf("painting the outlines of %s from %s, at byte %d: %w", im.File, path, a.at.from, err)
		}
		for i, m := range mask {
			if m != 0 {
				t.Labels[i] = a.label
			}
		}
	}
	return t, nil
}
