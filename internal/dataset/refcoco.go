package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/car"
)

var (
	refcoco     = refKind("refcoco", "unc", "3811 objects in val, 1975 in testA (people), 1810 in testB")
	refcocoPlus = refKind("refcoco+", "unc", "the same images, without words for places; 3805 objects in val, 1975 in testA, 1798 in testB")
	refcocog    = refKind("refcocog", "umd", "longer sentences; 2573 objects in val, 5023 in test")
)

// refKind is one of the three sets of referring expressions. A set is divided into
// splits by an author, whose name is in the name of the file. by is the author whose
// division published figures use.
func refKind(name, by, about string) kind {
	return kind{
		name:  name,
		about: "sentences for an object in an image: " + about,
		layout: fmt.Sprintf(`  data/  (or that folder itself, or %[1]s in it)
    %[1]s/refs(%[2]s).p
    %[1]s/instances.json
    images/mscoco/images/train2014/COCO_train2014_000000000009.jpg
      (or images/train2014, or train2014; or give the folder)`, name, by),
		open: func(root string, o *Options) (*Set, error) { return openRefs(root, o, name, by) },
	}
}

func openRefs(root string, o *Options, name, by string) (*Set, error) {
	split := o.split()
	if author, rest, found := strings.Cut(split, "/"); found {
		by, split = author, rest
	}
	refs := "refs(" + by + ").p"
	if !filepath.IsLocal(refs) || filepath.Base(refs) != refs {
		return nil, fmt.Errorf("there is no division by %q", by)
	}
	dir, err := locate(root, []string{name, filepath.Join("data", name), filepath.Join("refer", "data", name)}, "instances.json", refs)
	if err != nil {
		return nil, err
	}
	images := o.Images
	if images == "" {
		var ok bool
		data := filepath.Dir(dir)
		if images, ok = firstOf(data, "images/mscoco/images/train2014", "images/train2014", "train2014", "mscoco/train2014", "coco/train2014"); !ok {
			return nil, &LayoutError{Missing: "images/mscoco/images/train2014, images/train2014 or train2014", In: []string{data}}
		}
	}
	list, err := readRefs(filepath.Join(dir, refs), split)
	if err != nil {
		return nil, err
	}
	if o.Limit > 0 {
		list = list[:min(o.Limit, len(list))]
	}
	s := &Set{Protocol: Refer, Preset: name}
	return s, s.addRefs(list, images, filepath.Join(dir, "instances.json"))
}

// addRefs adds the samples of the refs to the set.
func (s *Set) addRefs(refs []ref, images, instances string) error {
	wanted := map[int64]*cocoAnnotation{}
	pictures := map[int64]cocoImage{}
	for _, r := range refs {
		wanted[r.annotation] = nil
		pictures[r.image] = cocoImage{}
	}
	err := scanInstances(instances, func(im *cocoImage) error {
		if _, ok := pictures[im.ID]; !ok {
			return nil
		}
		pictures[im.ID] = *im
		return im.check()
	}, func(a *cocoAnnotation) error {
		if _, ok := wanted[a.ID]; ok {
			wanted[a.ID] = a
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range refs {
		id := fmt.Sprint("ref ", r.id)
		a, im := wanted[r.annotation], pictures[r.image]
		if a == nil || im.Width == 0 || a.Image != r.image {
			return fmt.Errorf("%s is of annotation %d of image %d, which is not in %s", id, r.annotation, r.image, instances)
		}
		imagePath := filepath.Join(images, filepath.Base(im.File))
		if err := checkFile("the picture", id, imagePath); err != nil {
			return err
		}
		sample := Sample{ID: id, Frames: []string{imagePath}}
		for _, text := range r.sentences {
			sample.Queries, sample.Objects = append(sample.Queries, car.Named(text)), append(sample.Objects, 1)
		}
		sample.Truth = singleFrame(id, func() (*Truth, error) { return paintAnnotation(instances, im, a) })
		s.Samples = append(s.Samples, sample)
	}
	return nil
}

// paintAnnotation paints one annotation. Its parts form one mask, including where they
// overlap. The reference's reader adds the parts up and keeps what is exactly 1, and so
// loses the few overlapping pixels.
func paintAnnotation(path string, im cocoImage, a *cocoAnnotation) (*Truth, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading annotation %d: %w", a.ID, err)
	}
	defer file.Close()
	t := &Truth{W: im.Width, H: im.Height, Labels: make([]uint8, im.Width*im.Height)}
	if err := outline(file, a.at, t.Labels, t.W, t.H); err != nil {
		return nil, fmt.Errorf("painting annotation %d from %s, at byte %d: %w", a.ID, path, a.at.from, err)
	}
	return t, nil
}

// sentence is the reference's clean-up of a sentence (docs/algorithm.md 7.2).
func sentence(s string) string {
	s = strings.NewReplacer(`"`, "", "/", "").Replace(strings.ToLower(utf8Text(s)))
	return strings.Join(strings.Fields(s), " ")
}

// addSentence adds a sentence unless it is there already. Annotators often wrote the
// same, and a query may occur only once.
func (r *ref) addSentence(s string) {
	if s = sentence(s); s != "" && !slices.Contains(r.sentences, s) {
		r.sentences = append(r.sentences, s)
	}
}
